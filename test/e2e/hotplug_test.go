// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An ENI is attached to a running worker, and a network to a running pod: the
// sidecar finds the new interface in the kernel and has it routed, and takes
// what it had back when it goes.
func TestHotPluggedNetworkIsRouted(t *testing.T) {
	s := tell(t)
	const four, six = "10.0.6.98", "2001:db8:0:6::98"
	s.say("%s starts without the ENI of n6", worker1)
	worker1.run(t, "ip", "link", "set", "ens8", "down")
	control(t, http.MethodPost, worker1.path("unplug/w1-n6"), nil, nil)
	plugged := false
	plug := func() {
		if !plugged {
			plugged = true
			control(t, http.MethodPost, worker1.path("plug/w1-n6"), nil, nil)
		}
	}
	t.Cleanup(plug)
	s.apply(staticN3 + network{name: "n6", master: "ens8"}.manifest() +
		pods(pod{name: "running", worker: worker1, inject: "sidecar", addresses: []string{"10.0.3.89/24"}}) +
		attached("peer", worker2, `k8s.v1.cni.cncf.io/networks: '[{"name":"n6","ips":["10.0.6.97/24","2001:db8:0:6::97/64"]}]'`,
			"multus-ip-registrar.io/inject: sidecar"))
	s.running("running", "peer")

	s.say("the ENI is attached")
	plug()
	until(t, podPatience, func() error {
		if out := worker1.run(t, "sh", "-c", "ip -brief link show ens8 2>&1 || true"); !strings.Contains(out, "LOWER_UP") {
			return fmt.Errorf("ens8 of %s is not up: %s", worker1, out)
		}
		return nil
	})
	// Multus by itself attaches networks to new pods only. Its dynamic networks
	// controller calls the plugin, as here.
	s.say("and its network to the running pod, as net2")
	forgetCalls(t)
	s.plugin(worker1, "ADD", "10.0.3.89", "net2", "ens8", four+"/24", six+"/64")
	s.owned(four, "w1-n6")
	s.owned(six, "w1-n6")
	s.reaches("peer", four, true)
	s.reaches("peer", six, true)
	// What comes late may float: it is looked at twice, that no rival has it.
	if got := calls(t, "Assign*"); len(got) != 2 {
		t.Errorf("%d calls assign, want 2: %v", len(got), got)
	}

	s.say("the network is detached")
	s.plugin(worker1, "DEL", "10.0.3.89", "net2", "ens8", four+"/24", six+"/64")
	s.owned(four, "")
	s.owned(six, "")
	if got := owner(t, "10.0.3.89"); got != "w1-n3" {
		t.Errorf("EC2 has the address of net1 on ENI %q, want w1-n3", got)
	}
}

// plugin calls the ipvlan plugin as a container runtime would, for the pod that
// has an address.
func (s *story) plugin(w worker, command, of, device, master string, addresses ...string) {
	s.Helper()
	programs := filepath.Dir(os.Getenv(kubectlEnv))
	var quoted []string
	for _, a := range addresses {
		quoted = append(quoted, fmt.Sprintf(`{"address":%q}`, a))
	}
	config := fmt.Sprintf(`{"cniVersion":"1.0.0","name":"late","type":"ipvlan","mode":"l2","master":%q,"ipam":{"type":"static","addresses":[%s]}}`,
		master, strings.Join(quoted, ","))
	script := fmt.Sprintf(`
for n in /run/netns/*; do
  nsenter --net=$n ip -4 -o address | grep -qF ' %s/' || continue
  export CNI_COMMAND=%s CNI_CONTAINERID=late CNI_NETNS=$n CNI_IFNAME=%s CNI_PATH=%s/cni
  echo '%s' | $CNI_PATH/ipvlan
  exit
done
echo no pod has %[1]s; exit 1`, of, command, device, programs, config)
	s.say("%s: %s", command, strings.Join(strings.Fields(w.run(s.T, "sh", "-c", script)), " "))
}
