# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Builds programs of others from the Go module proxy into the user's cache, for
# the scripts that need them. To be sourced: they set dir, the place of the
# programs, and call prepare first.
# shellcheck shell=bash
# shellcheck disable=SC2154 # dir

kubernetes=1.36.3

cache=${XDG_CACHE_HOME:-$HOME/.cache}/multus-ip-registrar
say() { echo "$*" >&2; }

# prepare: makes dir, and scratch, which goes when the script ends.
prepare() {
  mkdir -p "$dir"
  scratch=$(mktemp -d "$cache/.build.XXXXXX")
  trap 'chmod -R u+w "$scratch" && rm -rf "$scratch"' EXIT
}

# install_program NAME FILE: at once or not at all, whoever else does the same.
install_program() {
  chmod 755 "$2" && mv -f "$2" "$dir/$1"
}

# module_dir MODULE VERSION: where the module's files are.
module_dir() {
  go mod download -json "$1@$2" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

# enter_module MODULE VERSION: goes to a new module that requires this one and
# has its very dependencies. The directories beside it to which its go.mod may
# point are modules of their own in the module proxy.
enter_module() {
  local from
  from=$(module_dir "$1" "$2")
  cd "$(mktemp -d "$scratch/module.XXXXXX")" || return
  sed -e 's|^module .*|module scratch|' \
    -e "s|=> \./staging/src/\(k8s\.io/[^ ]*\)|=> \1 v0.${kubernetes#*.}|" -e '/=> \.\.\?\//d' "$from/go.mod" >go.mod
  cat "$from/go.sum" >go.sum
  go mod edit -require "$1@$2"
}

# build PROGRAM PACKAGE VERSION [LDFLAGS [GO BUILD'S ARGUMENTS...]]: in the
# module that is the current directory.
build() {
  local program=$1 package=$2 version=$3 ldflags=${4:-}
  shift $(($# < 4 ? $# : 4))
  say "building $program $version"
  CGO_ENABLED=${CGO_ENABLED:-0} GOWORK=off nice -n 5 \
    go build -mod=mod -trimpath -ldflags "-s -w $ldflags" "$@" -o "$scratch/program" "$package" >&2
  install_program "$program" "$scratch/program"
}

# build_kubernetes PROGRAM: in the module k8s.io/kubernetes.
build_kubernetes() {
  local version=k8s.io/component-base/version minor=${kubernetes#1.}
  build "$1" "k8s.io/kubernetes/cmd/$1" "v$kubernetes" \
    "-X $version.gitVersion=v$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=${minor%.*}"
}
