// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Resources are the container's requests, as Kubernetes quantities.
type Resources struct {
	CPU    string
	Memory string
}

// The resources of a pod that does not say otherwise.
const (
	// DefaultCPU is some times what an idle registrar uses (3 s an hour).
	DefaultCPU = "10m"
	// DefaultMemory is some times the anonymous memory of a registrar (5 MB)
	// and of the startup probe beside it (3 MB): an end by the kernel would
	// cost a failover.
	DefaultMemory = "64Mi"
	// GuaranteedCPU is the CPU of a pod of the Guaranteed class, where the
	// request is the limit too: with less the kernel would stop the process
	// in the middle of a failover (10 ms of CPU every 100 ms here).
	GuaranteedCPU = "100m"
	// minMemory is what a Go program with the AWS SDK needs to start at all.
	minMemory = "16Mi"
)

// ParseResources reads the compact form "cpu=10m,memory=64Mi"; each part may be
// left out.
func ParseResources(text string) (Resources, error) {
	if err := fits(text); err != nil {
		return Resources{}, err
	}
	var r Resources
	want := allowed(KeyResources)
	for item := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(item, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok {
			return Resources{}, fmt.Errorf("has %s: write %s", quote(strings.TrimSpace(item)), want)
		}
		place := &r.CPU
		switch name {
		case "cpu":
		case "memory":
			place = &r.Memory
		default:
			return Resources{}, fmt.Errorf("has %s: write %s", quote(name), want)
		}
		if *place != "" {
			return Resources{}, fmt.Errorf("has %s twice", name)
		}
		q, err := parseQuantity(value)
		if err != nil || q.Sign() <= 0 {
			return Resources{}, fmt.Errorf("has %s=%s, which is no quantity above 0 such as %s", name, quote(value), map[string]string{"cpu": DefaultCPU, "memory": DefaultMemory}[name])
		}
		if name == "memory" && q.Cmp(resource.MustParse(minMemory)) < 0 {
			return Resources{}, fmt.Errorf("has memory=%s: the registrar needs %s to start", value, minMemory)
		}
		*place = value
	}
	return r, nil
}

// over fills what r leaves open from d.
func (r Resources) over(d Resources) Resources {
	if r.CPU == "" {
		r.CPU = d.CPU
	}
	if r.Memory == "" {
		r.Memory = d.Memory
	}
	return r
}
