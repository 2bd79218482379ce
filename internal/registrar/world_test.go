// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/ec2api"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/imdsapi"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// worldTopology: two workers; eni foreign addresses .50 and .60 are somebody else's.
const worldTopology = `
vpc: {cidrs: [10.0.0.0/16, "2600:1f14:1:200::/56"]}
subnets:
- {name: nodes, zone: eu-central-1a, cidr: 10.0.0.0/24}
- {name: sig, zone: eu-central-1a, cidr: 10.0.1.0/24, ipv6: "2600:1f14:1:201::/64"}
workers:
- name: w1
  type: m5.xlarge
  enis:
  - {name: w1-primary, index: 0, subnet: nodes, ip: 10.0.0.11}
  - {name: w1-sig, index: 1, subnet: sig, ip: 10.0.1.11, secondary: [10.0.1.50], tags: {node.k8s.amazonaws.com/no_manage: "true"}}
- name: w2
  type: m5.xlarge
  enis:
  - {name: w2-primary, index: 0, subnet: nodes, ip: 10.0.0.12}
  - {name: w2-sig, index: 1, subnet: sig, ip: 10.0.1.12, secondary: [10.0.1.60], tags: {node.k8s.amazonaws.com/no_manage: "true"}}
- name: rival
  type: m5.xlarge
  enis:
  - {name: rival-primary, index: 0, subnet: nodes, ip: 10.0.0.13}
  - {name: rival-sig, index: 1, subnet: sig, ip: 10.0.1.13}
`

// podNames, their workers and own addresses: two share a worker and its ENI.
var (
	podNames   = []string{"a", "b", "c"}
	podWorkers = []string{"w1", "w2", "w1"}
	podOwn     = []netip.Addr{netip.MustParseAddr("10.0.1.100"), netip.MustParseAddr("10.0.1.101"), netip.MustParseAddr("10.0.1.102")}
	foreign    = map[string]netip.Addr{"w1-sig": netip.MustParseAddr("10.0.1.50"), "w2-sig": netip.MustParseAddr("10.0.1.60")}
)

// A world is a VPC with pods whose registrars run in this process.
type world struct {
	t    *testing.T
	vpc  *model.VPC
	pods []*pod
}

func newWorld(t *testing.T, h history) *world {
	top, err := topology.Parse("world", []byte(worldTopology))
	if err != nil {
		t.Fatal(err)
	}
	top.EC2.Throttle, top.EC2.Latency, top.IMDS.Staleness = h.throttle, h.latency, h.staleness
	vpc, err := model.New(top)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, vpc: vpc}
	for i, name := range podNames {
		eni, _ := vpc.ENI(podWorkers[i] + "-sig")
		w.pods = append(w.pods, newPod(t, name, eni.MAC,
			ec2api.Transport{Handler: ec2api.New(vpc)}, ec2api.Transport{Handler: imdsapi.New(vpc, podWorkers[i])}, podOwn[i]))
	}
	w.startAll()
	return w
}

func (w *world) startAll() {
	for i, p := range w.pods {
		if !p.running() {
			p.kernel.add(podOwn[i])
			p.start()
		}
	}
}

func (w *world) close() {
	for _, p := range w.pods {
		p.crash()
	}
}

// do makes one thing happen.
func (w *world) do(s step) {
	p, a := w.pods[s.Pod], floating[s.Addr]
	fault := func(f model.Fault) { f.Count = s.N; w.vpc.Inject(f) }
	switch s.Do {
	case "appear":
		p.kernel.add(a)
	case "vanish":
		p.kernel.remove(a)
	case "move":
		for _, other := range w.pods {
			other.kernel.remove(a)
		}
		p.kernel.add(a)
	case "crash":
		p.crash()
		time.Sleep(time.Duration(s.N) * 100 * time.Millisecond)
		p.start()
	case "terminate":
		p.terminate()
		p.kernel.clear()
		p.kernel.add(podOwn[s.Pod])
		p.store.forget() // a new pod has a new emptyDir
		p.start()
	case "rival takes":
		w.rival(func(ctx context.Context, eni string) error {
			if a.Is6() {
				_, err := w.vpc.AssignIPv6Addresses(ctx, model.AssignIPv6AddressesInput{NetworkInterfaceID: eni, Addresses: []netip.Addr{a}})
				return err
			}
			_, err := w.vpc.AssignPrivateIPAddresses(ctx, model.AssignPrivateIPAddressesInput{
				NetworkInterfaceID: eni, Addresses: []netip.Addr{a}, AllowReassignment: true})
			return err
		})
	case "rival removes":
		w.unassign(a)
	case "throttled":
		fault(model.Fault{Code: "RequestLimitExceeded"})
	case "dropped before":
		fault(model.Fault{Drop: model.DropBefore})
	case "dropped after":
		fault(model.Fault{Drop: model.DropAfter})
	case "broken":
		fault(model.Fault{Code: "InternalError", HTTPStatus: 500})
	case "slow":
		fault(model.Fault{Delay: 3 * time.Second})
	case "denied":
		fault(model.Fault{Action: "Assign*", Code: "UnauthorizedOperation"})
	case "full":
		fault(model.Fault{Action: "Assign*", Code: "PrivateIpAddressLimitExceeded"})
	case "IMDS down", "IMDS up":
		w.vpc.TuneIMDS(podWorkers[s.Pod], func(i *model.IMDSState) { i.Down = s.Do == "IMDS down" })
	case "faults end":
		w.endFaults()
	}
}

