// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"errors"
	"fmt"

	"sigs.k8s.io/json"
)

// A Pod is what injection looks at of a pod, with the names of the Kubernetes
// API. The raw pod stays with the API server, and only the patch goes there.
type Pod struct {
	Metadata *Metadata `json:"metadata"`
	Spec     *Spec     `json:"spec"`
}

// Metadata is what injection looks at of a pod's metadata.
type Metadata struct {
	Name            string            `json:"name"`
	GenerateName    string            `json:"generateName"`
	Annotations     map[string]string `json:"annotations"`
	OwnerReferences []Owner           `json:"ownerReferences"`
}

// An Owner is what made the pod.
type Owner struct {
	Kind string `json:"kind"`
}

// Spec is what injection looks at of a pod's spec.
type Spec struct {
	InitContainers                []Container       `json:"initContainers"`
	Containers                    []Container       `json:"containers"`
	EphemeralContainers           []Container       `json:"ephemeralContainers"`
	Volumes                       []Volume          `json:"volumes"`
	HostNetwork                   bool              `json:"hostNetwork"`
	RestartPolicy                 string            `json:"restartPolicy"`
	TerminationGracePeriodSeconds *int64            `json:"terminationGracePeriodSeconds"`
	OS                            *OS               `json:"os"`
	NodeSelector                  map[string]string `json:"nodeSelector"`
	Resources                     *Requirements     `json:"resources"`
}

// OS is the operating system that a pod names.
type OS struct {
	Name string `json:"name"`
}

// A Volume is the name of one.
type Volume struct {
	Name string `json:"name"`
}

// A Container is what injection looks at of a container.
type Container struct {
	Name          string       `json:"name"`
	RestartPolicy string       `json:"restartPolicy"`
	Resources     Requirements `json:"resources"`
}

// Requirements are a container's or a pod's resources.
type Requirements struct {
	Limits   map[string]amount `json:"limits"`
	Requests map[string]amount `json:"requests"`
}

// ParsePod reads a raw pod. Fields that it does not know are passed over.
// Names are compared exactly, as the API server does.
func ParsePod(raw []byte) (*Pod, error) {
	p := &Pod{}
	if err := json.UnmarshalCaseSensitivePreserveInts(raw, p); err != nil {
		return nil, fmt.Errorf("parse the pod: %w", err)
	}
	if p.Spec == nil || p.Metadata == nil {
		return nil, errors.New("parse the pod: it has no metadata or no spec")
	}
	return p, nil
}

// windows says whether the pod is for Windows workers: by its own word, or by
// the node selector that was its only way to say so before.
func (p *Pod) windows() bool {
	return p.Spec.OS != nil && p.Spec.OS.Name == "windows" || p.Spec.NodeSelector["kubernetes.io/os"] == "windows"
}

// mirrorKey marks the API's image of a static pod.
// Source: k8s.io/api core/v1, MirrorPodAnnotationKey.
const mirrorKey = "kubernetes.io/config.mirror"

func (p *Pod) mirror() bool {
	_, ok := p.Metadata.Annotations[mirrorKey]
	return ok
}

// ends says whether the pod is meant to come to an end by itself, as a Job's:
// a container that never ends would hold it up for ever.
func (p *Pod) ends() bool {
	if p.Spec.RestartPolicy == "Never" || p.Spec.RestartPolicy == "OnFailure" {
		return true
	}
	for _, o := range p.Metadata.OwnerReferences {
		if o.Kind == "Job" {
			return true
		}
	}
	return false
}

// lists are the containers of every kind.
func (s *Spec) lists() [3][]Container {
	return [3][]Container{s.InitContainers, s.Containers, s.EphemeralContainers}
}
