#!/usr/bin/env bash
# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Makes kube-apiserver and etcd available, for tests, and prints their paths:
# kube-apiserver of the newest Kubernetes, etcd, and kube-apiserver of the oldest
# that the chart supports. They lie outside of the checkout. Where all are there
# it says nothing else and asks nobody. Each kube-apiserver is, in this order,
#
#   in the directory that KUBEBUILDER_ASSETS names (the newest, and etcd)
#   what setup-envtest downloads, where it can
#   built from the Go module proxy: some 5 minutes on two cores, once
#
#   scripts/apiserver.sh
#   DEPS=0 scripts/apiserver.sh          fetches and builds nothing, names the command instead
#   ENVTEST_INDEX=URL scripts/apiserver.sh   of a mirror; none: build
set -euo pipefail
# shellcheck source=scripts/build.bash
source "$(dirname "$0")/build.bash"

newest=$kubernetes
oldest=1.28.15 # kubeVersion of the chart
etcd=3.7.3
envtest=v0.25.1 # setup-envtest

# minor VERSION: 1.36 of 1.36.3.
minor() { echo "${1%.*}"; }

# built VERSION, fetched VERSION: the directory where each way puts a kube-apiserver;
# with the newest is etcd.
built() {
  case $1 in
    "$newest") echo "$cache/apiserver-$1-etcd-$etcd" ;;
    *) echo "$cache/apiserver-$1" ;;
  esac
}
fetched() { echo "$cache/envtest-$(minor "$1")"; }

# whole DIRECTORY VERSION: whether all is there.
whole() { [[ -x $1/kube-apiserver && ($2 != "$newest" || -x $1/etcd) ]]; }

# place VERSION: prints the directory that has it.
place() {
  local dir
  [[ $1 != "$newest" || -z ${KUBEBUILDER_ASSETS:-} ]] || {
    echo "$KUBEBUILDER_ASSETS"
    return
  }
  for dir in "$(built "$1")" "$(fetched "$1")"; do
    whole "$dir" "$1" && echo "$dir" && return
  done
  return 1
}

# fetch VERSION: whichever patch of its minor version there is. setup-envtest checks
# the archive's hash; where it has no way to the index it fails at once.
fetch() {
  local index=() from dir
  [[ ${ENVTEST_INDEX:-} != none ]] || return
  [[ -z ${ENVTEST_INDEX:-} ]] || index=(--index "$ENVTEST_INDEX")
  dir=$(fetched "$1")
  from=$(cd "$scratch" && GOFLAGS='' GOWORK=off timeout 300 go run \
    "sigs.k8s.io/controller-runtime/tools/setup-envtest@$envtest" use "$(minor "$1").x" \
    --bin-dir "$scratch/envtest" -p path "${index[@]}" 2>"$scratch/envtest.log") &&
    [[ -x $from/kube-apiserver && -x $from/etcd ]] || return
  mkdir -p "$dir"
  chmod -R u+w "$from"
  [[ $1 != "$newest" ]] || install_program etcd "$from/etcd"
  install_program kube-apiserver "$from/kube-apiserver"
}

build_etcd() {
  local dir
  dir=$(built "$newest")
  mkdir -p "$dir"
  enter_module go.etcd.io/etcd/server/v3 "v$etcd"
  build etcd go.etcd.io/etcd/server/v3 "v$etcd"
}

build_apiserver() {
  local kubernetes=$1 dir
  dir=$(built "$1")
  mkdir -p "$dir"
  enter_module k8s.io/kubernetes "v$1"
  say "some 5 minutes on two cores:"
  build_kubernetes kube-apiserver
}

if [[ -n ${KUBEBUILDER_ASSETS:-} ]] && ! whole "$KUBEBUILDER_ASSETS" "$newest"; then
  say "KUBEBUILDER_ASSETS names $KUBEBUILDER_ASSETS, which has no kube-apiserver or no etcd: correct it or unset it"
  exit 1
fi
missing=()
for version in "$newest" "$oldest"; do
  place "$version" >/dev/null || missing+=("$version")
done
if [[ ${#missing[@]} -gt 0 ]]; then
  say "missing: kube-apiserver ${missing[*]} and etcd, real API servers for the tests, in $cache"
  if [[ ${DEPS:-1} == 0 ]]; then
    say "DEPS=0 forbids to fetch or build them; to do it, run:"
    say "  scripts/apiserver.sh"
    exit 1
  fi
  dir=$cache
  prepare
  for version in "${missing[@]}"; do
    if fetch "$version"; then
      say "fetched kube-apiserver $(minor "$version") by setup-envtest"
      continue
    fi
    say "setup-envtest has nothing here: $(tail -n 1 "$scratch/envtest.log" 2>/dev/null || true)"
    [[ $version != "$newest" || -x $(built "$newest")/etcd ]] || (build_etcd)
    [[ -x $(built "$version")/kube-apiserver ]] || (build_apiserver "$version")
  done
fi
echo "$(place "$newest")/kube-apiserver"
echo "$(place "$newest")/etcd"
echo "$(place "$oldest")/kube-apiserver"
