// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestAConnectionTellsWhenTheOtherEndClosesIt, and not when this end does.
func TestAConnectionTellsWhenTheOtherEndClosesIt(t *testing.T) {
	for name, tt := range map[string]struct {
		byPeer bool
		want   int
	}{"the other end": {true, 1}, "this end": {false, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				told := 0
				dial := watched(func(context.Context, string, string) (net.Conn, error) { return here, nil }, func() { told++ })
				c, err := dial(t.Context(), "tcp", "192.0.2.1:443")
				if err != nil {
					t.Fatal(err)
				}
				go func() { // as net/http's read loop does
					var b [1]byte
					for {
						if _, err := c.Read(b[:]); err != nil {
							_ = c.Close()
							return
						}
					}
				}()
				if _, err := there.Write([]byte{1}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(ec2IdleTimeout)
				if tt.byPeer {
					_ = there.Close()
				} else {
					_ = c.Close()
				}
				synctest.Wait()
				if told != tt.want {
					t.Errorf("told %d times, want %d", told, tt.want)
				}
				_ = there.Close()
			})
		})
	}
}
