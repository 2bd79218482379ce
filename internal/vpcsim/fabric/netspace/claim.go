// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrInUse says that a living run has the prefix.
var ErrInUse = errors.New("prefix is in use")

// Runs holds a lock for a moment to see whether anybody has it, so Acquire asks
// more than once before it believes that somebody does.
const (
	lockTries = 5
	lockPause = 10 * time.Millisecond
)

// Prefixes may appear in file names and in what users paste into a shell.
var validPrefix = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// CheckPrefix says what is wrong with a prefix.
func CheckPrefix(prefix string) error {
	if !validPrefix.MatchString(prefix) {
		return fmt.Errorf("prefix %q: use 1 to 32 lower-case letters, digits and dashes, a letter or digit first", prefix)
	}
	return nil
}

// A Claim is a run's hold on its prefix. Release it to remove everything.
type Claim struct {
	Prefix string
	lock   *os.File
}

// Acquire takes a prefix and removes what a dead run of the same prefix has
// left. The error is ErrInUse when a living run has it.
func Acquire(prefix string) (*Claim, error) {
	if err := CheckPrefix(prefix); err != nil {
		return nil, err
	}
	if err := prepareDir(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(StateDir, prefix, namesDir), 0o755); err != nil {
		return nil, fmt.Errorf("claim prefix %s: %w", prefix, err)
	}
	c, err := lock(prefix)
	for try := 1; errors.Is(err, ErrInUse) && try < lockTries; try++ {
		time.Sleep(lockPause)
		c, err = lock(prefix)
	}
	if err != nil {
		return nil, err
	}
	if err := c.clean(); err != nil {
		return nil, errors.Join(err, c.lock.Close())
	}
	if err := os.WriteFile(c.lock.Name(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("claim prefix %s: %w", prefix, err), c.lock.Close())
	}
	return c, nil
}

// Dir is a directory of the run's own, which goes when it ends.
func (c *Claim) Dir() string { return filepath.Join(StateDir, c.Prefix) }

// Release removes every namespace of the run, then the claim.
func (c *Claim) Release() error {
	err := c.clean()
	if err == nil {
		err = os.RemoveAll(c.Dir())
	}
	return errors.Join(err, c.lock.Close())
}

// clean removes the namespaces that are noted under the claim.
func (c *Claim) clean() error {
	names, err := os.ReadDir(filepath.Join(c.Dir(), namesDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the namespaces of %s: %w", c.Prefix, err)
	}
	var errs []error
	for _, n := range names {
		errs = append(errs, c.forget(n.Name()))
	}
	return errors.Join(errs...)
}

// note writes down a name before it is taken, forget undoes both.
func (c *Claim) note(name string) error {
	dir := filepath.Join(c.Dir(), namesDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("note namespace %s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
		return fmt.Errorf("note namespace %s: %w", name, err)
	}
	return nil
}

func (c *Claim) forget(name string) error {
	if err := removeMount(name); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(c.Dir(), namesDir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget namespace %s: %w", name, err)
	}
	return nil
}

// lock takes the lock of an existing state directory without waiting.
func lock(prefix string) (*Claim, error) {
	path := filepath.Join(StateDir, prefix, lockFile)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("lock prefix %s: %w", prefix, err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			pid := readPID(path)
			_ = f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, fmt.Errorf("%w: %s belongs to the living process %s; end that first, or choose another prefix",
					ErrInUse, prefix, pid)
			}
			return nil, fmt.Errorf("lock prefix %s: %w", prefix, err)
		}
		// Another process may have removed the file between open and lock.
		mine, errMine := f.Stat()
		there, errThere := os.Stat(path)
		if errMine == nil && errThere == nil && os.SameFile(mine, there) {
			return &Claim{Prefix: prefix, lock: f}, nil
		}
		_ = f.Close()
		if errThere != nil && !errors.Is(errThere, os.ErrNotExist) {
			return nil, fmt.Errorf("lock prefix %s: %w", prefix, errThere)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("lock prefix %s: %w", prefix, err)
		}
	}
}

func readPID(path string) string {
	b, err := os.ReadFile(path)
	if err != nil || len(b) == 0 {
		return "(unknown)"
	}
	return strings.TrimSpace(string(b))
}
