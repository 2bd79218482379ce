// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netspace

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/sandboxtest"
)

func TestMain(m *testing.M) { os.Exit(sandboxtest.Main(m, sandboxtest.Options{})) }

func acquire(t *testing.T, prefix string) *Claim {
	t.Helper()
	c, err := Acquire(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRunGoesInsideAndComesBack(t *testing.T) {
	c := acquire(t, "inside")
	defer c.Release()
	ns, err := c.Create("inside-a")
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.Readlink(threadNetNS)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			var there string
			err := ns.Run(func() (err error) {
				there, err = os.Readlink(threadNetNS)
				return err
			})
			back, _ := os.Readlink(threadNetNS)
			if err != nil || there == home || back != home {
				t.Errorf("inside %s, then %s, home is %s: %v", there, back, home, err)
			}
		})
	}
	all.Wait()
	want := errors.New("from inside")
	if err := ns.Run(func() error { return want }); err != want {
		t.Errorf("Run = %v, want the function's own error", err)
	}
}

func TestReleaseRemovesEveryName(t *testing.T) {
	c := acquire(t, "release")
	if _, err := c.Create("release-a"); err != nil {
		t.Fatal(err)
	}
	b, err := c.Create("release-b")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Errorf("Close, twice: %v", err)
	}
	if err := c.Release(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(Dir, "release-a"), filepath.Join(Dir, "release-b"), filepath.Join(StateDir, "release")} {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v, want it gone", path, err)
		}
	}
}

func TestRunsTellsTheLivingFromTheDead(t *testing.T) {
	c := acquire(t, "living")
	defer c.Release()
	dead := acquire(t, "dead")
	if _, err := dead.Create("dead-a"); err != nil {
		t.Fatal(err)
	}
	_ = dead.lock.Close() // as the kernel does when a process is killed
	runs, err := Runs()
	if err != nil || len(runs) != 2 || runs[0].Alive || len(runs[0].Namespaces) != 1 || !runs[1].Alive || runs[1].PID != os.Getpid() {
		t.Errorf("Runs() = %+v, %v; want dead with one namespace, and living", runs, err)
	}
	if swept, err := Sweep(); err != nil || len(swept) != 1 || swept[0] != "dead" {
		t.Errorf("Sweep() = %q, %v; want dead", swept, err)
	}
}

func TestPrefixesAreFitForFileNames(t *testing.T) {
	for prefix, good := range map[string]bool{
		"vpcsim": true, "a-1": true, "": false, "../x": false, "A": false, "-a": false, "a b": false,
		"a-name-that-is-longer-than-thirty-two-characters": false,
	} {
		if err := CheckPrefix(prefix); (err == nil) != good {
			t.Errorf("CheckPrefix(%q) = %v, want good: %v", prefix, err, good)
		}
	}
}

func TestDialWantsLiteralAddresses(t *testing.T) {
	ns, err := Scratch()
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	if _, err := ns.Dial(t.Context(), "tcp", "localhost:1"); err == nil {
		t.Error("Dial takes a name, which would be resolved outside of the namespace")
	}
}
