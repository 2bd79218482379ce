// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package podinfo

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDefaultInterfaces(t *testing.T) {
	for _, tt := range []struct {
		name, status string
		want         []string
	}{
		{"none", "", []string{"eth0"}},
		{"Multus with the VPC CNI", `[{"name":"aws-cni","interface":"dummy0a1b2c3d","ips":["100.64.1.2"],"mac":"0","default":true,"dns":{}},
		  {"name":"upf/n3","interface":"net1","ips":["10.0.1.100"],"mac":"02:00:00:00:00:0a","dns":{}}]`, []string{"eth0", "dummy0a1b2c3d"}},
		{"another default", `[{"name":"cilium","interface":"main0","default":true}]`, []string{"eth0", "main0"}},
		{"eth0", `[{"name":"cilium","interface":"eth0","default":true}]`, []string{"eth0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := ParseNetworkStatus(tt.status)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, DefaultInterfaces(n)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseNetworkStatusRefuses(t *testing.T) {
	for _, text := range []string{"net1", `{"name":"x"}`, `[{"name":1}]`, `[{"default":"yes"}]`} {
		if n, err := ParseNetworkStatus(text); err == nil {
			t.Errorf("%q gave %v", text, n)
		}
	}
}

// FuzzParseNetworkStatus: no text makes it panic, and eth0 is always left alone.
func FuzzParseNetworkStatus(f *testing.F) {
	f.Add(`[{"name":"aws-cni","interface":"eth0","default":true}]`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseNetworkStatus(text)
		if err != nil && n != nil {
			t.Errorf("both %v and %v", n, err)
		}
		if names := DefaultInterfaces(n); names[0] != "eth0" {
			t.Errorf("got %q", names)
		}
	})
}
