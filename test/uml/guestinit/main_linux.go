// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Command guestinit is the first process of a User-Mode Linux guest: it makes
// the guest fit for a program, runs the one that is asked for, and powers off.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/uml/job"
	"golang.org/x/sys/unix"
)

func main() {
	code, err := run(os.Getenv(job.DirectoryVariable))
	result := job.Result{ExitCode: code}
	if err != nil {
		result.Error = err.Error()
		fmt.Fprintln(os.Stderr, "guestinit:", err) // the console, if the file below fails
	}
	answer, err := json.Marshal(result)
	if err == nil {
		err = os.WriteFile(filepath.Join(job.Directory, job.ResultFile), answer, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "guestinit: write the result:", err)
	}
	unix.Sync()
	// If this failed, the end of init would end the kernel with a panic.
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// run returns the command's exit code.
func run(hostDirectory string) (int, error) {
	if err := mountAll(hostDirectory); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Join(job.Directory, job.RequestFile))
	if err != nil {
		return 0, err
	}
	var request job.Request
	if err := json.Unmarshal(text, &request); err != nil {
		return 0, fmt.Errorf("read %s: %w", job.RequestFile, err)
	}
	if request.Share != "" {
		if err := mount("hostfs", job.Share, request.Share, 0); err != nil {
			return 0, err
		}
	}
	if err := showDirectory(request.Dir); err != nil {
		return 0, err
	}
	if err := loadModules(request.Modules); err != nil {
		return 0, err
	}
	if err := loopbackUp(); err != nil {
		return 0, err
	}
	output, err := openOutput()
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", job.Output, err)
	}
	code, err := runCommand(request, output)
	// TCSBRK with 1 waits until everything has left the serial line (tcdrain).
	return code, errors.Join(err, unix.IoctlSetInt(int(output.Fd()), unix.TCSBRK, 1))
}

// openOutput opens the serial line as a plain stream of bytes: no \n to \r\n.
func openOutput() (*os.File, error) {
	output, err := os.OpenFile(job.Output, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	settings, err := unix.IoctlGetTermios(int(output.Fd()), unix.TCGETS)
	if err != nil {
		return nil, err
	}
	settings.Oflag &^= unix.OPOST
	return output, unix.IoctlSetTermios(int(output.Fd()), unix.TCSETS, settings)
}

func runCommand(request job.Request, output *os.File) (int, error) {
	command := exec.Command(request.Args[0], request.Args[1:]...)
	command.Dir = request.Dir
	if command.Dir == "" {
		command.Dir = "/tmp"
	}
	command.Env = append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "TMPDIR=/tmp",
	}, request.Env...)
	command.Stdout, command.Stderr = output, output
	err := command.Run()
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
