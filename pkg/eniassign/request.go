// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// change sends the run's verb for addrs and returns those that EC2 lists as
// changed, or the verdict on its refusal. It sends nothing after a refusal
// that a smaller request cannot help, nor when the requests are used up.
func (r *run) change(ctx context.Context, addrs []netip.Addr) ([]netip.Addr, *verdict) {
	req := r.request("")
	if v := r.mayAsk(ctx, req, addrs...); v != nil {
		return nil, v
	}
	listed, v := r.ask(ctx, addrs)
	if v != nil && v.scope == wholeRequest {
		r.stop = v
	}
	return listed, v
}

// ask is change without the bookkeeping: it reads nothing of the run but the
// client and the call, so several may be under way at once.
func (r *run) ask(ctx context.Context, addrs []netip.Addr) (listed []netip.Addr, _ *verdict) {
	req := r.request("")
	var err error
	switch {
	case req.verb == Release && req.family == IPv4:
		req.action = "UnassignPrivateIpAddresses"
		listed, err = addrs, r.unassign4(ctx, addrs) // EC2 lists nothing here
	case req.verb == Release:
		req.action = "UnassignIpv6Addresses"
		listed, err = r.unassign6(ctx, addrs)
	case req.family == IPv4:
		req.action = "AssignPrivateIpAddresses"
		listed, err = r.assign4(ctx, addrs)
	default:
		req.action = "AssignIpv6Addresses"
		listed, err = r.assign6(ctx, addrs)
	}
	if err == nil {
		return listed, nil
	}
	v := judge(err, req)
	return nil, &v
}

// mayAsk counts one request, or says why there must not be one. addrs are what
// it assigns, if anything: a move that has begun is ended.
func (r *run) mayAsk(ctx context.Context, req request, addrs ...netip.Addr) *verdict {
	v := verdict{request: req}
	switch {
	case r.stop != nil:
		v = *r.stop
		v.inDoubt = false // this one was not sent
	case ctx.Err() != nil:
		v.rule = rule{code: RequestCanceled, class: Transient}
		v.lead, v.said = "The caller gave up before the request to", oneLine(ctx.Err().Error())
	case r.quitted() && !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return r.begun[a] }):
		v.rule = rule{code: RequestCanceled, class: Transient}
		v.lead, v.said = "The caller gave up before the request to", "the addresses are not wanted any more"
	case !r.left.take():
		v = postponed(req)
	default:
		return nil
	}
	return &v
}

// quitted says that nobody wants the addresses any more.
func (r *run) quitted() bool {
	select {
	case <-r.quit:
		return true
	default:
		return false
	}
}

// begin notes that another ENI is asked to let go of addrs, or was and did not.
func (r *run) begin(yes bool, addrs ...netip.Addr) {
	if r.begun == nil {
		r.begun = map[netip.Addr]bool{}
	}
	for _, a := range addrs {
		r.begun[a] = yes
	}
}

func (r *run) request(action string) request {
	return request{action: action, verb: r.call.Verb, family: r.call.Family, eni: r.call.ENI, table: r.call.Table}
}

func postponed(req request) verdict {
	return verdict{
		request: req, rule: rule{code: RequestPostponed, class: Transient},
		lead: "It is left to the next round to", said: "this one has used up its requests",
	}
}

func (r *run) assign4(ctx context.Context, addrs []netip.Addr) ([]netip.Addr, error) {
	out, err := r.client.EC2.AssignPrivateIpAddresses(ctx, &ec2.AssignPrivateIpAddressesInput{
		NetworkInterfaceId: &r.call.ENI,
		PrivateIpAddresses: texts(addrs),
		AllowReassignment:  aws.Bool(r.call.Verb == Claim),
	})
	if err != nil || out == nil {
		return nil, err
	}
	var listed []netip.Addr
	for _, a := range out.AssignedPrivateIpAddresses {
		listed = appendAddr(listed, a.PrivateIpAddress)
	}
	return listed, nil
}

func (r *run) assign6(ctx context.Context, addrs []netip.Addr) ([]netip.Addr, error) {
	out, err := r.client.EC2.AssignIpv6Addresses(ctx, &ec2.AssignIpv6AddressesInput{
		NetworkInterfaceId: &r.call.ENI,
		Ipv6Addresses:      texts(addrs),
	})
	if err != nil || out == nil {
		return nil, err
	}
	var listed []netip.Addr
	for i := range out.AssignedIpv6Addresses {
		listed = appendAddr(listed, &out.AssignedIpv6Addresses[i])
	}
	return listed, nil
}

func (r *run) unassign4(ctx context.Context, addrs []netip.Addr) error {
	_, err := r.client.EC2.UnassignPrivateIpAddresses(ctx, &ec2.UnassignPrivateIpAddressesInput{
		NetworkInterfaceId: &r.call.ENI,
		PrivateIpAddresses: texts(addrs),
	})
	return err
}

func (r *run) unassign6(ctx context.Context, addrs []netip.Addr) ([]netip.Addr, error) {
	out, err := r.client.EC2.UnassignIpv6Addresses(ctx, &ec2.UnassignIpv6AddressesInput{
		NetworkInterfaceId: &r.call.ENI,
		Ipv6Addresses:      texts(addrs),
	})
	if err != nil || out == nil {
		return nil, err
	}
	var listed []netip.Addr
	for i := range out.UnassignedIpv6Addresses {
		listed = appendAddr(listed, &out.UnassignedIpv6Addresses[i])
	}
	return listed, nil
}

func texts(addrs []netip.Addr) []string {
	s := make([]string, len(addrs))
	for i, a := range addrs {
		s[i] = a.String()
	}
	return s
}

// appendAddr appends what EC2 or IMDS wrote, if it is an address.
func appendAddr(addrs []netip.Addr, s *string) []netip.Addr {
	if s == nil {
		return addrs
	}
	a, err := netip.ParseAddr(*s)
	if err != nil {
		return addrs
	}
	return append(addrs, a.Unmap())
}
