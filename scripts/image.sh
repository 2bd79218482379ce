#!/usr/bin/env bash
# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Builds both images for every architecture without a Docker engine, proves
# them, prints their sizes and digests and leaves them as OCI archives in out/.
# Installs buildah where it is missing, after it has said so. Takes root.
#
#   scripts/image.sh
#   DEPS=0 scripts/image.sh            installs nothing, names the command instead
#   BUILDER=NAME scripts/image.sh      builds in this image, which can be pulled
#   BUILDER=local scripts/image.sh     builds in one made from this machine's Go
#   ARCHES="amd64" scripts/image.sh    not arm64
#   ANEW=1 scripts/image.sh            compiles every package anew for the second build
#   VERSION=v1.2.3 REVISION=... SOURCE=... SOURCE_DATE_EPOCH=...   go into the images
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=/dev/null
source <(sed -n 's/^ARG \(BUILDER=\)/default_\1/p' Dockerfile)

programs=(registrar webhook)
user=65532:65532
registrar_limit=15000000 # bytes unpacked, the goal
arches=${ARCHES:-amd64 arm64}
here=$(uname -m)
here=${here/x86_64/amd64} here=${here/aarch64/arm64}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/multus-ip-registrar/image

say() { echo "$*" >&2; }
fail() { say "FAILED: $*" && exit 1; }
has_command() { command -v "$1" >/dev/null; }
# step WHAT: with the time since the start.
step() { say "$(printf '%4ds  %s' "$SECONDS" "$*")"; }

# --- what it takes ---

# is_static PROGRAM: it runs in an image without any library.
is_static() { has_command "$1" && ! ldd "$(command -v "$1")" >/dev/null 2>&1; }

# install_missing PACKAGE TEST... -- WHY
install_missing() {
  local package=$1 why=${!#} test=()
  shift
  while [[ $1 != -- ]]; do test+=("$1") && shift; done
  "${test[@]}" && return
  local install=(install --yes --no-install-recommends "$package")
  say "missing: $package ($why)"
  if [[ ${DEPS:-1} == 0 ]] || ! has_command apt-get; then
    [[ ${DEPS:-1} != 0 ]] || say "DEPS=0 forbids to install packages"
    say "to install what is missing, run:"
    say "  apt-get ${install[*]}"
    exit 1
  fi
  say "installing: $package"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 --quiet)
  "${apt[@]}" "${install[@]}" >&2 ||
    { "${apt[@]}" update >&2 && "${apt[@]}" "${install[@]}" >&2; } || fail "apt-get failed"
}

[[ $EUID == 0 ]] || fail "to build images without an engine takes root: run it with sudo, or use docker buildx (docs/images.md)"
install_missing buildah has_command buildah -- "builds images without an engine"

mkdir -p "$cache/tmp" out
scratch=$(mktemp -d "$cache/run.XXXXXX")
# The caches that the Dockerfile mounts are kept below TMPDIR.
export TMPDIR=$cache/tmp BUILDAH_ISOLATION=chroot
storage=(--root "$scratch/storage" --runroot "$scratch/run")
clean() {
  local root
  for root in "$scratch/storage" "$scratch"/pulled-*; do
    [[ -d $root ]] || continue
    buildah "${storage[@]}" --root "$root" rm --all >/dev/null 2>&1 || true
    umount "$root/overlay" 2>/dev/null || true # a bind mount onto itself
  done
  rm -rf "$scratch"
}
trap clean EXIT

# Not every kernel and file system has overlay; vfs copies instead.
for driver in overlay vfs; do
  storage=(--root "$scratch/storage" --runroot "$scratch/run" --storage-driver "$driver")
  if probe=$(buildah "${storage[@]}" from scratch 2>"$scratch/probe") &&
    buildah "${storage[@]}" mount "$probe" >/dev/null 2>>"$scratch/probe"; then
    buildah "${storage[@]}" rm "$probe" >/dev/null
    break
  fi
  [[ $driver == overlay ]] || fail "buildah has no storage here: $(cat "$scratch/probe")"
  rm -rf "$scratch/storage" "$scratch/run"
done
b() { nice -n 5 buildah "${storage[@]}" "$@"; }

# --- what to build in ---

# The roots of the CA package only: those that were added on this machine are
# nobody else's business.
public_roots() {
  local dir=/usr/share/ca-certificates/mozilla
  if [[ -d $dir ]]; then
    find "$dir" -name '*.crt' | LC_ALL=C sort | xargs cat
  else
    say "no $dir here: the images get all roots that this machine trusts; do not publish them"
    cat /etc/ssl/certs/ca-certificates.crt
  fi
}

