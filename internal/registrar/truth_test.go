// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// compare holds EC2 against the kernels of the running pods.
func (w *world) compare() error {
	var faults []error
	places := append([]map[netip.Addr]string{w.secondaries()}, w.routes()...)
	for i, place := range places {
		what := "secondary addresses"
		if i > 0 {
			what = "routes in " + w.tables[i-1]
		}
		for _, a := range w.addresses() {
			if routed(a) == (i == 0) {
				continue
			}
			if err := w.judge(a, place[a]); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", what, err))
			}
		}
	}
	for name, a := range foreign {
		if e, there := w.vpc.ENI(name); there && !slices.Contains(e.Addresses(), a) {
			faults = append(faults, fmt.Errorf("%s, which was never ours, is not on %s any more", a, name))
		}
	}
	if len(faults) > 0 {
		faults = append(faults, errors.New(w.tell()))
	}
	return errors.Join(faults...)
}

// addresses are all that pods have or had, each once.
func (w *world) addresses() []netip.Addr {
	all := slices.Clone(floating)
	for _, at := range homes {
		all = append(all, at.own)
	}
	return all
}

// judge says what is wrong with an address being on an ENI, "" for on none.
func (w *world) judge(a netip.Addr, eni string) error {
	var holders []string
	for _, p := range w.pods {
		if p.running() && slices.Contains(p.kernel.addresses(), a) && p.canHold(a) {
			holders = append(holders, p.eni.ID)
		}
	}
	switch {
	case len(holders) > 0 && slices.Contains(holders, eni), len(holders) == 0 && eni == "":
		return nil
	case len(holders) > 0:
		return fmt.Errorf("%s is on %q, the kernels have it on %v", a, eni, holders)
	case w.h.barred && (a.Is4() || routed(a)):
		return nil
	case w.audit.Returned(a, eni): // the pod there had let go of it meanwhile
		return nil
	}
	for _, p := range w.pods {
		if p.left[a] || w.blind && p.had[a] {
			return nil
		}
	}
	return fmt.Errorf("%s is on %q, no kernel has it", a, eni)
}

func (w *world) secondaries() map[netip.Addr]string {
	out := map[netip.Addr]string{}
	for _, e := range w.vpc.ENIs() {
		for _, a := range e.Addresses() {
			out[a] = e.ID
		}
	}
	return out
}

// routes are where the route tables lead the addresses.
func (w *world) routes() []map[netip.Addr]string {
	silent := model.WithCaller(context.Background(), model.Caller{AccessKey: "operator"})
	out := make([]map[netip.Addr]string, len(w.tables))
	for i, id := range w.tables {
		out[i] = map[netip.Addr]string{}
		all, err := w.vpc.DescribeRouteTables(silent, model.DescribeInput{IDs: []string{id}})
		if err != nil || len(all.Tables) != 1 {
			w.t.Errorf("describe %s: %d tables, %v", id, len(all.Tables), err)
			continue
		}
		for _, r := range all.Tables[0].Routes {
			if r.Created && !r.Blackhole && r.Destination.IsSingleIP() {
				out[i][r.Destination.Addr()] = r.ENI
			}
		}
	}
	return out
}

// needless are the calls of registrars that nothing asks for.
func (w *world) needless() string {
	var s strings.Builder
	for _, c := range w.vpc.Calls() {
		if strings.HasPrefix(c.AccessKey, "pod-") && c.Action != "DescribeRouteTables" {
			s.WriteString(line(c))
		}
	}
	return s.String()
}

func line(c model.Call) string {
	return fmt.Sprintf("%s +%v %-8s %s %s%s %v was %v allow=%s %s effective=%t\n", c.Time.Format("15:04:05.000"), c.Duration, c.AccessKey, c.Action, c.ENI, c.RouteTable,
		c.Addresses, c.Before, c.Params["AllowReassignment"], c.Code, c.Effective)
}

// tell is the log of calls and how the pods stand, for a failed test.
func (w *world) tell() string {
	var s strings.Builder
	for _, e := range w.vpc.ENIs() {
		fmt.Fprintf(&s, "%s is %s %v\n", e.Name, e.ID, e.Addresses())
	}
	calls := w.vpc.Calls("Assign*", "Unassign*", "ReplaceRoute", "CreateRoute", "DeleteRoute")
	if extra := len(calls) - 500; extra > 0 {
		calls = calls[extra:]
	}
	for _, c := range calls {
		s.WriteString(line(c))
	}
	for _, p := range w.pods {
		fmt.Fprintf(&s, "pod %s: kernel %v %v\n", p.home.pod, p.kernel.addresses(), p.status())
	}
	return s.String()
}
