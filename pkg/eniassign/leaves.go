// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

const (
	macsPath = "network/interfaces/macs/"
	// imdsParallel keeps reading 15 ENIs, each of 10 leaves, at some 20 ms and
	// far below the 1024 packets per second that an instance may send to
	// link-local services.
	imdsParallel = 8
	// maxLeaf bounds a leaf; 50 IPv6 addresses are 2 KiB.
	maxLeaf = 64 << 10
)

// A leaf is one value of IMDS and where it goes; what IMDS does not have (404)
// stays "".
type leaf struct {
	path string
	into *string
}

// eniLeaves are the values below one MAC address.
type eniLeaves struct {
	id, device, subnet, vpc, cidr4, cidrs6  string
	localIPv4s, ipv6s, prefixes4, prefixes6 string
}

func (l *eniLeaves) unchanging(mac string) []leaf {
	at := macsPath + mac + "/"
	return []leaf{
		{at + "interface-id", &l.id},
		{at + "device-number", &l.device},
		{at + "subnet-id", &l.subnet},
		{at + "vpc-id", &l.vpc},
		{at + "subnet-ipv4-cidr-block", &l.cidr4},
		{at + "subnet-ipv6-cidr-blocks", &l.cidrs6},
	}
}

func (l *eniLeaves) changing(mac string) []leaf {
	return append(l.addresses(mac), l.prefixes(mac)...)
}

func (l *eniLeaves) addresses(mac string) []leaf {
	at := macsPath + mac + "/"
	return []leaf{{at + "local-ipv4s", &l.localIPv4s}, {at + "ipv6s", &l.ipv6s}}
}

func (l *eniLeaves) prefixes(mac string) []leaf {
	at := macsPath + mac + "/"
	return []leaf{{at + "ipv4-prefix", &l.prefixes4}, {at + "ipv6-prefix", &l.prefixes6}}
}

// identify sets what never changes.
func (l *eniLeaves) identify(e *ENI) {
	e.ID, e.SubnetID, e.VPCID = l.id, l.subnet, l.vpc
	e.DeviceIndex = -1
	if n, err := strconv.Atoi(l.device); err == nil && n >= 0 {
		e.DeviceIndex = n
	}
	for _, s := range strings.Fields(l.cidr4 + "\n" + l.cidrs6) {
		e.CIDRs = appendPrefix(e.CIDRs, s)
	}
}

// fill sets what changes.
func (l *eniLeaves) fill(e *ENI) {
	var v4 []netip.Addr
	for _, s := range strings.Fields(l.localIPv4s) {
		v4 = appendAddr(v4, &s)
	}
	if p := primaryOf(v4); p.IsValid() {
		e.Primary = p
	}
	e.Addresses = append(e.Addresses, v4...)
	for _, s := range strings.Fields(l.ipv6s) {
		e.Addresses = appendAddr(e.Addresses, &s)
	}
	for _, s := range strings.Fields(l.prefixes4 + "\n" + l.prefixes6) {
		e.Prefixes = appendPrefix(e.Prefixes, s)
	}
}

// readLeaves reads all leaves, a few at a time, and returns the first failure.
func (c *Client) readLeaves(ctx context.Context, leaves []leaf) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan leaf)
	var readers sync.WaitGroup
	for range min(imdsParallel, len(leaves)) {
		readers.Go(func() {
			for l := range next {
				text, err := c.read(ctx, l.path)
				if err != nil {
					cancel(err)
					continue
				}
				*l.into = text
			}
		})
	}
	for _, l := range leaves {
		if ctx.Err() != nil {
			break
		}
		next <- l
	}
	close(next)
	readers.Wait()
	return context.Cause(ctx)
}

// read reads one value of IMDS; "" where it does not exist.
func (c *Client) read(ctx context.Context, path string) (string, error) {
	out, err := c.IMDS.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
	if httpStatus(err) == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	defer out.Content.Close()
	b, err := io.ReadAll(io.LimitReader(out.Content, maxLeaf))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return strings.TrimSpace(string(b)), nil
}
