// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"maps"
	"slices"
	"strings"
)

// Limits are what an instance type allows its ENIs.
type Limits struct {
	// ENIs is how many an instance may have, on all its network cards.
	ENIs int
	// IPv4 and IPv6 are addresses per ENI; the primary one and each delegated
	// prefix count as one.
	IPv4, IPv6 int
	// Cards is how many network cards the type has.
	Cards int
}

// limitsBySize holds for all families of familySizes, but for the exceptions.
// Source: EC2 user guide, "Maximum IP addresses per network interface", and
// amazon-vpc-cni-k8s, pkg/vpc/vpc_ip_resource_limit.go.
func limitsBySize(size string) Limits {
	switch size {
	case "medium":
		return Limits{ENIs: 2, IPv4: 4, IPv6: 4, Cards: 1}
	case "large":
		return Limits{ENIs: 3, IPv4: 10, IPv6: 10, Cards: 1}
	case "xlarge", "2xlarge":
		return Limits{ENIs: 4, IPv4: 15, IPv6: 15, Cards: 1}
	case "4xlarge", "8xlarge", "9xlarge", "12xlarge":
		return Limits{ENIs: 8, IPv4: 30, IPv6: 30, Cards: 1}
	default: // 16xlarge and more, metal
		return Limits{ENIs: 15, IPv4: 50, IPv6: 50, Cards: 1}
	}
}

// limitExceptions are the types that limitsBySize is wrong about: burstable
// ones, and those with two network cards. Same source.
func limitExceptions() map[string]Limits {
	return map[string]Limits{
		"t3.nano":       {ENIs: 2, IPv4: 2, IPv6: 2, Cards: 1},
		"t3.micro":      {ENIs: 2, IPv4: 2, IPv6: 2, Cards: 1},
		"t3.small":      {ENIs: 3, IPv4: 4, IPv6: 4, Cards: 1},
		"t3.medium":     {ENIs: 3, IPv4: 6, IPv6: 6, Cards: 1},
		"t3.large":      {ENIs: 3, IPv4: 12, IPv6: 12, Cards: 1},
		"c6in.32xlarge": {ENIs: 16, IPv4: 50, IPv6: 50, Cards: 2},
		"c6in.metal":    {ENIs: 16, IPv4: 50, IPv6: 50, Cards: 2},
		"m6in.32xlarge": {ENIs: 16, IPv4: 50, IPv6: 50, Cards: 2},
		"m6in.metal":    {ENIs: 16, IPv4: 50, IPv6: 50, Cards: 2},
	}
}

// familySizes are the sizes of each known family. Same source.
func familySizes() map[string]string {
	const (
		gen5 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge metal"
		gen6 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge metal"
		gen7 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge metal-24xl metal-48xl"
		arm6 = "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
	)
	return map[string]string{
		"t3":  "nano micro small medium large xlarge 2xlarge",
		"c5":  "large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge metal",
		"c5n": "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge metal",
		"m5":  gen5, "m5n": gen5, "r5": gen5,
		"c6i": gen6, "c6in": gen6, "m6i": gen6, "m6in": gen6, "r6i": gen6,
		"c7i": gen7, "m7i": gen7,
		"c6gn": arm6, "m6g": arm6 + " metal",
	}
}

// InstanceTypeLimits returns what a type allows; ok is false for a type that
// is not in the table.
func InstanceTypeLimits(instanceType string) (l Limits, ok bool) {
	if l, ok := limitExceptions()[instanceType]; ok {
		return l, true
	}
	family, size, _ := strings.Cut(instanceType, ".")
	if !slices.Contains(strings.Fields(familySizes()[family]), size) {
		return Limits{}, false
	}
	return limitsBySize(size), true
}

// InstanceTypes are the known types, sorted.
func InstanceTypes() []string {
	var all []string
	families := familySizes()
	for _, family := range slices.Sorted(maps.Keys(families)) {
		for _, size := range strings.Fields(families[family]) {
			all = append(all, family+"."+size)
		}
	}
	return all
}
