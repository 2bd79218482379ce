// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/uml/job"
)

const (
	// A boot takes 1 to 2 s, a guest's Go test some times what it takes here;
	// beyond this it hangs.
	defaultLimit = 5 * time.Minute

	// guestName is the guest's directory in its uml_dir.
	guestName = "guest"

	// defaultMemory is enough for a Go test. The host gives it page by page.
	defaultMemoryMiB = 512
)

// A Command is what runs in the guest, as root.
type Command struct {
	// Args are the program's path and its arguments. Paths under /run, /tmp
	// and /var/tmp are the guest's own.
	Args []string
	// Env is added to a small environment: nothing is inherited.
	Env []string
	// Dir is the working directory, one of this machine, or "" for /tmp.
	Dir string
	// Share is a directory of the host that the guest sees, and may write to,
	// as /run/share, or "".
	Share string
	// Modules are the kernel modules to load, nil for those that network tests
	// need.
	Modules []string
	// KernelArgs are added to the kernel's command line, such as
	// "vec0:transport=tap,ifname=tap0,gro=1" for a network card.
	KernelArgs []string
	// Directory is an empty directory of the host, of the guest's own, for
	// Manage; "" is a temporary one.
	Directory string
	// Start starts the kernel, for example in a network namespace; nil is its
	// own method.
	Start func(kernel *exec.Cmd) error
	// MemoryMiB is the guest's memory, 0 for what a Go test needs.
	MemoryMiB int
	// Limit ends the guest, 0 for five minutes.
	Limit time.Duration
	// Output gets what the command writes, as it comes. Nil drops it.
	Output io.Writer
}

// Run boots the kernel, runs the command, and returns its exit code when the
// guest is gone with all its processes and files. An error means that the
// command did not run to its end: it wraps context.DeadlineExceeded at the
// limit, and has the kernel's last messages where there are any.
func (k Kernel) Run(ctx context.Context, c Command) (exitCode int, err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Limit, defaultLimit))
	defer cancel()
	directory := c.Directory
	if directory == "" {
		if directory, err = os.MkdirTemp("", "uml-"); err != nil {
			return 0, fmt.Errorf("make a directory for the guest: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	}

	if err := k.writeRequest(directory, c); err != nil {
		return 0, err
	}
	console := &tail{limit: consoleTail}
	output := c.Output
	if output == nil {
		output = io.Discard
	}
	start := c.Start
	if start == nil {
		start = (*exec.Cmd).Start
	}
	bootErr := boot(ctx, k.program, k.arguments(directory, c), memoryDirectory(directory, cmp.Or(c.MemoryMiB, defaultMemoryMiB)), start, console, output)
	code, err := readResult(directory)
	if err == nil {
		return code, nil // however the kernel ended after that
	}
	if err = errors.Join(ctx.Err(), bootErr, err); console.String() != "" {
		err = fmt.Errorf("%w\nthe guest's console ends:\n%s", err, console)
	}
	return 0, fmt.Errorf("run %q in User-Mode Linux: %w", c.Args, err)
}

func (k Kernel) writeRequest(directory string, c Command) error {
	names := c.Modules
	if names == nil {
		names = defaultModules()
	}
	dependencies, err := os.Open(filepath.Join(k.modules, "modules.dep"))
	if err != nil {
		return err
	}
	defer dependencies.Close()
	modules, err := moduleOrder(dependencies, names)
	if err != nil {
		return err
	}
	for i := range modules {
		modules[i] = filepath.Join(k.modules, modules[i])
	}
	text, err := json.Marshal(job.Request{Args: c.Args, Env: c.Env, Dir: c.Dir, Share: c.Share, Modules: modules})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, job.RequestFile), text, 0o644)
}

// arguments is the kernel's command line. The kernel's console is file 2 and
// the serial line of the command's output file 3 of its process.
func (k Kernel) arguments(directory string, c Command) []string {
	return append([]string{
		fmt.Sprintf("mem=%dM", cmp.Or(c.MemoryMiB, defaultMemoryMiB)),
		"rootfstype=hostfs", "rootflags=/", "ro",
		"con=null", "con0=null,fd:2", "ssl=null", "ssl0=null,fd:3",
		"quiet",
		// Guests' processes change to the kernel by a filter of system calls
		// where the kernel can do that, since 6.16, not by ptrace: a program
		// starts several times as fast. Older kernels do not look at it.
		"seccomp=auto",
		"panic=-1",                   // at once, not by waiting for somebody to read it
		"uml_dir=" + directory + "/", // else a directory in the home directory
		"umid=" + guestName,
		"init=" + k.init,
		job.DirectoryVariable + "=" + directory,
	}, c.KernelArgs...)
}

func readResult(directory string) (int, error) {
	text, err := os.ReadFile(filepath.Join(directory, job.ResultFile))
	if err != nil {
		return 0, fmt.Errorf("the guest left no result: %w", err)
	}
	var result job.Result
	if err := json.Unmarshal(text, &result); err != nil {
		return 0, fmt.Errorf("read the guest's result: %w", err)
	}
	if result.Error != "" {
		return 0, errors.New(result.Error)
	}
	return result.ExitCode, nil
}
