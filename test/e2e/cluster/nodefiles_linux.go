// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/node/config"
)

// PauseImage is the image of the process that holds a pod's namespaces.
const PauseImage = "registry.k8s.io/pause:3.10"

// kubeletConfig turns off what a node, whose file systems are in memory, cannot
// or need not do.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow} # nobody but the control plane gets here
cgroupDriver: cgroupfs
clusterDNS: [10.96.0.10] # nobody is there, and nobody should ask
containerRuntimeEndpoint: unix://` + config.ContainerdSocket + `
enforceNodeAllocatable: ["none"]
evictionHard: {memory.available: "0%", nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%"}
failSwapOn: false
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
makeIPTablesUtilChains: false
nodeStatusUpdateFrequency: 5s
resolvConf: ""
serializeImagePulls: false
volumePluginDir: /var/lib/kubelet/plugins
`

// containerdConfig is for the programs in a directory. A native node may not be
// allowed to protect its processes from the kernel's OOM killer.
func containerdConfig(programs string, native bool) string {
	return strings.NewReplacer("PAUSE", PauseImage, "SOCKET", config.ContainerdSocket, "NETWORKS", config.Networks,
		"PROGRAMS", programs, "NATIVE", strconv.FormatBool(native)).Replace(`version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.differ.v1.erofs", "io.containerd.internal.v1.tracing", "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.native", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "SOCKET"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "PAUSE"
[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = true
  enable_selinux = false
  restrict_oom_score_adj = NATIVE
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        BinaryName = "PROGRAMS/runc"
        SystemdCgroup = false
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["PROGRAMS/cni"]
    conf_dir = "NETWORKS"
`)
}

// The names of files beside the CNI configuration.
const (
	multusFile       = "00-multus.conf"
	multusKubeconfig = "multus.kubeconfig"
	whereaboutsFile  = "whereabouts.d/whereabouts.conf"
)

// object is JSON that is made, not read.
type object = map[string]any

// podRange is what the prefixes that are delegated to the worker's primary ENI
// make together: the topology has them side by side. The bridge has one address
// as the gateway of all pods; with a range for each prefix it would need
// another one when the first prefix is used up, and refuse.
func (w *worker) podRange() (netip.Prefix, error) {
	for _, t := range w.cluster.sim.VPC.Topology().Workers {
		if t.Name == w.name {
			return join(t.ENIs[0].Prefixes)
		}
	}
	return netip.Prefix{}, fmt.Errorf("the topology has no worker %s", w.name)
}

// join makes one prefix of those that fill it.
func join(prefixes []netip.Prefix) (netip.Prefix, error) {
	if len(prefixes) == 0 {
		return netip.Prefix{}, errors.New("no prefixes are delegated to the primary ENI")
	}
	length := prefixes[0].Bits() - bits.TrailingZeros(uint(len(prefixes)))
	all := netip.PrefixFrom(prefixes[0].Addr(), length).Masked()
	seen := map[netip.Prefix]bool{}
	for _, p := range prefixes {
		if p.Bits() != prefixes[0].Bits() || !all.Overlaps(p) || seen[p] {
			return netip.Prefix{}, fmt.Errorf("the delegated prefixes %v are not one range", prefixes)
		}
		seen[p] = true
	}
	return all, nil
}

// networkFiles are Multus' configuration, with eth0's as its inline delegate,
// and whereabouts' own.
//
// Multus 4.2.4 loses fields of a delegate that clusterNetwork names by its
// path: then ADD works and DEL fails forever.
func networkFiles(pods netip.Prefix, programs string) (map[string]string, error) {
	eth0 := object{
		"cniVersion": "1.0.0", "name": "vpc", "plugins": []object{{
			"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
			"ipam": object{"type": "host-local", "ranges": [][]object{{{"subnet": pods}}}, "routes": []object{{"dst": "0.0.0.0/0"}}},
		}},
	}
	multus := object{
		"cniVersion": "1.0.0", "name": "multus-cni-network", "type": "multus", "binDir": filepath.Join(programs, "cni"),
		"kubeconfig": filepath.Join(config.Networks, multusKubeconfig), "cniDir": "/var/lib/cni/multus",
		"logFile": filepath.Join(config.Share, "multus.log"), "logLevel": "verbose", "delegates": []object{eth0},
	}
	whereabouts := object{
		"datastore": "kubernetes", "kubernetes": object{"kubeconfig": filepath.Join(config.Networks, multusKubeconfig)},
		"log_file": filepath.Join(config.Share, "whereabouts.log"), "log_level": "verbose",
	}
	files := map[string]string{}
	for name, o := range map[string]object{multusFile: multus, whereaboutsFile: whereabouts} {
		text, err := json.MarshalIndent(o, "", "  ")
		if err != nil {
			return nil, err
		}
		files[name] = string(text)
	}
	return files, nil
}
