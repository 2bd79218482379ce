// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e tells stories of the product on real Kubernetes nodes: the chart
// installed by Helm, pods admitted, injected, started and routed, with Multus,
// ipvlan and the embedded VPC. "make e2e" runs them; the build tag e2e keeps
// them out of other tests.
//
// A story is a test in a file of its own. It has a namespace, in which it
// applies manifests as a user would, and looks at what pods, nodes and EC2 do.
// Stories run one after the other on the same cluster and leave nothing to each
// other.
package e2e
