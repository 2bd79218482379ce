#!/usr/bin/env bash
# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Makes the programs of a Kubernetes node and its control plane available, for
# the end-to-end tests, and prints the directory that has them, with the CNI
# plugins in cni/. They are built from the Go module proxy: 6 minutes on two
# cores, once, and lie outside of the checkout. Where all are there it says
# nothing else and asks nobody. kube-apiserver and etcd: scripts/apiserver.sh.
#
#   scripts/node.sh
#   DEPS=0 scripts/node.sh    builds nothing, names the command instead
set -euo pipefail
# shellcheck source=scripts/build.bash
source "$(dirname "$0")/build.bash"

containerd=2.4.2
runc=1.4.0
plugins=1.9.1
multus=4.2.4
whereabouts=0.8.0

dir=$cache/node-$kubernetes-containerd-$containerd-runc-$runc-cni-$plugins-multus-$multus-whereabouts-$whereabouts

kubernetes_programs=(kubelet kube-controller-manager kube-scheduler kubectl)
containerd_programs=(containerd containerd-shim-runc-v2 ctr)
plugin_paths=(main/bridge main/host-device main/ipvlan main/loopback ipam/host-local ipam/static meta/sbr)
programs=("${kubernetes_programs[@]}" "${containerd_programs[@]}" runc
  "${plugin_paths[@]/#*\//cni/}" cni/multus cni/whereabouts)

there() { [[ -x $dir/$1 ]]; }

missing=()
for program in "${programs[@]}"; do
  there "$program" || missing+=("$program")
done
if [[ ${#missing[@]} == 0 ]]; then
  echo "$dir"
  exit
fi
say "missing: ${missing[*]}, for Kubernetes nodes, in $dir"
if [[ ${DEPS:-1} == 0 ]]; then
  say "DEPS=0 forbids to fetch or build them; to do it, run:"
  say "  scripts/node.sh"
  exit 1
fi
prepare
mkdir -p "$dir/cni"

say "building them from source, some 6 minutes on two cores"

# in_module MODULE VERSION COMMAND PROGRAM...: for those programs that are missing.
in_module() (
  local module=$1 version=$2 command=$3 program entered=
  shift 3
  for program in "$@"; do
    ! there "$program" || continue
    [[ $entered ]] || enter_module "$module" "v$version"
    entered=yes
    $command "$program"
  done
)

build_containerd() {
  build "$1" "github.com/containerd/containerd/v2/cmd/$1" "v$containerd" \
    "-X github.com/containerd/containerd/v2/version.Version=v$containerd"
}

# Without seccomp it runs no pod that asks for the runtime's default profile.
build_runc() {
  CGO_ENABLED=1 build runc github.com/opencontainers/runc "v$runc" \
    "-X main.version=$runc -extldflags -static" -tags "seccomp netgo osusergo"
}

build_plugin() {
  local path
  for path in "${plugin_paths[@]}"; do
    [[ ${path#*/} != "${1#cni/}" ]] || build "$1" "github.com/containernetworking/plugins/plugins/$path" "v$plugins"
  done
}

build_multus() {
  build "$1" gopkg.in/k8snetworkplumbingwg/multus-cni.v4/cmd/multus "v$multus"
}

# Its definitions lie beside its source.
build_whereabouts() {
  local from
  from=$(module_dir github.com/k8snetworkplumbingwg/whereabouts "v$whereabouts")
  cat "$from"/doc/crds/whereabouts.cni.cncf.io_*.yaml >"$scratch/crds"
  chmod 644 "$scratch/crds" && mv -f "$scratch/crds" "$dir/whereabouts-crds.yaml"
  build "$1" github.com/k8snetworkplumbingwg/whereabouts/cmd "v$whereabouts"
}

in_module github.com/containernetworking/plugins "$plugins" build_plugin "${plugin_paths[@]/#*\//cni/}"
in_module github.com/opencontainers/runc "$runc" build_runc runc
in_module github.com/containerd/containerd/v2 "$containerd" build_containerd "${containerd_programs[@]}"
in_module k8s.io/kubernetes "$kubernetes" build_kubernetes "${kubernetes_programs[@]}"
in_module gopkg.in/k8snetworkplumbingwg/multus-cni.v4 "$multus" build_multus cni/multus
in_module github.com/k8snetworkplumbingwg/whereabouts "$whereabouts" build_whereabouts cni/whereabouts
echo "$dir"
