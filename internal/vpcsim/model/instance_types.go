// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"slices"
	"strconv"
)

// An InstanceType is a type with its limits as EC2 describes it.
type InstanceType struct {
	Name string
	Limits
}

// DescribeInstanceTypesOutput is one page of instance types.
type DescribeInstanceTypesOutput struct {
	Types     []InstanceType
	NextToken string
}

// DescribeInstanceTypes is the EC2 action, as far as networks are concerned.
// Limits that a worker overrides in the topology are EC2's own here as well.
func (v *VPC) DescribeInstanceTypes(ctx context.Context, in DescribeInput) (DescribeInstanceTypesOutput, error) {
	return serve(ctx, v, request{action: "DescribeInstanceTypes", dryRun: in.DryRun}, func() (out DescribeInstanceTypesOutput, _ *Error) {
		if err := pageOrIDs("instanceTypes", in.IDs, in.MaxResults); err != nil {
			return out, err
		}
		known := v.instanceTypes()
		for _, id := range in.IDs {
			if !slices.ContainsFunc(known, func(t InstanceType) bool { return t.Name == id }) {
				return out, Refuse(CodeInstanceTypeInvalid, "The following supplied instance types do not exist: [%s]", id)
			}
		}
		if len(in.IDs) > 0 {
			known = slices.DeleteFunc(known, func(t InstanceType) bool { return !slices.Contains(in.IDs, t.Name) })
		}
		all, err := keep(known, in.Filters, InstanceType.attribute, func(InstanceType) map[string]string { return nil })
		if err != nil {
			return out, err
		}
		out.Types, out.NextToken, err = page(all, func(t InstanceType) string { return t.Name }, in.MaxResults, in.NextToken)
		return out, err
	})
}

// instanceTypes are those of the table and those of the workers.
func (v *VPC) instanceTypes() []InstanceType {
	var all []InstanceType
	for _, name := range InstanceTypes() {
		l, _ := InstanceTypeLimits(name)
		all = append(all, InstanceType{name, l})
	}
	for _, e := range v.ordered() {
		i := slices.IndexFunc(all, func(t InstanceType) bool { return t.Name == e.worker.Type })
		switch w := e.worker; {
		case i < 0:
			l := e.limits
			l.Cards = max(1, l.Cards)
			all = append(all, InstanceType{w.Type, l})
		case w.IPv4PerENI+w.IPv6PerENI+w.MaxENIs > 0:
			all[i].Limits = e.limits
		}
	}
	return all
}

// attribute is what a type has under a filter of DescribeInstanceTypes.
func (t InstanceType) attribute(name string) ([]string, bool) {
	switch name {
	case "instance-type":
		return []string{t.Name}, true
	case "network-info.ipv4-addresses-per-interface":
		return []string{strconv.Itoa(t.IPv4)}, true
	case "network-info.ipv6-addresses-per-interface":
		return []string{strconv.Itoa(t.IPv6)}, true
	case "network-info.maximum-network-interfaces":
		return []string{strconv.Itoa(t.ENIs)}, true
	case "network-info.ipv6-supported", "current-generation":
		return []string{"true"}, true
	default:
		return nil, false
	}
}
