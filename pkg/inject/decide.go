// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"fmt"
	"strings"
)

// Decide says what becomes of a pod. It is pure.
//
// The order matters. A mirror pod runs whatever is said, so it is never refused;
// an injected pod is never judged again, so that a second call of this webhook,
// or of a newer one, changes nothing. Everything else with a fault is refused,
// with all its faults, since who mends a manifest should do it in one go.
func Decide(f Facts) Decision {
	if f.Pod.mirror() {
		return skip(ReasonMirrorPod, "it is the image of a static pod, which the kubelet runs as it is")
	}
	if d, ok := injectedBefore(f); ok {
		return d
	}
	settings, faults := ParseSettings(f.Pod.Metadata.Annotations)
	mode, source, fault := wanted(f)
	if fault != nil {
		faults = append([]Finding{*fault}, faults...)
	}
	d := Decision{Mode: mode, Source: source, Settings: settings, Selections: f.Selections}
	asked := mode == ModeInit || mode == ModeSidecar
	if asked && !f.Pod.windows() {
		faults = append(faults, d.obstacles(f)...)
	}
	switch {
	case len(faults) > 0:
		d.refuse(faults)
	case mode == "":
		d.skip(ReasonNotRequested, "neither the pod nor a network of it nor its namespace has "+KeyInject)
	case !asked:
		d.skip(ReasonDisabled, fmt.Sprintf("the %s says %s: %q", source, KeyInject, modeFalse))
	case f.Pod.windows():
		d.skip(ReasonWindows, "there is no Multus on Windows")
	case len(f.Selections) == 0:
		d.skip(ReasonNoNetworks, "it has no annotation "+NetworksKey)
	default:
		d.inject(f)
	}
	return d
}

func skip(reason Reason, message string) Decision {
	d := Decision{}
	d.skip(reason, message)
	return d
}

// skip leaves the pod alone. A pod that asked by its own annotation is told why.
func (d *Decision) skip(reason Reason, message string) {
	d.Outcome, d.Reason, d.Message = OutcomeSkipped, reason, "not injected: "+message
	if d.Source == "pod" && reason != ReasonDisabled {
		d.Warnings = append(d.Warnings, Finding{reason, d.Message})
	}
}

func (d *Decision) refuse(faults []Finding) {
	d.Outcome, d.Reason, d.Faults = OutcomeRefused, faults[0].Reason, faults
	sentences := make([]string, len(faults))
	for i, f := range faults {
		sentences[i] = f.Message
	}
	d.Message = strings.Join(sentences, "; ")
}

func (d *Decision) inject(f Facts) {
	d.Outcome, d.Reason = OutcomeInjected, ReasonRequested
	d.Native = d.Mode == ModeSidecar && f.NativeSidecars
	d.Index = f.Pod.Spec.place()
	d.Guaranteed = f.Pod.Spec.guaranteed()
	d.Shared = f.Pod.Spec.shared()
	d.Warnings = d.warnings(f)
	if d.Mode == ModeSidecar && !d.Native && f.Pod.ends() {
		d.Mode = ModeInit
	}
	d.Message = fmt.Sprintf("injected as %s: the %s asks for it", d.Mode, d.Source)
}

// injectedBefore finds a pod that has the container and the status already.
func injectedBefore(f Facts) (Decision, bool) {
	status, ok := f.Pod.Metadata.Annotations[KeyStatus]
	if !ok {
		return Decision{}, false
	}
	for i, c := range f.Pod.Spec.InitContainers {
		if c.Name != ContainerName {
			continue
		}
		if readStatus(status).Native && c.RestartPolicy != "Always" {
			return Decision{Outcome: OutcomeRepaired, Reason: ReasonRestartPolicyLost, Index: i,
				Message: "another webhook took restartPolicy from the injected container: put back"}, true
		}
		return skip(ReasonAlreadyInjected, "the container is there"), true
	}
	if has(f.Pod.Spec.Containers, ContainerName) {
		return skip(ReasonAlreadyInjected, "the container is there"), true
	}
	return Decision{}, false
}