# local_builder NAME: an image with Go, a shell and the CA roots.
local_builder() {
  has_command go || fail "no Go here to make a builder from; name one: BUILDER=..."
  install_missing busybox-static is_static busybox -- "the shell in the local builder"
  [[ -e /etc/ssl/certs/ca-certificates.crt ]] ||
    install_missing ca-certificates test -e /etc/ssl/certs/ca-certificates.crt -- "the CA roots of the images"
  local container root applet
  container=$(b from scratch)
  root=$(b mount "$container")
  mkdir -p "$root"/{bin,root,go,etc/ssl/certs,usr/local/go}
  mkdir -m 1777 "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in sh mkdir cp chmod touch find; do ln -s busybox "$root/bin/$applet"; done
  public_roots >"$root/etc/ssl/certs/ca-certificates.crt"
  tar -C "$(go env GOROOT)" -c bin go.env VERSION lib pkg src | tar -C "$root/usr/local/go" -x
  b config --env PATH=/usr/local/go/bin:/bin --env HOME=/root --env GOPATH=/go --env GOTOOLCHAIN=local "$container"
  b umount "$container" >/dev/null
  b commit --quiet --rm --disable-compression "$container" "$1" >/dev/null
}

builder=${BUILDER:-$default_BUILDER}
if [[ $builder != local ]] && ! timeout 300 buildah "${storage[@]}" pull --quiet "$builder" >/dev/null 2>"$scratch/pull"; then
  [[ -z ${BUILDER:-} ]] || fail "$builder cannot be pulled: $(tail -1 "$scratch/pull")"
  say "$builder cannot be pulled: $(tail -1 "$scratch/pull")"
  builder=local
fi
if [[ $builder == local ]]; then
  step "making a local builder from $(go version) and the CA roots of this machine's package"
  builder=localhost/multus-ip-registrar-builder:local
  local_builder "$builder"
fi

# --- what goes in ---

version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo unknown)}
revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
limits="VERSION=$version REVISION=$revision SOURCE_DATE_EPOCH=$epoch"

# Everything below is built from one snapshot, whoever edits meanwhile. The
# copies are as young as now: no image may depend on that.
inputs=(go.mod go.sum cmd internal pkg Dockerfile .dockerignore)
mkdir "$scratch/first" "$scratch/second"
cp -r "${inputs[@]}" "$scratch/first"
(cd "$scratch/first" && cp -r "${inputs[@]}" "$scratch/second")

# Modules that this machine already has need not be downloaded again; go.sum
# still judges them.
proxy=() flags=${GOFLAGS:-}
if has_command go; then
  flags=$(go env GOFLAGS)
  for arch in $arches; do
    (cd "$scratch/first" && GOOS=linux GOARCH=$arch CGO_ENABLED=0 go list -deps "${programs[@]/#/./cmd/}" >/dev/null) ||
      fail "the modules that go.mod names cannot be had"
  done
  modules=$(go env GOMODCACHE)/cache/download
  proxy=(--volume "$modules:/modules:ro" --build-arg "GOPROXY=file:///modules,$(go env GOPROXY)")
elif [[ -n ${GOPROXY:-} ]]; then
  proxy=(--build-arg "GOPROXY=$GOPROXY")
fi

# Debian 12's buildah does not know BUILDPLATFORM by itself, and lists several
# platforms in the order in which they got ready, another digest each time.
# build NAME PROGRAM CONTEXT GOFLAGS: for every architecture, as manifest list NAME.
build() {
  local arch
  b manifest create "$1" >/dev/null
  for arch in $arches; do
    b build --quiet --no-cache --pull=never --isolation chroot --identity-label=false \
      --timestamp "$epoch" --platform "linux/$arch" --target "$2" --tag "$1-$arch" "${proxy[@]}" \
      --build-arg BUILDER="$builder" --build-arg BUILDPLATFORM="linux/$here" \
      --build-arg GOFLAGS="$4" --build-arg SOURCE_DATE_EPOCH="$epoch" \
      --build-arg VERSION="$version" --build-arg REVISION="$revision" --build-arg SOURCE="${SOURCE:-}" \
      "$3" >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
    b manifest add "$1" "$1-$arch" >/dev/null
  done
}

# archive NAME FILE: writes FILE and prints the digest of its index.
archive() {
  rm -f "$2"
  b manifest push --quiet --all --digestfile "$scratch/digest" "$1" "oci-archive:$2" >&2
  cat "$scratch/digest"
}

