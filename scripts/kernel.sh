#!/usr/bin/env bash
# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Makes a recent User-Mode Linux available for the workers of make e2e, and prints
# the directory that has it as linux.uml. From 6.16 on, its processes enter the
# kernel by a filter of system calls instead of ptrace, and a program starts in a
# third of the time. It is Debian's, from a later release than this machine may
# have: so it lies in the user's cache, with the C library that it needs, and is
# pinned. Where it cannot be had, this machine's own does.
#
#   scripts/kernel.sh
#   DEPS=0 scripts/kernel.sh    fetches nothing
set -euo pipefail
# shellcheck source=scripts/build.bash
source "$(dirname "$0")/build.bash"

# A release of Debian keeps its latest packages only: when these are gone, take
# the versions and checksums that packages.debian.org names for testing and stable.
kernel=7.2um1
kernel_sum=f947c9244fd79d481299df2ad68961f6b3b7703bff38c4b0e726f861161da62c
libc=2.41-12+deb13u5
libc_sum=b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf

pool=http://deb.debian.org/debian/pool/main
dir=$cache/user-mode-linux-$kernel

# runs PROGRAM: also where the cache comes from a machine with another C library.
runs() { "$1" --version >/dev/null 2>&1; }

if runs "$dir/usr/bin/linux.uml"; then
  echo "$dir/usr/bin"
  exit
fi

# own WHY: settles for the machine's kernel.
own() {
  say "$1: the workers run on this machine's own User-Mode Linux, and the stories take twice the time"
  if ! command -v linux.uml >/dev/null; then
    say "there is none either; to install it: scripts/deps.sh e2e"
    exit 1
  fi
  dirname "$(command -v linux.uml)"
  exit
}
[[ $(uname -m) == x86_64 ]] || own "the faster User-Mode Linux is for x86-64 only"
[[ ${DEPS:-1} != 0 ]] || own "DEPS=0 forbids to fetch the faster User-Mode Linux"

# unpack PACKAGE CHECKSUM: into tree.
unpack() {
  /usr/lib/apt/apt-helper -qq -o APT::Sandbox::User=root download-file "$pool/$1" "$scratch/package.deb" "SHA256:$2" >&2 && dpkg-deb -x "$scratch/package.deb" "$tree"
}

say "fetching User-Mode Linux $kernel, 36 MB"
prepare
tree=$scratch/tree
unpack "u/user-mode-linux/user-mode-linux_${kernel}_amd64.deb" "$kernel_sum" || own "User-Mode Linux $kernel cannot be fetched"
program=$tree/usr/bin/linux.uml
if ! runs "$program"; then
  "$(dirname "$0")/deps.sh" kernel || own "there is no patchelf"
  unpack "g/glibc/libc6_${libc}_amd64.deb" "$libc_sum" || own "the C library $libc cannot be fetched"
  libraries=$dir/usr/lib/x86_64-linux-gnu
  patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" --set-rpath "$libraries" "$program"
fi
runs "$dir/usr/bin/linux.uml" || { # another one may have fetched it by now
  rm -rf "$dir"
  mv -T "$tree" "$dir" || true
}
runs "$dir/usr/bin/linux.uml" || own "User-Mode Linux $kernel does not run"
echo "$dir/usr/bin"
