// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

var throttleOnce = model.Fault{Action: "AssignPrivateIpAddresses", Code: "RequestLimitExceeded", Count: 1}

func TestStatusShowsEveryAddress(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{"upf w1 net1=w1-sig,10.0.1.100/24,10.0.1.12/24 net2=w1-managed,10.0.3.100/24"})
	c := l.container("upf")
	p := c.start("sidecar")
	c.untilState("10.0.1.12", "Failed")
	c.untilState("10.0.1.100", "Assigned")
	c.untilState("10.0.3.100", "Failed")
	doc, err := c.status()
	check(t, err)
	if doc.Ready || doc.Mode != "sidecar" || doc.Started.IsZero() || len(doc.Waiting) != 2 {
		t.Errorf("the document is %+v", doc)
	}
	bad, _ := c.row("10.0.1.12")
	if bad.ENI != l.id("w1-sig") || bad.Owner != l.id("w2-sig") || bad.Code != "AddressIsPrimary" || bad.Cure == "" || bad.Retry == nil {
		t.Errorf("the row is %+v", bad)
	}
	table := c.run("status")
	table.wantExit(0)
	wantText(t, "the table", table.stdout.String(), "INTERFACE", "net1", "10.0.1.100", l.id("w1-sig"), "Assigned",
		"Failed", "AddressIsPrimary by "+l.id("w2-sig"), "ENIRefusedManaged", "Not ready:", "no_manage")

	l.del("upf", "net1", "10.0.1.12/24")
	l.del("upf", "net2", "10.0.3.100/24")
	c.untilReady()
	wantText(t, "the table", c.run("status").stdout.String(), "Ready: every address is routed.")
	p.terminate()
	p.wantExit(0)
	gone := c.run("status")
	gone.wantExit(1)
	wantText(t, "standard error", gone.stderr.String(), "no registrar is running", c.state)
}

func TestWaitBlocksUntilEverythingIsRouted(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	c := l.container("upf")
	early := c.start("wait") // before there is a sidecar
	allow := l.VPC.Inject(model.Fault{Action: "AssignIpv6Addresses", Code: "RequestLimitExceeded"})
	c.start("sidecar")
	l.untilHeld("w1-sig", "10.0.1.100")
	late := c.start("wait")
	short := c.run("wait", "--timeout=300ms")
	short.wantExit(1)
	wantText(t, "standard error", short.stderr.String(), "waited 300ms", "2001:db8:0:1::100 on net1", l.id("w1-sig"), "RequestLimitExceeded")
	wantNoText(t, "standard error", short.stderr.String(), "10.0.1.100")
	if !early.running() || !late.running() {
		t.Error("a wait has returned before all addresses are routed")
	}
	allow()
	early.wantExit(0)
	late.wantExit(0)
	l.wantHeld("w1-sig", "10.0.1.100", "2001:db8:0:1::100")
}

func TestTwoSidecarsDoNotShareAStateDirectory(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	c := l.container("upf")
	first := c.ready()
	l.VPC.ResetCalls()
	c.run("sidecar").wantExit(1)
	wantText(t, "the termination message", c.message(), "another registrar answers on", c.state, "own --state-dir")
	l.wantCalls("")
	c.untilReady() // the first still answers
	first.terminate()
	first.wantExit(0)
	l.wantHeld("w1-sig")
}

// TestTheLogHasOneLineForEachDecision, in JSON.
func TestTheLogHasOneLineForEachDecision(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	l.VPC.Inject(model.Fault{Action: "AssignPrivateIpAddresses", Code: "RequestLimitExceeded", Count: 5})
	p := l.container("upf").ready()
	p.terminate()
	p.wantExit(0)
	for _, msg := range []string{"registrar starts", "ENIs found", "registrar ends"} {
		if n := len(p.logged(msg)); n != 1 {
			t.Errorf("%d lines %q, want 1", n, msg)
		}
	}
	for _, a := range []string{"10.0.1.100", "2001:db8:0:1::100"} {
		for _, msg := range []string{"address appeared", "address assigned", "address gone", "address released"} {
			if n := len(p.logged(msg, "address", a, "interface", "net1", "eni", l.id("w1-sig"), "level", "INFO")); n != 1 {
				t.Errorf("%d lines %q for %s, want 1", n, msg, a)
			}
		}
	}
	// Refused five times, told once, with what a person needs.
	refused := p.logged("address refused", "address", "10.0.1.100", "level", "WARN", "code", "EC2Throttled", "ec2_code", "RequestLimitExceeded")
	if len(refused) != 1 {
		t.Errorf("%d lines say that it was throttled, want 1", len(refused))
	}
	for _, line := range p.lines() {
		if _, err := time.Parse(time.RFC3339Nano, line["time"].(string)); err != nil {
			t.Errorf("the time of %v: %v", line, err)
		}
	}
	if p.stderr.String() != "" {
		t.Errorf("standard error has %q", p.stderr.String())
	}
}

func TestLogCanBeText(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	p := l.container("upf").run("init", "--log-format=text", "--log-level=debug")
	p.wantExit(0)
	wantText(t, "the log", p.stdout.String(), `level=DEBUG msg="asking EC2" address=10.0.1.100`, `msg="registrar ends"`)
	if strings.Contains(p.stdout.String(), "{") {
		t.Errorf("the log has JSON:\n%s", p.stdout.String())
	}
}