# --- what it must be ---

# same WHAT WANT GOT
same() { [[ $2 == "$3" ]] || fail "$1: want
$2
got
$3"; }

# pulled ARGUMENT...: buildah with a storage that has not seen the build, one
# for each program and architecture: Debian 12's buildah mixes up those of an archive.
pulled() { nice -n 5 buildah "${storage[@]}" --root "$scratch/pulled-$program-$arch" "$@"; }

# prove PROGRAM ARCH ARCHIVE: the image as somebody who pulls it gets it.
prove() {
  local program=$1 arch=$2 container root said size packed
  container=$(pulled from --quiet --arch "$arch" "oci-archive:$3")
  root=$(pulled mount "$container")
  same "files of $program" "$(printf '%s\n' "etc/ssl/certs/ca-certificates.crt 644 0:0" "$program 755 0:0" | sort)" \
    "$(cd "$root" && find . -not -type d -printf '%P %m %U:%G\n' | sort)"
  same "architecture" "$arch" "$(pulled inspect --format '{{.OCIv1.Architecture}}' "$container")"
  same "user" "$user" "$(pulled inspect --format '{{.OCIv1.Config.User}}' "$container")"
  same "entry point" "[/$program]" "$(pulled inspect --format '{{.OCIv1.Config.Entrypoint}}' "$container")"
  same "labels" "Apache-2.0 $version $revision" "$(pulled inspect --format \
    '{{with .OCIv1.Config}}{{index .Labels "org.opencontainers.image.licenses"}} {{index .Labels "org.opencontainers.image.version"}} {{index .Labels "org.opencontainers.image.revision"}}{{end}}' "$container")"
  [[ $(grep -c '^-----BEGIN CERTIFICATE-----$' "$root/etc/ssl/certs/ca-certificates.crt") -gt 50 ]] || fail "$program lacks CA roots"
  # The same bytes as outside of any image: another directory, another cache.
  if [[ $arch == "$here" ]] && has_command go; then
    (cd "$scratch/first" && GOFLAGS='' GOOS=linux GOARCH=$arch CGO_ENABLED=0 nice -n 5 go build -trimpath -buildvcs=false -ldflags \
      "-s -w -X $(go list -m)/internal/cli.release=$version" -o "$scratch/outside" "./cmd/$program")
    cmp "$scratch/outside" "$root/$program" || fail "$program $arch differs from what go build makes here"
  fi
  said="not run: this machine is $here"
  if [[ $arch == "$here" ]]; then
    # Without root, capabilities or an entry in /etc/passwd.
    said=$(setpriv --no-new-privs chroot --userspec=$user --groups= "$root" "/$program" version)
    same "what $program says in buildah run" "$said" "$(pulled run --isolation chroot "$container" -- "/$program" version)"
    [[ $said == "$program $version "* ]] || fail "$program version says: $said"
  fi
  size=$(find "$root" -type f -printf '%s\n' | awk '{n += $1} END {print n}')
  [[ $program != registrar || $size -le $registrar_limit ]] ||
    fail "the registrar's image has $size bytes, the goal is $registrar_limit"
  packed=$(pulled inspect --format '{{.Manifest}}' "$container" | grep -o '"size": *[0-9]*' | awk -F: '{n += $2} END {print n}')
  awk -v p="$program" -v a="linux/$arch" -v s="$size" -v z="$packed" -v v="$said" \
    'BEGIN {printf "%-10s %-12s %6.1f MB unpacked  %5.1f MB to pull   %s\n", p, a, s / 1e6, z / 1e6, v}'
  pulled rm "$container" >/dev/null
}

say "       $limits, storage $driver"
declare -A digest
for program in "${programs[@]}"; do
  step "building $program for $arches in $builder"
  build "$program" "$program" "$scratch/first" "$flags"
  digest[$program]=$(archive "$program" "$PWD/out/$program.oci.tar")
  step "proving $program"
  for arch in $arches; do prove "$program" "$arch" "$PWD/out/$program.oci.tar"; done
  step "building $program again${ANEW:+, every package anew}"
  build "$program-again" "$program" "$scratch/second" "$flags${ANEW:+ -a}"
  same "digest of $program, built twice" "${digest[$program]}" "$(archive "$program-again" "$scratch/again.tar")"
  printf '%-10s %s, twice   out/%s.oci.tar\n' "$program" "${digest[$program]}" "$program"
done
step "done"
