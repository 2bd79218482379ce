// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// What the AWS sample does. Source: aws-samples/eks-automated-ipmgmt-multus-pods,
// code/assign-ip-new-ip6-parallel.py; botocore, retryhandler.py; boto3 guide,
// "Retries" (legacy mode is the default).
const (
	botoAttempts = 5                      // in all; before attempt n it sleeps rand·2^(n-2) s
	samplePoll   = 500 * time.Millisecond // between two looks at the interfaces
	sampleJoin   = 2 * time.Second        // it waits for each of its child processes
	sampleLook   = 50 * time.Millisecond  // how exactly that wait is simulated
)

// sample is the AWS sample in each pod. It looks at its instance and at the
// subnet of each of its ENIs; where one of these calls fails for good it never
// recovers, because it does not ask again. Then a child process per ENI assigns
// IPv4, one looks up who has the IPv6 addresses, and one assigns them. A child
// that fails is not noticed: the addresses count as done.
type sample struct{ *world }

func newSample(w *world) way { return &sample{w} }

func (s *sample) start(p *pod) {
	if p.left == 0 {
		return // it has done its work long ago
	}
	dice := s.dice(p.actor)
	s.spawn(func(t *task) {
		ok := s.boto(t, dice, "DescribeInstances", nil)
		for range len(p.worker.enis) + 1 { // the primary ENI's too
			ok = ok && s.boto(t, dice, "DescribeSubnets", nil)
		}
		if !ok {
			p.giveUp = true
			return
		}
		s.assign(t, dice, p.nets, func() {
			if p.left--; p.left == 0 {
				s.podRouted(p)
			}
		}, func() { p.giveUp = true })
	})
}

// float moves a floating IP inside of a zone; the sample knows no routes.
func (s *sample) float(f *float) {
	if f.across {
		f.over = true
		return
	}
	dice := s.dice(f.to.actor)
	s.spawn(func(t *task) {
		if !t.sleep(time.Duration(dice.Int64N(int64(samplePoll)))) {
			return
		}
		s.assign(t, dice, []attachment{{f.to.nets[0].eni, f.v4, f.v6}}, func() { f.acked(s.now) }, func() { f.over = true })
	})
}

// assign brings addresses onto their ENIs, as the main loop does once.
func (s *sample) assign(t *task, dice *rand.Rand, nets []attachment, acked, lost func()) {
	s.children(t, nets, func(t *task, n attachment) {
		if s.boto(t, dice, "AssignPrivateIpAddresses", func(ctx context.Context) error {
			_, err := s.account.vpc.AssignPrivateIPAddresses(ctx, model.AssignPrivateIPAddressesInput{
				NetworkInterfaceID: n.eni.facts.ID, Addresses: []netip.Addr{n.v4}, AllowReassignment: true})
			return err
		}) {
			acked()
		} else {
			lost()
		}
	})
	s.children(t, nets, func(t *task, n attachment) {
		var owner string
		if !s.boto(t, dice, "DescribeNetworkInterfaces", func(ctx context.Context) error {
			out, err := s.account.vpc.DescribeNetworkInterfaces(ctx, model.DescribeInput{Filters: []model.Filter{
				{Name: "network-interface-id", Values: s.holder(n.v6)}}})
			if err == nil && len(out.ENIs) > 0 {
				owner = out.ENIs[0].ID
			}
			return err
		}) || owner == "" {
			return
		}
		s.boto(t, dice, "UnassignIpv6Addresses", func(ctx context.Context) error {
			_, err := s.account.vpc.UnassignIPv6Addresses(ctx, model.UnassignIPv6AddressesInput{NetworkInterfaceID: owner, Addresses: []netip.Addr{n.v6}})
			return err
		})
	})
	s.children(t, nets, func(t *task, n attachment) {
		if s.boto(t, dice, "AssignIpv6Addresses", func(ctx context.Context) error {
			_, err := s.account.vpc.AssignIPv6Addresses(ctx, model.AssignIPv6AddressesInput{NetworkInterfaceID: n.eni.facts.ID, Addresses: []netip.Addr{n.v6}})
			return err
		}) {
			acked()
		} else {
			lost()
		}
	})
}

// holder is the id to filter by in the place of the address, which the model
// would look for on every ENI. It finds the same.
func (s *sample) holder(a netip.Addr) []string {
	if e, held := s.account.vpc.Owner(a); held {
		return []string{e.ID}
	}
	return []string{"eni-none"}
}

// children runs a child process per interface, and waits two seconds for each,
// one after the other.
func (s *sample) children(t *task, nets []attachment, f func(*task, attachment)) {
	done := make([]bool, len(nets))
	for i, n := range nets {
		s.spawn(func(child *task) {
			f(child, n)
			done[i] = true
		})
	}
	for i := range nets {
		for waited := time.Duration(0); !done[i] && waited < sampleJoin; waited += sampleLook {
			if !t.sleep(sampleLook) {
				return
			}
		}
	}
}

// boto is a call by boto3's legacy retries. Without a call there is nothing but
// the action's bucket.
func (s *sample) boto(t *task, dice *rand.Rand, action string, call func(context.Context) error) bool {
	for attempt := 1; ; attempt++ {
		_, err := ask(context.Background(), s.account, t, action, func(ctx context.Context) (struct{}, error) {
			if call == nil {
				return struct{}{}, s.account.vpc.Reject(ctx, action, nil)
			}
			return struct{}{}, call(ctx)
		})
		var refused apiError
		if err == nil || t.over || attempt == botoAttempts || !errors.As(err, &refused) || refused.HTTPStatusCode() < 500 {
			return err == nil
		}
		if !t.sleep(time.Duration(dice.Float64() * float64(time.Second<<(attempt-1)))) {
			return false
		}
	}
}
