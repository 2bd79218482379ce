// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

const (
	// patience is for hold-downs, stale hints and slow retries to end.
	patience = 4 * time.Minute
	// quiet is how long nobody may ask EC2 for anything in the end.
	quiet = 20 * time.Second
	// spareKiB and spareFiles are what a process may have more of in the end: the
	// runtime gives memory back when it likes, and a connection may be open.
	spareKiB, spareFiles = 4 << 10, 4
)

// settle ends the faults and waits until EC2 is what the kernels are.
func (l *lab) settle(ctx context.Context) error {
	l.endFaults()
	var err error
	for began := time.Now(); time.Since(began) < patience; {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err = l.compare(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%v after the last fault: %w\n%s", patience, err, l.tell())
}

// compare holds EC2 against the kernels.
func (l *lab) compare() error {
	at := map[netip.Addr][]string{} // ENIs, one for each place where EC2 has it
	tables, err := l.VPC.DescribeRouteTables(context.Background(), model.DescribeInput{})
	if err != nil {
		return fmt.Errorf("read the route tables: %w", err)
	}
	for _, t := range tables.Tables {
		for _, r := range t.Routes {
			if r.Created {
				at[r.Destination.Addr()] = append(at[r.Destination.Addr()], r.ENI)
			}
		}
	}
	for _, e := range l.VPC.ENIs() {
		for _, a := range e.Addresses()[1:] {
			at[a] = append(at[a], e.ID)
		}
	}
	holders := map[netip.Addr][]string{}
	for _, p := range l.pods {
		for a := range p.has {
			if p.cmd != nil {
				holders[a] = append(holders[a], p.eni)
			}
		}
	}
	var errs []error
	for a, enis := range at {
		for _, e := range enis {
			if !slices.Contains(holders[a], e) {
				errs = append(errs, fmt.Errorf("%s is on %s, the kernels have it on %v", a, e, holders[a]))
			}
		}
	}
	for a := range holders {
		want := 1
		if routed(a) {
			want = 2
		}
		if len(at[a]) != want {
			errs = append(errs, fmt.Errorf("%s is on %v, the kernels have it on %v", a, at[a], holders[a]))
		}
	}
	return errors.Join(errs...)
}

func (l *lab) tell() string {
	var s strings.Builder
	calls := l.VPC.Calls("Assign*", "Unassign*", "*Route")
	for _, c := range calls[max(0, len(calls)-1000):] {
		fmt.Fprintf(&s, "%s %s %s %s%s %v was %v %s effective=%t\n", c.Time.Format("15:04:05.000"), c.AccessKey, c.Action, c.ENI, c.RouteTable, c.Addresses, c.Before, c.Code, c.Effective)
	}
	for _, p := range l.pods {
		fmt.Fprintf(&s, "pod %s on %s has %v\n", p.spec.Name, p.eni, p.has)
	}
	return s.String()
}

// idles ends all splits, and says whether nobody asks EC2 for anything then.
func (l *lab) idles(ctx context.Context) error {
	for _, a := range floating {
		if err := l.removeAll(a); err != nil {
			return err
		}
	}
	if err := l.settle(ctx); err != nil {
		return err
	}
	var late string
	for range 5 { // slow retries, and looks that were planned before
		l.VPC.ResetCalls()
		time.Sleep(quiet)
		late = ""
		for _, c := range l.VPC.Calls() {
			if strings.HasPrefix(c.AccessKey, "pod-") {
				late += fmt.Sprintf("%s %s %v %s; ", c.AccessKey, c.Action, c.Addresses, c.Code)
			}
		}
		if late == "" {
			return nil
		}
	}
	return fmt.Errorf("calls while nothing happens: %s", late)
}

// end terminates all pods and says what they left behind.
func (l *lab) end(ctx context.Context) error {
	for _, p := range l.pods {
		if err := p.terminate(); err != nil {
			return err
		}
	}
	return l.settle(ctx)
}

// A size is how big a process is.
type size struct{ KiB, Files int }

// sizes are those of the pods' processes that live as long as the soak.
func (l *lab) sizes() (map[string]size, error) {
	out := map[string]size{}
	for _, p := range l.pods[:2] {
		dir := "/proc/" + strconv.Itoa(p.cmd.Process.Pid)
		status, err := os.ReadFile(dir + "/status")
		if err != nil {
			return nil, fmt.Errorf("measure the registrar of pod %s: %w\n%s", p.spec.Name, err, p.log)
		}
		files, err := os.ReadDir(dir + "/fd")
		if err != nil {
			return nil, fmt.Errorf("measure the registrar of pod %s: %w", p.spec.Name, err)
		}
		s := size{Files: len(files)}
		for line := range strings.Lines(string(status)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
				s.KiB, _ = strconv.Atoi(f[1]) // 0 is told below
			}
		}
		if s.KiB == 0 {
			return nil, fmt.Errorf("the kernel tells no VmRSS of the registrar of pod %s", p.spec.Name)
		}
		out[p.spec.Name] = s
	}
	return out, nil
}

// grew compares the last sizes with the biggest of the first third.
func grew(all []map[string]size) error {
	if len(all) < 3 {
		return fmt.Errorf("measured %d times only: let it run longer", len(all))
	}
	var errs []error
	for pod, last := range all[len(all)-1] {
		var first size
		for _, s := range all[:len(all)/3] {
			first = size{max(first.KiB, s[pod].KiB), max(first.Files, s[pod].Files)}
		}
		if last.KiB > first.KiB+spareKiB || last.Files > first.Files+spareFiles {
			errs = append(errs, fmt.Errorf("the registrar of pod %s grew from %+v to %+v", pod, first, last))
		}
	}
	return errors.Join(errs...)
}
