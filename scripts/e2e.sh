#!/usr/bin/env bash
# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Runs the end-to-end stories of test/e2e on a Kubernetes cluster that it starts
# for them: a control plane and three workers, all on this machine, in namespaces
# of their own. When it ends, however it ends, the cluster does too.
#
#   scripts/e2e.sh
#   RUN='Init|Sidecar' scripts/e2e.sh   only the stories that match
#   RUN=short scripts/e2e.sh            the few that tell most in the least time
#   KEEP=1 scripts/e2e.sh               leaves the cluster up, and says how to use it;
#                                       the next run uses it again, if the images are the same
#   TIMES=10 scripts/e2e.sh             ten times in a row, each with a cluster of its own, until one fails
#   scripts/e2e.sh mutants              breaks the registrar's laws in turn: a story must fail
#   scripts/e2e.sh down                 ends that cluster
set -euo pipefail
cd "$(dirname "$0")/.."

out=out/e2e
link=$out/cluster # to the directory of a cluster that was left up
say() { printf '%5ds  %s\n' "$SECONDS" "$*"; }

# end DIRECTORY: ends its cluster, and removes it.
end() {
  local dir=$1 pid
  pid=$(cat "$dir/pid" 2>/dev/null) || pid=
  if [[ $pid ]] && grep -qsF "$dir/bin/up" "/proc/$pid/cmdline"; then
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  fi
  [[ ! -x $dir/bin/up ]] || "$dir/bin/up" -dir "$dir" -sweep || true
  rm -rf "$dir"
}

if [[ ${1:-} == down ]]; then
  if [[ -L $link ]]; then
    end "$(readlink "$link")"
    rm -f "$link"
    say "the cluster has ended"
  else
    say "no cluster was left up"
  fi
  exit
fi
if [[ ${TIMES:-1} != 1 ]]; then
  [[ $TIMES =~ ^[1-9][0-9]*$ ]] || { echo "TIMES is \"$TIMES\", want how many times to tell the stories" >&2 && exit 2; }
  took=()
  for ((i = 1; i <= TIMES; i++)); do
    began=$SECONDS
    TIMES=1 scripts/e2e.sh "$@" || { say "run $i of $TIMES FAILED; those before it took ${took[*]:-none}" && exit 1; }
    took+=("$((SECONDS - began))s")
  done
  say "$TIMES runs in a row are green: ${took[*]}"
  exit
fi
tags=e2e run=${RUN:-} limit=60m short=()
if [[ $run == short ]]; then
  # Both modes and families, the gate, the release, and floating IPs between
  # workers and within one; EC2 refuses.
  run='^Test(InitRoutes|SidecarFollows|ThrottledPod|FailoverBetween|HandOverOnOneENI)'
  short=(-short)
fi
if [[ ${1:-} == mutants ]]; then
  tags=e2e,mutants run=TestBrokenLawsAreNoticed
  shift
