// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import "fmt"

// obstacles are the faults that matter only where injection is asked for.
func (d *Decision) obstacles(f Facts) []Finding {
	var faults []Finding
	fault := func(reason Reason, format string, a ...any) {
		faults = append(faults, Finding{reason, fmt.Sprintf(format, a...)})
	}
	if f.NetworksError != nil {
		fault(ReasonBadNetworks, "annotation %s cannot be read: %.*v", NetworksKey, maxCited, f.NetworksError)
	}
	// A default of the namespace means pods with networks only.
	named := d.Source == "pod" || len(f.Selections) > 0 || f.NetworksError != nil
	if !named {
		return nil
	}
	if f.Pod.Spec.HostNetwork {
		fault(ReasonHostNetwork, "the pod has hostNetwork: true, so Multus gives it no interfaces and its addresses are the worker's: remove hostNetwork, or set %s: %q on the pod", KeyInject, modeFalse)
	}
	for _, name := range containerNames(d.Mode == ModeSidecar && !f.NativeSidecars) {
		for _, list := range f.Pod.Spec.lists() {
			for i := range list {
				if list[i].Name == name {
					fault(ReasonNameTaken, "the pod has a container named %s already: rename it, or set %s: %q on the pod if it is a registrar that you wrote by hand", name, KeyInject, modeFalse)
				}
			}
		}
	}
	for _, v := range f.Pod.Spec.Volumes {
		if v.Name == StateVolume || v.Name == PodInfoVolume {
			fault(ReasonNameTaken, "the pod has a volume named %s already: rename it", v.Name)
		}
	}
	return faults
}
