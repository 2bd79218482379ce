#!/usr/bin/env bash
# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Makes kube-apiserver and etcd available, for tests, and prints their paths.
# Those of setup-envtest are used where KUBEBUILDER_ASSETS names them; else both
# are built from the Go module proxy: 5 minutes on two cores, once. They lie
# outside of the checkout. Where both are there it says nothing else and asks
# nobody.
#
#   scripts/apiserver.sh
#   DEPS=0 scripts/apiserver.sh          builds nothing, names the command instead
#   KUBEBUILDER_ASSETS="$(setup-envtest use -p path 1.36)" scripts/apiserver.sh
set -euo pipefail

kubernetes=1.36.3
etcd=3.7.3

cache=${XDG_CACHE_HOME:-$HOME/.cache}/multus-ip-registrar
dir=${KUBEBUILDER_ASSETS:-$cache/apiserver-$kubernetes-etcd-$etcd}
say() { echo "$*" >&2; }

there() { [[ -x $dir/kube-apiserver && -x $dir/etcd ]]; }
print() {
  echo "$dir/kube-apiserver"
  echo "$dir/etcd"
}

# install_program NAME FILE: at once or not at all, whoever else does the same.
install_program() {
  chmod 755 "$2" && mv -f "$2" "$dir/$1"
}

# build PROGRAM PACKAGE LDFLAGS VERSION: in the module that is the current directory.
build() {
  say "building $1 $4"
  CGO_ENABLED=0 GOWORK=off nice -n 5 go build -mod=mod -trimpath -ldflags "-s -w $3" -o "$scratch/$1" "$2" >&2
  install_program "$1" "$scratch/$1"
}

# module_dir MODULE VERSION: where the module's files are.
module_dir() {
  go mod download -json "$1@$2" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

build_etcd() {
  mkdir "$scratch/etcd.mod" && cd "$scratch/etcd.mod"
  local from
  from=$(module_dir go.etcd.io/etcd/server/v3 "v$etcd")
  sed -e 's|^module .*|module scratch|' -e '/=> \.\.\?\//d' "$from/go.mod" >go.mod
  cat "$from/go.sum" >go.sum
  go mod edit -require "go.etcd.io/etcd/server/v3@v$etcd"
  build etcd go.etcd.io/etcd/server/v3 "" "v$etcd"
}

# The program's go.mod points to its staging directories, which the module
# proxy has as modules of their own.
build_apiserver() {
  mkdir "$scratch/kube.mod" && cd "$scratch/kube.mod"
  local from version=k8s.io/component-base/version
  from=$(module_dir k8s.io/kubernetes "v$kubernetes")
  sed -e 's|^module .*|module scratch|' \
    -e "s|=> \./staging/src/\(k8s\.io/[^ ]*\)|=> \1 v0.${kubernetes#*.}|" "$from/go.mod" >go.mod
  cat "$from/go.sum" >go.sum
  go mod edit -require "k8s.io/kubernetes@v$kubernetes"
  build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver \
    "-X $version.gitVersion=v$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=${kubernetes:2:2}" "v$kubernetes"
}

if there; then
  print
  exit
fi
if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
  say "KUBEBUILDER_ASSETS names $dir, which has no kube-apiserver or no etcd: correct it or unset it"
  exit 1
fi
say "missing: kube-apiserver $kubernetes and etcd $etcd, a real API server for the tests, in $dir"
if [[ ${DEPS:-1} == 0 ]]; then
  say "DEPS=0 forbids to fetch or build them; to do it, run:"
  say "  scripts/apiserver.sh"
  exit 1
fi
mkdir -p "$dir"
scratch=$(mktemp -d "$cache/.apiserver.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

say "building both from source, some 5 minutes on two cores"
[[ -x $dir/etcd ]] || (build_etcd)
[[ -x $dir/kube-apiserver ]] || (build_apiserver)
print
