// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

func TestSidecarFollowsInterfacesThatComeAndGo(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{"upf w1"})
	c := l.container("upf")
	p := c.start("sidecar")
	for range 3 {
		check(t, l.Fabric.Pod("upf").AddInterface(topology.Interface{Name: "net5", ENI: "w1-oam"}))
		l.add("upf", "net5", "10.0.3.100/24", "2001:db8:0:3::100/64")
		l.untilHeld("w1-oam", "10.0.3.100", "2001:db8:0:3::100")
		check(t, l.Fabric.Pod("upf").DelInterface("net5"))
		l.untilHeld("w1-oam")
	}
	p.terminate()
	p.wantExit(0)
}

// TestSIGTERMReleasesEverything: law 5, within the grace period.
func TestSIGTERMReleasesEverything(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{threeNets}, latent(100*time.Millisecond, 50*time.Millisecond))
	p := l.container("smf").ready()
	l.VPC.ResetCalls()
	began := time.Now()
	p.terminate()
	p.wantExit(0)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the end took %v", took)
	}
	for _, eni := range []string{"w1-sig", "w1-media", "w1-oam"} {
		l.wantHeld(eni)
	}
	l.wantCalls("UnassignIpv6Addresses×3 UnassignPrivateIpAddresses×3")
}

func TestSIGTERMInTroubleEndsInTimeAndSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	c := l.container("upf")
	p := c.ready("--shutdown-timeout=1s")
	l.VPC.Inject(model.Fault{Action: "UnassignPrivateIpAddresses", Code: "RequestLimitExceeded"})
	began := time.Now()
	p.terminate()
	p.wantExit(1)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the end took %v", took)
	}
	l.wantHeld("w1-sig", "10.0.1.100")
	wantText(t, "the termination message", c.message(), "not released", "10.0.1.100", l.id("w1-sig"), "Unassign")
}

// TestOnlyItsOwnIsReleased: law 5. On the ENI are the addresses of another
// pod and of nobody known.
func TestOnlyItsOwnIsReleased(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf, "other w1 net1=w1-sig,10.0.1.111/24,2001:db8:0:1::111/64"}, secondary("w1-sig", "10.0.1.50"))
	l.container("other").ready()
	c := l.container("upf")
	p := c.ready()
	l.wantHeld("w1-sig", "10.0.1.50", "10.0.1.100", "10.0.1.111", "2001:db8:0:1::100", "2001:db8:0:1::111")
	l.add("upf", "net1", "10.0.1.11/24") // the ENI's primary address, by mistake
	l.add("upf", "net1", floating4)
	l.untilHeld("w1-sig", "10.0.1.50", "10.0.1.100", "10.0.1.111", floating4, "2001:db8:0:1::100", "2001:db8:0:1::111")
	c.untilReady()
	l.del("upf", "net1", "10.0.1.11/24", floating4)
	l.untilHeld("w1-sig", "10.0.1.50", "10.0.1.100", "10.0.1.111", "2001:db8:0:1::100", "2001:db8:0:1::111")
	p.terminate()
	p.wantExit(0)
	l.wantHeld("w1-sig", "10.0.1.50", "10.0.1.111", "2001:db8:0:1::111")
	for _, call := range l.VPC.Calls("*assign*") {
		if strings.Contains(strings.Join(call.Addresses, " ")+" ", "10.0.1.11 ") {
			t.Errorf("EC2 was asked to %s the primary address", call.Action)
		}
	}
}

// secondary gives an ENI an address from the start.
func secondary(eni, address string) setting {
	return func(t *topology.Topology, _ *vpcsim.Options) {
		for i := range t.Workers {
			for j := range t.Workers[i].ENIs {
				if e := &t.Workers[i].ENIs[j]; e.Name == eni {
					e.Secondary = addrs(address)
				}
			}
		}
	}
}

func TestReleaseNeverLeavesAddressesWhereTheyAre(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	p := l.container("upf").ready("--release=never")
	l.del("upf", "net1", "10.0.1.100/24")
	p.untilLogged("address gone", "address", "10.0.1.100")
	p.terminate()
	p.wantExit(0)
	l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	if calls := l.VPC.Calls("Unassign*"); len(calls) > 0 {
		t.Errorf("EC2 was asked to %v", actions(calls))
	}
}

// TestCredentialsAndRegionOfTheInstance: a pod whose environment says nothing
// of AWS but the endpoint has them from IMDS.
func TestCredentialsAndRegionOfTheInstance(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf}, instanceRole)
	c := l.container("upf")
	c.env = without(c.env, "AWS_REGION")
	p := c.ready()
	l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
	p.terminate()
	p.wantExit(0)
	l.wantHeld("w1-sig")
	for _, call := range l.VPC.Calls() {
		if call.Worker != "w1" {
			t.Errorf("%s was signed with the key %q, want the instance role's", call.Action, call.AccessKey)
		}
	}
}

func without(env []string, name string) []string {
	var rest []string
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			rest = append(rest, e)
		}
	}
	return rest
}