func (w *world) endFaults() {
	for _, f := range w.vpc.Faults() {
		w.vpc.RemoveFault(f.ID)
	}
	for _, worker := range podWorkers {
		w.vpc.TuneIMDS(worker, func(i *model.IMDSState) { i.Down = false })
	}
	// The rival goes: what it has is free again.
	e, _ := w.vpc.ENI("rival-sig")
	for _, a := range e.Addresses() {
		if a != netip.MustParseAddr("10.0.1.13") {
			w.unassign(a)
		}
	}
}

// rival calls EC2 as somebody else, until it works or a while has passed.
func (w *world) rival(call func(ctx context.Context, eni string) error) {
	e, _ := w.vpc.ENI("rival-sig")
	_ = call(model.WithCaller(context.Background(), model.Caller{AccessKey: "rival"}), e.ID)
}

// unassign takes an address from whoever has it, as an operator would, in
// spite of faults.
func (w *world) unassign(a netip.Addr) {
	ctx := model.WithCaller(context.Background(), model.Caller{AccessKey: "rival"})
	for range 100 {
		e, held := w.vpc.Owner(a)
		if !held {
			return
		}
		var err error
		if a.Is6() {
			_, err = w.vpc.UnassignIPv6Addresses(ctx, model.UnassignIPv6AddressesInput{NetworkInterfaceID: e.ID, Addresses: []netip.Addr{a}})
		} else {
			err = w.vpc.UnassignPrivateIPAddresses(ctx, model.UnassignPrivateIPAddressesInput{NetworkInterfaceID: e.ID, Addresses: []netip.Addr{a}})
		}
		if err == nil {
			return
		}
		time.Sleep(time.Second)
	}
	w.t.Errorf("the rival could not unassign %s", a)
}

// compare holds EC2 against the kernels of the running pods.
func (w *world) compare() error {
	var faults []error
	for _, name := range []string{"w1-sig", "w2-sig"} {
		e, _ := w.vpc.ENI(name)
		want := []netip.Addr{e.Addresses()[0], foreign[name]}
		for i, p := range w.pods {
			if podWorkers[i]+"-sig" == name && p.running() {
				want = append(want, p.kernel.addresses()...)
			}
		}
		got := e.Addresses()
		slices.SortFunc(want, netip.Addr.Compare)
		slices.SortFunc(got, netip.Addr.Compare)
		if !slices.Equal(slices.Compact(want), got) {
			faults = append(faults, fmt.Errorf("%s has %v, the kernels have %v\n%s", name, got, want, w.tell()))
		}
	}
	for _, c := range w.vpc.Calls("Unassign*") {
		for _, a := range foreign {
			if slices.Contains(c.Addresses, a.String()) {
				faults = append(faults, fmt.Errorf("%s, which was never ours, was unassigned by %s at %s", a, c.AccessKey, c.Time))
			}
		}
	}
	return errors.Join(faults...)
}

// tell is the log of calls and how the pods stand, for a failed test.
func (w *world) tell() string {
	var s string
	for _, c := range w.vpc.Calls("Assign*", "Unassign*") {
		s += fmt.Sprintf("%s %-6s %s %s %v allow=%s %s effective=%t\n", c.Time.Format("15:04:05.000"), c.AccessKey, c.Action, c.ENI,
			c.Addresses, c.Params["AllowReassignment"], c.Code, c.Effective)
	}
	for _, p := range w.pods {
		s += fmt.Sprintf("pod %s: %v\n", p.name, p.status())
	}
	return s
}

var _ http.RoundTripper = ec2api.Transport{}