fi
[[ $# == 0 ]] || { echo "usage: scripts/e2e.sh [mutants | down]" >&2 && exit 2; }

# Runs that were killed together with their cluster have nobody else to end them.
while read -r old; do
  [[ ! -e $old/pid ]] || kill -0 "$(cat "$old/pid")" 2>/dev/null || end "$old"
done < <(find /tmp -maxdepth 1 -name 'registrar-e2e.*' -mmin +10)

say "looking for the programs of a cluster, which are built once"
programs=$(scripts/node.sh)
{ read -r apiserver && read -r etcd; } < <(scripts/apiserver.sh)
helm=$(scripts/helm.sh 4)
kernel=$(scripts/kernel.sh)
networks=$(go list -m -f '{{.Dir}}' github.com/k8snetworkplumbingwg/network-attachment-definition-client)/artifacts/networks-crd.yaml

mkdir -p "$out"
dir=$(mktemp -d /tmp/registrar-e2e.XXXXXX) # short, for sockets
mkdir "$dir/bin"
# Only a change of the product makes other images: not a commit.
go_build() {
  CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X $(go list -m)/internal/cli.release=e2e" -o "$dir/bin/" "$@"
}
say "building the product"
go_build ./cmd/registrar ./cmd/webhook

# finish: the cluster ends with this script, unless it is to be kept.
kept='' started=''
finish() {
  local code=$?
  if [[ $code != 0 && $started ]]; then
    rm -rf "$out/logs" && mkdir -p "$out/logs"
    (cd "$dir" && find . -name '*.log' -exec cp --parents {} "$OLDPWD/$out/logs" \;)
    say "FAILED; the cluster's logs are in $out/logs"
  fi
  if [[ ! $kept ]]; then
    [[ ! $started ]] || say "ending the cluster"
    end "$dir"
  fi
  exit "$code"
}
trap finish EXIT

if [[ -L $link && -e $link/ready ]] && kill -0 "$(cat "$link/pid")" 2>/dev/null; then
  old=$(readlink "$link")
  if ! cmp -s "$old/bin/registrar" "$dir/bin/registrar" || ! cmp -s "$old/bin/webhook" "$dir/bin/webhook"; then
    say "a cluster is up with other images than these; end it first: make e2e-down"
    exit 1
  fi
  rm -rf "$dir"
  dir=$old kept=1
  say "using the cluster that is up, in $dir"
else
  rm -f "$link"
  say "building what the cluster needs"
  go_build ./test/e2e/up ./test/e2e/node ./test/uml/guestinit
  say "starting the cluster in $dir"
  mkfifo "$dir/alive"
  keep=()
  [[ ! ${KEEP:-} ]] || keep=(-keep)
  # It ends with its standard input, which only this script holds open.
  PATH=$kernel:$PATH setsid "$dir/bin/up" -dir "$dir" -topology test/e2e/topology.yaml -programs "$programs" -apiserver "$apiserver" -etcd "$etcd" \
    -networks "$networks" -version "$(sed -n 's/^appVersion: //p' charts/multus-ip-registrar/Chart.yaml)" "${keep[@]}" \
    <"$dir/alive" >"$dir/up.log" 2>&1 &
  echo $! >"$dir/pid"
  started=1
  exec 9>"$dir/alive"
  tail -n +1 -F --pid=$! "$dir/up.log" 2>/dev/null 9>&- &
  tail=$!
  while [[ ! -e $dir/ready ]]; do
    if ! kill -0 "$(cat "$dir/pid")" 2>/dev/null; then
      say "the cluster does not start"
      tail -n 5 "$dir"/*/console.log "$dir"/*.log || true
      exit 1
    fi
    sleep 0.2
  done
  kill "$tail" 2>/dev/null || true
  if [[ ${KEEP:-} ]]; then
    kept=1
    ln -sfn "$dir" "$link"
  fi
fi

code=0
say "running the stories"
E2E_DIR=$dir E2E_KUBECTL=$programs/kubectl E2E_HELM=$helm \
  go test -tags "$tags" -count=1 -v -parallel 5 -timeout "$limit" "${short[@]}" ${run:+-run "$run"} ./test/e2e 9>&- || code=$?
if [[ $kept ]]; then
  cat <<END

The cluster is up, with the chart installed. To use it:

  export KUBECONFIG=$dir/kubeconfig PATH=$programs:\$PATH
  kubectl get pods -A -o wide
  curl --unix-socket $dir/control.sock http://e2e/_vpcsim/enis                # what EC2 knows
  curl --unix-socket $dir/control.sock http://e2e/_vpcsim/calls               # who called it
  curl --unix-socket $dir/control.sock http://e2e/workers/worker1/run -d '{"Args": ["ip", "-brief", "address"]}'

The logs of kubelet, containerd and Multus are in $dir/worker1, worker2 and native.
make e2e-down ends it.
END
fi
say "the stories took $SECONDS s with all that they need, exit code $code"
exit "$code"
