// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// staticN3 is the network n3 of examples/multus, on ens6 of each worker, with
// addresses that pods name.
var staticN3 = n3(`{"type": "ipvlan", "mode": "l2", "master": "ens6", "capabilities": {"ips": true}, "ipam": {"type": "static"}}`)

// n3 is the network n3 by a plugin.
func n3(plugin string) string {
	return `
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: n3}
spec:
  config: |
    {
      "cniVersion": "1.0.0",
      "name": "n3",
      "plugins": [
        ` + plugin + `
      ]
    }
---
`
}

// A pod has net1 in network n3.
type pod struct {
	name   string
	worker worker
	// inject is "init", "sidecar" or "" for neither.
	inject string
	// addresses of net1, with prefix lengths.
	addresses []string
	// script is the application's, reportStart() by default.
	script string
	// capabilities of the application beside the usual ones, such as NET_ADMIN.
	capabilities []string
}

// manifest is the pod's, to be joined with others.
func (p pod) manifest() string {
	networks, err := json.Marshal([]map[string]any{{"name": "n3", "interface": "net1", "ips": p.addresses}})
	if err != nil {
		panic(err) // texts can always be written as JSON
	}
	annotations := fmt.Sprintf("k8s.v1.cni.cncf.io/networks: '%s'", networks)
	if p.inject != "" {
		annotations += "\n    multus-ip-registrar.io/inject: " + p.inject
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata:
  name: %s
  labels: {story: ""}
  annotations:
    %s
spec:
  nodeName: %s
  terminationGracePeriodSeconds: 30
  containers:
  - name: %s
    image: busybox:1.37
    command: [sh, -c, %q]
    securityContext: {capabilities: {add: [%s]}}
---
`, p.name, annotations, p.worker, application, cmp.Or(p.script, reportStart()), strings.Join(p.capabilities, ", "))
}

// pods are manifests of all of them.
func pods(all ...pod) string {
	var b strings.Builder
	for _, p := range all {
		b.WriteString(p.manifest())
	}
	return b.String()
}
