// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netspace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// threadNetNS is the network namespace of the calling thread.
const threadNetNS = "/proc/thread-self/ns/net"

// A Namespace is a network namespace that is held open.
type Namespace struct {
	// Name is its name below Dir; "" when it has none.
	Name  string
	file  *os.File
	claim *Claim

	mu     sync.Mutex
	procs  []*os.Process
	handle *netlink.Handle
	closed bool
}

// Create makes a named namespace. Its loopback interface is still down.
func (c *Claim) Create(name string) (*Namespace, error) {
	path := filepath.Join(Dir, name)
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("create namespace %s: %s exists and is not this run's; remove it with \"ip netns del %s\"", name, path, name)
	}
	if err := c.note(name); err != nil {
		return nil, err
	}
	f, err := create(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create namespace %s: %w", name, err), c.forget(name))
	}
	return &Namespace{Name: name, file: f, claim: c}, nil
}

// Scratch makes a namespace without a name; it goes when it is closed.
func Scratch() (*Namespace, error) {
	f, err := create("")
	if err != nil {
		return nil, fmt.Errorf("create a namespace: %w", err)
	}
	return &Namespace{file: f}, nil
}

// Open opens a namespace that another process has made.
func Open(name string) (*Namespace, error) {
	f, err := os.Open(filepath.Join(Dir, name))
	if err != nil {
		return nil, fmt.Errorf("open namespace %s: %w", name, err)
	}
	return &Namespace{Name: name, file: f}, nil
}

// create makes a namespace on a thread that is thrown away afterwards, since a
// thread that has left the program's namespace is of no use to anybody else.
func create(mountAt string) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	ch := make(chan result)
	go func() {
		runtime.LockOSThread()
		var r result
		defer func() { ch <- r }()
		if r.err = unix.Unshare(unix.CLONE_NEWNET); r.err != nil {
			return
		}
		if r.file, r.err = os.Open(threadNetNS); r.err != nil || mountAt == "" {
			return
		}
		if r.err = os.WriteFile(mountAt, nil, 0o444); r.err == nil {
			r.err = unix.Mount(threadNetNS, mountAt, "none", unix.MS_BIND, "")
		}
		if r.err != nil {
			_ = r.file.Close()
		}
	}()
	r := <-ch
	return r.file, r.err
}

// FD is a descriptor of the namespace, valid until Close.
func (n *Namespace) FD() int { return int(n.file.Fd()) }

// Run calls fn inside of the namespace, on the calling goroutine. What fn
// starts with "go" is outside. Sockets stay where they were opened.
func (n *Namespace) Run(fn func() error) error {
	runtime.LockOSThread()
	home, err := os.Open(threadNetNS)
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("find the way back from namespace %s: %w", n.Name, err)
	}
	defer home.Close()
	if err := unix.Setns(n.FD(), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter namespace %s: %w", n.Name, err)
	}
	defer func() {
		// A thread that cannot go home stays locked, and so dies with its goroutine.
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
	}()
	return fn()
}

// Start starts a process inside of the namespace. The caller waits for it;
// Kill ends it.
func (n *Namespace) Start(cmd *exec.Cmd) error {
	if err := n.Run(cmd.Start); err != nil {
		return fmt.Errorf("start %s in namespace %s: %w", filepath.Base(cmd.Path), n.Name, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.procs = append(n.procs, cmd.Process)
	if n.closed {
		_ = cmd.Process.Kill()
	}
	return nil
}

// Handle returns a netlink handle inside of the namespace. It may be used by
// several goroutines at once, and is closed with the namespace.
func (n *Namespace) Handle() (*netlink.Handle, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fmt.Errorf("open netlink in namespace %s: %w", n.Name, os.ErrClosed)
	}
	if n.handle == nil {
		h, err := netlink.NewHandleAt(netns.NsHandle(n.FD()), unix.NETLINK_ROUTE)
		if err != nil {
			return nil, fmt.Errorf("open netlink in namespace %s: %w", n.Name, err)
		}
		n.handle = h
	}
	return n.handle, nil
}

// Kill sends SIGKILL to the processes that Start has started. It does not wait
// for them: whoever started them does.
func (n *Namespace) Kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.procs {
		_ = p.Kill() // most have ended long ago
	}
	n.procs = nil
}

// Close kills the namespace's processes, removes its name and lets go of it.
// The kernel removes it when no process and no socket is left inside.
func (n *Namespace) Close() error {
	n.Kill()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	if n.handle != nil {
		n.handle.Close()
	}
	err := n.file.Close()
	if n.claim != nil {
		err = errors.Join(err, n.claim.forget(n.Name))
	}
	return err
}
