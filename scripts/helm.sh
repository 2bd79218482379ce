#!/usr/bin/env bash
# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Prints the path of a pinned Helm, built from the Go module proxy the first time
# and kept in the user's cache.
#
#   scripts/helm.sh 3|4
set -euo pipefail

case ${1:-} in
  3) version=v3.22.0 ;;
  4) version=v4.3.1 ;;
  *)
    echo "usage: scripts/helm.sh 3|4" >&2
    exit 2
    ;;
esac
dir=${XDG_CACHE_HOME:-$HOME/.cache}/multus-ip-registrar/helm-$version
if [[ ! -x $dir/helm ]]; then
  if [[ ${DEPS:-1} == 0 ]]; then
    echo "missing: Helm $version; DEPS=0 forbids to build it; to do it, run:" >&2
    echo "  scripts/helm.sh $1" >&2
    exit 1
  fi
  echo "building Helm $version, once; this takes minutes" >&2
  mkdir -p "$dir"
  # Built beside its place and moved there: two of these may run at once.
  build=$(mktemp -d "$dir/build.XXXXXX")
  trap 'rm -rf "$build"' EXIT
  # Helm 3 learns the Kubernetes version that it assumes without a cluster from its
  # own Makefile, by these flags; else it is 1.20.
  ldflags="-s -w"
  for at in chartutil lint/rules; do
    ldflags+=" -X helm.sh/helm/v3/pkg/$at.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/$at.k8sVersionMinor=37"
  done
  # Outside of this module, whose go.mod does not concern Helm.
  (cd "$build" && GOBIN=$build GOFLAGS='' CGO_ENABLED=0 go install -trimpath -ldflags "$ldflags" "helm.sh/helm/v$1/cmd/helm@$version") >&2
  mv -f "$build/helm" "$dir/helm"
fi
echo "$dir/helm"
