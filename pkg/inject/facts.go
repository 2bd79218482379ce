// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import corev1 "k8s.io/api/core/v1"

// Facts are all that a decision stands on.
type Facts struct {
	// Pod is the pod to decide about.
	Pod *Pod
	// Namespace is where it will be.
	Namespace string
	// NamespaceInject is the namespace's label KeyInject; empty for none.
	NamespaceInject string
	// Selections are the networks that the pod attaches to.
	Selections []Selection
	// NetworksError is why its Multus annotation could not be read.
	NetworksError error
	// Networks are what is known of the Selections, one for each.
	Networks []Network
	// NativeSidecars says that the cluster has init containers with
	// restartPolicy Always: Kubernetes 1.29 and later.
	NativeSidecars bool
}

// An Outcome is what becomes of a pod.
type Outcome string

// The outcomes.
const (
	// OutcomeInjected: the patch adds the registrar.
	OutcomeInjected Outcome = "injected"
	// OutcomeRepaired: the patch mends an injected container.
	OutcomeRepaired Outcome = "repaired"
	// OutcomeSkipped: the pod is left as it is.
	OutcomeSkipped Outcome = "skipped"
	// OutcomeRefused: the pod is not admitted.
	OutcomeRefused Outcome = "refused"
	// OutcomeFailed: there is no decision.
	OutcomeFailed Outcome = "failed"
)

// A Decision is what becomes of a pod, and why.
type Decision struct {
	Outcome Outcome
	// Reason is the first or only reason, and Message its sentence.
	Reason  Reason
	Message string
	// Faults are all the reasons to refuse.
	Faults []Finding
	// Warnings are shown to who made the pod.
	Warnings []Finding

	// Mode, Source and Settings are what was asked, and by whom: "pod",
	// "network ns/name" or "namespace ns".
	Mode     Mode
	Source   string
	Settings Settings
	// Selections are the networks that the pod attaches to.
	Selections []Selection
	// Native says that the sidecar is a native one.
	Native bool
	// Index is the place among the init containers: of the one to add, or of
	// the one to mend.
	Index int
	// Guaranteed says that the pod has the class Guaranteed, and keeps it.
	Guaranteed bool
	// Shared are the resources that the pod has as a whole: the container asks
	// for none of them.
	Shared []corev1.ResourceName
}
