// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/cgroups"
)

// NativeTaint keeps pods off native workers that do not name their node.
const NativeTaint = "e2e/native"

// nativeNiceness goes before the virtual machines, each of which may keep a CPU
// busy: what they do is not to count.
const nativeNiceness = "-10"

// groups is the name of the control group with a cluster's native pods: no
// other run on this machine has its directory.
func groups(dir string) string { return filepath.Base(dir) }

// RemoveGroups removes the control groups of the cluster with a directory. Who
// may have killed the cluster calls it once more.
func RemoveGroups(dir string) error { return cgroups.Remove(groups(dir)) }

// nativeKubeletConfig is added to kubeletConfig.
func nativeKubeletConfig(group string) string {
	return `cgroupRoot: /` + group + `
failCgroupV1: false
registerWithTaints: [{key: ` + NativeTaint + `, effect: NoSchedule}]
`
}

// runNative runs the worker's program on this machine's kernel until it ends,
// or ctx does: in the network namespace of the worker's instance, and as the
// first process of a process namespace, with which every container ends. What
// it mounts is seen by nobody else.
//
// A pod gives an ENI's interface back when it is deleted. When the power is cut
// the kernel removes the interface with the pod's namespace: then the worker
// boots without that ENI.
func (w *worker) runNative(ctx context.Context, console *os.File) (exitCode int, err error) {
	cmd := exec.CommandContext(ctx, "nice", "-n", nativeNiceness, filepath.Join(w.share(), nodeProgram), w.share())
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", console, console
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/run"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC}
	if err := w.cluster.sim.Fabric.Worker(w.name).Start(cmd); err != nil {
		return 0, err
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}
