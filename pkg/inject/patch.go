// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// An Operation is one of RFC 6902. Only "add" is used: on a member that is not
// there, or to put an element into a list.
type Operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// Patch is what a decision does to the pod: nothing unless it injects or
// repairs. It is pure, and the pod is the one of the decision.
func Patch(p *Pod, d Decision, def Defaults) ([]Operation, error) {
	switch d.Outcome {
	case OutcomeRepaired:
		return []Operation{add("/spec/initContainers/"+strconv.Itoa(d.Index)+"/restartPolicy", corev1.ContainerRestartPolicyAlways)}, nil
	case OutcomeInjected:
	default:
		return nil, nil
	}
	status, err := d.status(def)
	if err != nil {
		return nil, err
	}
	ops := make([]Operation, 0, 5)
	ops = append(ops, annotate(p, KeyStatus, status))
	ops = append(ops, addVolumes(len(p.Spec.Volumes) > 0)...)
	ops = append(ops, insert("/spec/initContainers", len(p.Spec.InitContainers), d.Index, d.initContainer(p, def)))
	if d.Mode == ModeSidecar && !d.Native {
		plain := d.container(ContainerName, commandSidecar, def, p.Spec.TerminationGracePeriodSeconds)
		ops = append(ops, insert("/spec/containers", len(p.Spec.Containers), len(p.Spec.Containers), plain))
	}
	return ops, nil
}

// initContainer is the one that every mode has.
func (d Decision) initContainer(p *Pod, def Defaults) corev1.Container {
	switch {
	case d.Native:
		c := d.container(ContainerName, commandSidecar, def, p.Spec.TerminationGracePeriodSeconds)
		always := corev1.ContainerRestartPolicyAlways
		c.RestartPolicy, c.StartupProbe = &always, gate()
		return c
	case d.Mode == ModeSidecar:
		return d.container(InitContainerName, commandInit, def, nil)
	}
	return d.container(ContainerName, commandInit, def, nil)
}

func add(path string, value any) Operation { return Operation{"add", path, value} }

// annotate sets an annotation, with the map where there is none.
func annotate(p *Pod, key, value string) Operation {
	if len(p.Metadata.Annotations) == 0 {
		return add("/metadata/annotations", map[string]string{key: value})
	}
	return add("/metadata/annotations/"+pointer(key), value)
}

// insert puts an element into a list of n at a place, with the list where there
// is none or an empty one.
func insert(path string, n, at int, value any) Operation {
	switch n {
	case 0:
		return add(path, []any{value})
	case at:
		return add(path+"/-", value)
	}
	return add(path+"/"+strconv.Itoa(at), value)
}

func addVolumes(some bool) []Operation {
	size := resource.MustParse(stateSize)
	// Memory: nothing of it should outlive the pod or touch a disk, and the
	// cluster autoscaler lets such pods move.
	state := corev1.Volume{Name: StateVolume, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: &size}}}
	info := corev1.Volume{Name: PodInfoVolume, VolumeSource: corev1.VolumeSource{
		DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{{
			Path:     annotationsPath,
			FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.annotations"},
		}}}}}
	if !some {
		return []Operation{add("/spec/volumes", []any{state, info})}
	}
	return []Operation{add("/spec/volumes/-", state), add("/spec/volumes/-", info)}
}

// pointer escapes a key for a JSON pointer. Source: RFC 6901.
func pointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
