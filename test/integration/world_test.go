// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
)

// world is the VPC of all tests, without its pods: two workers with ENIs in the
// subnets sig and media. Worker w1 has more: a second ENI in sig, a third
// subnet, and w1-managed, which lacks the tag.
const world = `
vpc: {cidrs: [10.0.0.0/16, "2001:db8::/56"]}
subnets:
- {name: node, cidr: 10.0.0.0/24}
- {name: sig, cidr: 10.0.1.0/24, ipv6: "2001:db8:0:1::/64"}
- {name: media, cidr: 10.0.2.0/24, ipv6: "2001:db8:0:2::/64"}
- {name: oam, cidr: 10.0.3.0/24, ipv6: "2001:db8:0:3::/64"}
workers:
- name: w1
  pod-cidr: 100.64.1.0/24
  type: m5.4xlarge
  enis:
  - {name: w1-node, index: 0, subnet: node, ip: 10.0.0.11}
  - {name: w1-sig, index: 1, subnet: sig, ip: 10.0.1.11, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
  - {name: w1-media, index: 2, subnet: media, ip: 10.0.2.11, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
  - {name: w1-oam, index: 3, subnet: oam, ip: 10.0.3.11, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
  - {name: w1-sig2, index: 4, subnet: sig, ip: 10.0.1.13, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
  - {name: w1-managed, index: 5, subnet: oam, ip: 10.0.3.13}
- name: w2
  pod-cidr: 100.64.2.0/24
  type: m5.4xlarge
  enis:
  - {name: w2-node, index: 0, subnet: node, ip: 10.0.0.12}
  - {name: w2-sig, index: 1, subnet: sig, ip: 10.0.1.12, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
  - {name: w2-media, index: 2, subnet: media, ip: 10.0.2.12, tags: {node.k8s.amazonaws.com/no_manage: "true"}}
pods:
`

// Pods, in the form of podYAML. upf and standby are a pair on two workers that
// floating addresses move between; client talks to them.
const (
	upf     = "upf w1 net1=w1-sig,10.0.1.100/24,2001:db8:0:1::100/64"
	standby = "standby w2 net1=w2-sig,10.0.1.101/24,2001:db8:0:1::101/64"
	client  = "client w2 net1=w2-media,10.0.2.110/24,2001:db8:0:2::110/64"
	plain   = "plain w1"

	floating4 = "10.0.1.200"
	floating6 = "2001:db8:0:1::200"
)

// podYAML makes an entry of the topology from "POD WORKER NET=ENI,ADDRESS,… …".
func podYAML(pod string) string {
	words := strings.Fields(pod)
	var nets []string
	for _, word := range words[2:] {
		net, rest, _ := strings.Cut(word, "=")
		eni, addresses, _ := strings.Cut(rest, ",")
		if addresses != "" {
			addresses = `"` + strings.ReplaceAll(addresses, ",", `", "`) + `"`
		}
		nets = append(nets, fmt.Sprintf("{name: %s, eni: %s, addresses: [%s]}", net, eni, addresses))
	}
	return fmt.Sprintf("- {name: %s, worker: %s, interfaces: [%s]}\n", words[0], words[1], strings.Join(nets, ", "))
}
