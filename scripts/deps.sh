#!/usr/bin/env bash
# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian or Ubuntu packages that `make demo`, `make failover`, `make
# test` or `make e2e` needs and that are missing, after it has said which and why. Where
# nothing is missing it says nothing and asks no package manager.
#
#   scripts/deps.sh demo|failover|test|e2e|kernel
#   DEPS=0 scripts/deps.sh test    installs nothing, names the command instead
set -euo pipefail

usage() {
  echo "usage: scripts/deps.sh demo|failover|test|e2e|kernel" >&2
  exit 2
}

has_command() { command -v "$1" >/dev/null; }
# A user's PATH need not lead to what root runs.
has_daemon() { PATH=$PATH:/usr/sbin:/sbin has_command "$1"; }
# Debian's packages serve Debian's python3, which need not be the first one.
has_module() {
  local python
  for python in python3 /usr/bin/python3; do
    has_command "$python" &&
      "$python" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)' "$1" &&
      return
  done
  return 1
}

missing=()
# need PACKAGE WHY TEST...: the package counts as there if the test succeeds,
# wherever that program comes from.
need() {
  local package=$1 why=$2
  shift 2
  "$@" && return
  missing+=("$package")
  echo "missing: $package ($why)" >&2
}

need_demo() {
  need iproute2 "the ip command, to look at the network that the demo makes" has_command ip
  need iputils-ping "the ping command, which shows who reaches whom" has_command ping
}

need_failover() {
  need_demo
  need keepalived "keepalived, which decides in the failover matrix who is active" has_daemon keepalived
}

need_test() {
  need_failover
  need gcc "the C compiler, which Go's race detector needs" has_command gcc
  need libc6-dev "the C library's headers, likewise" test -e /usr/include/stdlib.h
  need user-mode-linux "a kernel with ipvlan that runs as a plain process" has_command linux.uml
  need prometheus "promtool, which checks and tests the chart's alerts" has_command promtool
  need python3-boto3 "the AWS SDK for Python, a second client for the model of EC2" has_module boto3
}

# is_static PROGRAM: it runs in an image without any library.
is_static() { has_command "$1" && ! ldd "$(command -v "$1")" >/dev/null 2>&1; }

need_kernel() { # scripts/kernel.sh asks for it where it has to
  need patchelf "gives a recent User-Mode Linux the C library that it needs" has_command patchelf
}

need_e2e() {
  need iproute2 "the ip command, in the workers" has_command ip
  need gcc "the C compiler, which runc needs" has_command gcc
  need libc6-dev "the C library, likewise" test -e /usr/include/stdlib.h
  need libseccomp-dev "the filter of system calls, likewise" test -e /usr/include/seccomp.h
  need user-mode-linux "a kernel with ipvlan that runs as a plain process" has_command linux.uml
  need busybox-static "the programs in the pods" is_static busybox
  need keepalived "who moves the floating IPs, in pods" test -x /usr/sbin/keepalived
}

[[ $# == 1 ]] || usage
case $1 in
  demo) need_demo ;;
  failover) need_failover ;;
  test) need_test ;;
  e2e) need_e2e ;;
  kernel) need_kernel ;;
  *) usage ;;
esac
[[ ${#missing[@]} -gt 0 ]] || exit 0

install=(install --yes --no-install-recommends "${missing[@]}")
sudo=
[[ $EUID == 0 ]] || sudo="sudo "
give_up() {
  echo "$1; to install what is missing, run:" >&2
  echo "  ${sudo}apt-get ${install[*]}" >&2
  exit 1
}

[[ ${DEPS:-1} != 0 ]] || give_up "DEPS=0 forbids to install packages"
has_command apt-get || give_up "there is no apt-get here: these are the names of Debian's packages"
as_root=()
if [[ $EUID != 0 ]]; then
  has_command sudo || give_up "to install packages takes root, and there is no sudo"
  as_root=(sudo)
  [[ -t 0 ]] || as_root+=(-n) # nobody can type a password
fi
# ask ARGUMENT...: apt-get as root, which asks no questions and waits for
# another apt-get to end.
ask() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" >&2
}

echo "installing: ${missing[*]}" >&2
ask --quiet update || echo "apt-get update failed; trying with the package lists that are there" >&2
ask --quiet "${install[@]}" || give_up "apt-get failed"
