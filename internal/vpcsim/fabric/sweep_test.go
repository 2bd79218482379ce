// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package fabric

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// helperEnv makes the test binary a run of its own, with that prefix.
const helperEnv = "VPCSIM_TEST_HELPER"

func helper() int {
	topo, err := topology.Parse("two-workers.yaml", []byte(twoWorkers))
	if err == nil {
		_, err = New(context.Background(), topo, &ownership{owners: map[netip.Addr]string{}}, Options{Prefix: os.Getenv(helperEnv)})
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	time.Sleep(time.Minute)
	return 0
}

func startHelper(t *testing.T, prefix string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^$")
	cmd.Env = append(os.Environ(), helperEnv+"="+prefix)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, _ := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		t.Fatalf("helper %s: %s", prefix, line)
	}
	return cmd
}

func names(t *testing.T, prefix string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(netspace.Dir, prefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range paths {
		paths[i] = filepath.Base(p)
	}
	return paths
}

func TestSweepRemovesWhatAKilledRunLeftAndNothingElse(t *testing.T) {
	alive, _ := start(t, Options{Prefix: "victim-pod"}) // a mean prefix
	victim := startHelper(t, "victim")
	other := startHelper(t, "other")

	stranger := filepath.Join(netspace.Dir, "victim-worker-stranger")
	if err := os.WriteFile(stranger, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(stranger)

	if _, err := netspace.Acquire("victim"); !errors.Is(err, netspace.ErrInUse) {
		t.Errorf("Acquire of a living run's prefix: %v, want ErrInUse", err)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	if got := names(t, "victim-pod-a"); !slices.Contains(got, "victim-pod-a") {
		t.Fatalf("the killed run has left nothing to sweep: %q", got)
	}
	swept, err := netspace.Sweep()
	if err != nil || !slices.Equal(swept, []string{"victim"}) {
		t.Fatalf("Sweep() = %q, %v; want victim", swept, err)
	}
	want := []string{"victim-pod-aws", "victim-worker-stranger"}
	for _, n := range []string{"pod-a", "pod-a2", "pod-b", "pod-m", "worker-worker1", "worker-worker2"} {
		want = append(want, "victim-pod-"+n)
	}
	slices.Sort(want)
	if got := names(t, "victim"); !slices.Equal(got, want) {
		t.Errorf("left of victim*: %q\nwant %q", got, want)
	}
	if got := names(t, "other-"); len(got) != 7 {
		t.Errorf("the other run has %q, want its seven namespaces", got)
	}
	wantPing(t, alive.Worker("worker1").Namespace, "10.0.0.11", "10.0.0.12")
	_ = other
}

func TestARunTakesOverTheLeftoversOfADeadOne(t *testing.T) {
	victim := startHelper(t, "again")
	_ = victim.Process.Kill()
	_ = victim.Wait()
	f, _ := start(t, Options{Prefix: "again"})
	wantPing(t, f.Worker("worker1").Namespace, "10.0.0.11", "10.0.0.12")
}

func TestCloseLeavesNothing(t *testing.T) {
	f, _ := start(t, Options{Prefix: "gone"})
	cmd := exec.Command("sleep", "60")
	if err := f.Pod("a").Start(cmd); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("the pod's process ended with %v after %v, want it killed", err, time.Since(began))
	}
	if got := names(t, "gone"); len(got) != 0 {
		t.Errorf("namespaces left: %q", got)
	}
	if _, err := os.Stat(filepath.Join(netspace.StateDir, "gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("state directory: %v, want it gone", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestAFailedStartLeavesNothing(t *testing.T) {
	topo, err := topology.Parse("two-workers.yaml", []byte(twoWorkers))
	if err != nil {
		t.Fatal(err)
	}
	topo.Pods[3].Interfaces[0].ENI = "w1-sig" // on the other worker
	_, err = New(t.Context(), topo, &ownership{}, Options{Prefix: "failed"})
	if err == nil || !strings.Contains(err.Error(), "ENI w1-sig is on worker worker1") {
		t.Fatalf("New = %v, want the ENI named", err)
	}
	if got := names(t, "failed"); len(got) != 0 {
		t.Errorf("namespaces left: %q", got)
	}
}

func TestANamespaceOfSomebodyElseIsNotTaken(t *testing.T) {
	if err := os.MkdirAll(netspace.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(netspace.Dir, "taken-pod-b")
	if err := os.WriteFile(theirs, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(theirs)
	topo, err := topology.Parse("two-workers.yaml", []byte(twoWorkers))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = New(t.Context(), topo, &ownership{}, Options{Prefix: "taken"}); err == nil || !strings.Contains(err.Error(), "ip netns del taken-pod-b") {
		t.Errorf("New = %v, want the cure", err)
	}
	if got := names(t, "taken"); !slices.Equal(got, []string{"taken-pod-b"}) {
		t.Errorf("namespaces left: %q, want theirs only", got)
	}
}
