// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package podinfo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseAnnotations(t *testing.T) {
	status := `[{"name":"x","interface":"eth0","default":true}]`
	got, err := ParseAnnotations(fmt.Sprintf("a/b=%q\n%s=%q\nempty=\"\"\n", "two\nlines = \"quoted\"", NetworkStatusKey, status))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a/b": "two\nlines = \"quoted\"", NetworkStatusKey: status, "empty": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{"key", "key=value", `="x"`, `key="x`} {
		if got, err := ParseAnnotations(bad); err == nil {
			t.Errorf("%q gave %v", bad, got)
		}
	}
}

// write replaces the file as the kubelet does: a new directory, and the link
// to it exchanged.
func write(t *testing.T, dir, version, content string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(filepath.Join(dir, version), 0o755))
	must(os.WriteFile(filepath.Join(dir, version, "annotations"), []byte(content), 0o644))
	must(os.Symlink(version, filepath.Join(dir, "..data_tmp")))
	must(os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	if _, err := os.Lstat(filepath.Join(dir, "annotations")); err != nil {
		must(os.Symlink(filepath.Join("..data", "annotations"), filepath.Join(dir, "annotations")))
	}
}

func TestFollowSeesWhatTheKubeletReplaces(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "..1", "other=\"x\"\n")
	ctx, cancel := context.WithCancel(context.Background())
	seen, faults, done := make(chan map[string]string, 100), make(chan error, 100), make(chan error, 1)
	go func() {
		done <- Follow(ctx, filepath.Join(dir, "annotations"), func(a map[string]string) { seen <- a }, func(err error) { faults <- err })
	}()
	until(t, seen, "")
	write(t, dir, "..2", FloatingIPsKey+"=\"10.0.1.200\"\n")
	until(t, seen, "10.0.1.200")
	write(t, dir, "..3", "no line of the downward API\n")
	select {
	case <-faults:
	case <-time.After(10 * time.Second):
		t.Error("a file that cannot be understood is not told")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestFollowTakesUpAChangeOnce: an exchange by the kubelet is five events.
func TestFollowTakesUpAChangeOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "..1", FloatingIPsKey+"=\"10.0.1.200\"\n")
	ctx, cancel := context.WithCancel(context.Background())
	seen, faults, done := make(chan map[string]string, 100), make(chan error, 100), make(chan error, 1)
	go func() {
		done <- Follow(ctx, filepath.Join(dir, "annotations"), func(a map[string]string) { seen <- a }, func(err error) { faults <- err })
	}()
	until(t, seen, "10.0.1.200")
	write(t, dir, "..2", "no line of the downward API\n")
	if err := os.RemoveAll(filepath.Join(dir, "..1")); err != nil {
		t.Fatal(err)
	}
	<-faults
	write(t, dir, "..3", FloatingIPsKey+"=\"10.0.1.201\"\n") // all events before are over when this is seen
	until(t, seen, "10.0.1.201")
	cancel()
	if err := <-done; err != nil || len(faults) > 0 || len(seen) > 0 {
		t.Errorf("%v; told %d times more, taken up %d times more", err, len(faults), len(seen))
	}
}

// TestWhatCannotBeWatchedIsRead, and watched as soon as that can be done: here the
// directory is missing at first, inotify instances are in life.
func TestWhatCannotBeWatchedIsRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	ctx, cancel := context.WithCancel(context.Background())
	seen, faults, done := make(chan map[string]string, 100), make(chan error, 100), make(chan error, 1)
	f := follower{path: filepath.Join(dir, "annotations"), again: 20 * time.Millisecond,
		emit: func(a map[string]string) { seen <- a }, fault: func(err error) { faults <- err }}
	go func() { done <- f.follow(ctx) }()
	if err := <-faults; !strings.Contains(err.Error(), "read each 20ms instead") {
		t.Error(err)
	}
	time.Sleep(5 * f.again)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "..1", FloatingIPsKey+"=\"10.0.1.200\"\n")
	until(t, seen, "10.0.1.200")
	cancel()
	if err := <-done; err != nil || len(faults) > 0 {
		t.Errorf("%v; told %d times more", err, len(faults))
	}
}

// until waits for floating IPs.
func until(t *testing.T, seen <-chan map[string]string, want string) {
	t.Helper()
	for limit := time.After(10 * time.Second); ; {
		select {
		case got := <-seen:
			if got[FloatingIPsKey] == want {
				return
			}
		case <-limit:
			t.Fatalf("never saw %q", want)
		}
	}
}

// FuzzParseAnnotations: no text makes it panic.
func FuzzParseAnnotations(f *testing.F) {
	f.Add("a=\"b\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseAnnotations(text)
		if err != nil && got != nil {
			t.Errorf("both %v and %v", got, err)
		}
	})
}
