// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

// A Reason names why a pod was treated as it was. It is the same in the log, the
// metrics, the audit annotation and the documentation, and does not change.
type Reason string

// Why a pod is injected or changed.
const (
	// ReasonRequested: the pod, a network or the namespace asks for it.
	ReasonRequested Reason = "Requested"
	// ReasonRestartPolicyLost: another webhook encoded the pod anew and lost
	// restartPolicy of the injected container; it is put back.
	// Source: kubernetes/kops issue 16802.
	ReasonRestartPolicyLost Reason = "RestartPolicyLost"
)

// Why a pod is left as it is.
const (
	// ReasonNotRequested: nobody asks.
	ReasonNotRequested Reason = "NotRequested"
	// ReasonDisabled: inject is "false".
	ReasonDisabled Reason = "Disabled"
	// ReasonNoNetworks: the pod has no annotation of Multus.
	ReasonNoNetworks Reason = "NoNetworks"
	// ReasonAlreadyInjected: this webhook, or an older one, was here before.
	ReasonAlreadyInjected Reason = "AlreadyInjected"
	// ReasonMirrorPod: the kubelet runs a static pod whatever the API says.
	ReasonMirrorPod Reason = "MirrorPod"
	// ReasonWindows: there is no Multus on Windows.
	ReasonWindows Reason = "Windows"
	// ReasonNotAPodCreation: the API server asked about something else.
	ReasonNotAPodCreation Reason = "NotAPodCreation"
)

// Why a pod is refused.
const (
	// ReasonUnknownAnnotation: a key with the prefix that does not exist.
	ReasonUnknownAnnotation Reason = "UnknownAnnotation"
	// ReasonBadValue: a value that is not allowed.
	ReasonBadValue Reason = "BadValue"
	// ReasonBadNetworks: Multus will not understand its annotation.
	ReasonBadNetworks Reason = "BadNetworks"
	// ReasonHostNetwork: the pod uses its worker's network.
	ReasonHostNetwork Reason = "HostNetwork"
	// ReasonNameTaken: a container or volume has the name of an injected one.
	ReasonNameTaken Reason = "NameTaken"
)

// What is accepted with a warning.
const (
	// ReasonNetworkMissing: a NetworkAttachmentDefinition does not exist.
	ReasonNetworkMissing Reason = "NetworkMissing"
	// ReasonNetworkNotLookedUp: the API server did not say what a network is.
	ReasonNetworkNotLookedUp Reason = "NetworkNotLookedUp"
	// ReasonNetworkDropped: EC2 drops the frames of this type of network.
	ReasonNetworkDropped Reason = "NetworkDropped"
	// ReasonDefaultRouteLost: a network takes the pod's default route, and with it
	// the registrar's way to EC2.
	ReasonDefaultRouteLost Reason = "DefaultRouteLost"
	// ReasonInterfaceUnknown: no network provides a named interface.
	ReasonInterfaceUnknown Reason = "InterfaceUnknown"
	// ReasonInitWithFloatingIPs: nothing follows them after the start.
	ReasonInitWithFloatingIPs Reason = "InitWithFloatingIPs"
	// ReasonRouteTablesAlone: route tables without floating IPs.
	ReasonRouteTablesAlone Reason = "RouteTablesAlone"
	// ReasonJobWithoutNativeSidecars: a plain sidecar would never let it end.
	ReasonJobWithoutNativeSidecars Reason = "JobWithoutNativeSidecars"
	// ReasonMeshEndsFirst: the release at the pod's end finds no way to EC2.
	ReasonMeshEndsFirst Reason = "MeshEndsFirst"
	// ReasonMeshNotUp: the registrar's start finds no way to EC2.
	ReasonMeshNotUp Reason = "MeshNotUp"
)

// Why there is no decision.
const (
	// ReasonMalformed: the request is no review of a pod.
	ReasonMalformed Reason = "Malformed"
	// ReasonClusterUnavailable: the API server did not answer the webhook.
	ReasonClusterUnavailable Reason = "ClusterUnavailable"
	// ReasonBusy: other large reviews took all the memory that there is for them.
	ReasonBusy Reason = "Busy"
)

// A Finding is a reason with its sentence: what is wrong and what cures it.
type Finding struct {
	Reason  Reason
	Message string
}
