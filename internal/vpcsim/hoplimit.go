// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"net"
	"net/http"

	"golang.org/x/sys/unix"
)

const (
	tokenPath  = "/latest/api/token"
	defaultTTL = -1 // the kernel's own, see Linux' ip(7)
	// minHopLimit is EC2's least. Source: ModifyInstanceMetadataOptions.
	minHopLimit = 1
)

// hopLimited sends answers to requests for a token with the instance's hop
// limit as IP TTL, as IMDSv2 does: with 1, they do not reach pods, although
// the connection is made and everything else arrives.
func hopLimited(next http.Handler, limit func() int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ttl := defaultTTL
		if r.Method == http.MethodPut && r.URL.Path == tokenPath {
			ttl = max(limit(), minHopLimit)
		}
		if err := setTTL(r, ttl); err != nil {
			http.Error(w, "vpcsim: set the IP TTL of the answer: "+err.Error(), http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func setTTL(r *http.Request, ttl int) error {
	c, ok := r.Context().Value(connKey{}).(*net.TCPConn)
	if !ok {
		return nil // not IPv4, so there are no hops
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		inner = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, ttl)
	})
	if err != nil {
		return err
	}
	return inner
}
