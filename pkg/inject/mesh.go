// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"fmt"
	"slices"
	"strings"
)

// A mesh is what injection knows of a service mesh that sends a pod's outgoing
// connections through a proxy, with them the registrar's to EC2.
type mesh struct {
	// proxy is its container; redirect is the init container that sets the
	// redirection up; check is the one that is there instead where the mesh's
	// CNI plugin has set it up before any container starts.
	proxy, redirect, check string
	// exclude is the annotation whose ports go past the proxy.
	exclude string
}

// Source: istio/istio manifests/charts/istio-control/istio-discovery/files,
// linkerd/linkerd2 charts/partials/templates.
func meshes() [2]mesh {
	return [2]mesh{
		{"istio-proxy", "istio-init", "istio-validation", "traffic.sidecar.istio.io/excludeOutboundPorts"},
		{"linkerd-proxy", "linkerd-init", "linkerd-network-validator", "config.linkerd.io/skip-outbound-ports"},
	}
}

// place is where the container goes among the init containers: first, so that
// every other one has its addresses routed. Only a mesh's proxy that is a native
// sidecar itself stays before it. The kubelet starts sidecars in their order and
// ends them in the reverse order, so the proxy is up whenever the registrar
// speaks to EC2: also at the end, when it gives the addresses back, and where a
// CNI plugin redirects from the beginning.
// Source: Kubernetes, "Sidecar Containers"; kubelet, terminationOrdering.
func (s *Spec) place() int {
	for i := len(s.InitContainers) - 1; i >= 0; i-- {
		c := &s.InitContainers[i]
		if c.RestartPolicy != "Always" {
			continue
		}
		for _, m := range meshes() {
			if c.Name == m.proxy {
				return i + 1
			}
		}
	}
	return 0
}

// meshWarning says where the mesh's proxy, as a plain container, is not up when
// the registrar needs EC2: at its start behind a CNI plugin, and at the pod's
// end, where plain containers end before native sidecars. None is the zero value.
func (d *Decision) meshWarning(p *Pod) Finding {
	for _, m := range meshes() {
		if !has(p.Spec.Containers, m.proxy) || passes443(p.Metadata.Annotations[m.exclude]) {
			continue
		}
		cure := fmt.Sprintf("make it a native sidecar, or set %s: \"443\"", m.exclude)
		switch {
		case has(p.Spec.InitContainers, m.check):
			return Finding{ReasonMeshNotUp, fmt.Sprintf("%s starts after the init containers and its CNI plugin already redirects: the registrar cannot reach EC2; %s", m.proxy, cure)}
		case d.Native && d.Settings.Release != "never" && has(p.Spec.InitContainers, m.redirect):
			return Finding{ReasonMeshEndsFirst, fmt.Sprintf("%s ends before the registrar, which cannot release addresses then; %s", m.proxy, cure)}
		}
	}
	return Finding{}
}

func has(list []Container, name string) bool {
	return slices.ContainsFunc(list, func(c Container) bool { return c.Name == name })
}

func passes443(ports string) bool {
	for port := range strings.SplitSeq(ports, ",") {
		if port = strings.TrimSpace(port); port == "443" || port == "*" {
			return true
		}
	}
	return false
}
