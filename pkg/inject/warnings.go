// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"fmt"
	"slices"
)

// warnings are what is accepted and will hardly do what was meant.
func (d *Decision) warnings(f Facts) []Finding {
	var out []Finding
	warn := func(reason Reason, format string, a ...any) {
		out = append(out, Finding{reason, fmt.Sprintf(format, a...)})
	}
	complete := true
	var unanswered, led []string
	for i, n := range f.Networks {
		switch {
		case n.Unknown:
			unanswered = append(unanswered, f.Selections[i].String())
		case !n.Found:
			complete = false
			warn(ReasonNetworkMissing, "NetworkAttachmentDefinition %s does not exist: the pod will not start before it does", f.Selections[i])
		}
		if n.DefaultRoute || f.Selections[i].DefaultRoute {
			led = append(led, f.Selections[i].String())
		}
		if t := n.dropped(); t != "" {
			warn(ReasonNetworkDropped, "network %s is of type %s: EC2 drops frames from MAC addresses that it does not know; use ipvlan", f.Selections[i], t)
		}
	}
	if len(led) > 0 {
		warn(ReasonDefaultRouteLost, "the pod's default route is to lead by %s: the registrar would ask EC2 by it while its address is not routed yet, and the pod start late or never; name the destinations in ipam.routes instead, or chain sbr", enumerate(led))
	}
	if len(unanswered) > 0 {
		warn(ReasonNetworkNotLookedUp, "the API server did not say in time what network %s is: nobody knows whether it exists, and whether EC2 drops its frames", enumerate(unanswered))
	}
	if unknown := d.unknownInterfaces(); len(unknown) > 0 && complete {
		warn(ReasonInterfaceUnknown, "%s names %s, which no network of the pod provides (they are %s): the registrar waits for %s",
			KeyInterfaces, enumerate(unknown), enumerate(interfaces(f.Selections)), map[bool]string{true: "it", false: "them"}[len(unknown) == 1])
	}
	if d.Mode == ModeInit && len(d.Settings.FloatingIPs) > 0 {
		warn(ReasonInitWithFloatingIPs, "%s with %s: %q: nothing follows them after the start; use %q", KeyFloatingIPs, KeyInject, ModeInit, ModeSidecar)
	}
	if len(d.Settings.RouteTables) > 0 && len(d.Settings.FloatingIPs) == 0 {
		warn(ReasonRouteTablesAlone, "%s does nothing without %s", KeyRouteTables, KeyFloatingIPs)
	}
	if d.Mode == ModeSidecar && !d.Native && f.Pod.ends() {
		warn(ReasonJobWithoutNativeSidecars, "this cluster has no native sidecars (Kubernetes 1.29), and a plain one would keep the pod from ending: injected as %q", ModeInit)
	}
	if w := d.meshWarning(f.Pod); w.Reason != "" {
		out = append(out, w)
	}
	return out
}

// unknownInterfaces are those that the pod names and no network of it provides.
func (d *Decision) unknownInterfaces() []string {
	provided := interfaces(d.Selections)
	return slices.DeleteFunc(slices.Clone(d.Settings.Interfaces), func(name string) bool { return slices.Contains(provided, name) })
}

// interfaces are the names that the networks give.
func interfaces(list []Selection) []string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Interface
	}
	return names
}
