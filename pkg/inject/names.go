// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

// What is added to a pod. The names are part of the contract: people give them
// to kubectl logs -c and kubectl exec -c.
const (
	// ContainerName is the registrar's container: the init container, the
	// native sidecar, or on old clusters the plain sidecar.
	ContainerName = "multus-ip-registrar"
	// InitContainerName is the init container beside a plain sidecar.
	InitContainerName = "multus-ip-registrar-init"
	// StateVolume is the emptyDir of the registrar's state.
	StateVolume = "multus-ip-registrar-state"
	// PodInfoVolume is the downward API volume with the pod's annotations.
	PodInfoVolume = "multus-ip-registrar-podinfo"
)

// Where things are in the container.
const (
	// Binary is the registrar in its image.
	Binary = "/registrar"
	// StateDir is where StateVolume is mounted: the registrar's default.
	StateDir = "/run/multus-ip-registrar"
	// PodInfoDir is where PodInfoVolume is mounted, read-only.
	PodInfoDir = "/etc/multus-ip-registrar/podinfo"
	// AnnotationsFile has the pod's annotations, one key="value" a line. The
	// kubelet replaces it as a whole when they change; follow the directory's
	// ..data link. Source: Kubernetes, "Downward API".
	AnnotationsFile = PodInfoDir + "/" + annotationsPath
	annotationsPath = "annotations"
)

// UID is the user and group that the registrar runs as, "nonroot" of the usual
// minimal images.
const UID = 65532

// stateSize bounds the state volume: a record is some 300 bytes, and a file is
// written beside the old one.
const stateSize = "4Mi"

// containerNames are the names that injection takes.
func containerNames(plain bool) []string {
	if plain {
		return []string{ContainerName, InitContainerName}
	}
	return []string{ContainerName}
}
