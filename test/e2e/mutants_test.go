// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e && mutants

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/e2e/image"
)

// A mutant is a registrar that breaks one of the laws of claims, by one change
// of its source, the story that must notice, and what it says then, as a
// regular expression.
type mutant struct {
	law, file, from, to, story, says string
}

var mutants = []mutant{
	{
		"1: only the first snapshot counts", "internal/registrar/registrar.go",
		"r.opts.Watcher.Watch(watch, r.snapshots.put)",
		"r.opts.Watcher.Watch(watch, func() func(netwatch.Snapshot) { var once sync.Once; return func(s netwatch.Snapshot) { once.Do(func() { r.snapshots.put(s) }) } }())",
		"TestSidecarFollowsThePod", `EC2 has 10\.0\.3\.76 on ENI "", want`,
	}, {
		"2: the default network is ours too", "internal/registrar/podinfo/networkstatus.go",
		`names := []string{"eth0"}`, `names := []string{}`, "TestInitRoutesBeforeTheApplicationStarts", `which is the worker's primary ENI`,
	}, {
		"3: what appears is not claimed", "pkg/eniassign/request.go",
		"AllowReassignment:  aws.Bool(r.call.Verb == Claim)", "AllowReassignment:  aws.Bool(false)", "TestRivalsDoNotFight", `EC2 has 10\.0\.3\.122 on ENI "w1-n3", want "w2-n3"`,
	}, {
		"4: what another took is taken back at once", "internal/registrar/ledger/done.go",
		"c.due = now.Add(l.stretched(double(l.cfg.HoldDown, c.steals, l.cfg.HoldDownMax)))", "c.due = now", "TestRivalsDoNotFight", `took 10\.0\.3\.122 \S+ after the other pod did`,
	}, {
		"5: nothing is released at the end", "internal/registrar/registrar.go",
		"for !r.ledger.Drained() {", "for range 0 {",
		"TestRestrictedPodWithoutAToken", `the pod is gone, and EC2 has its address`,
	}, {
		"6: a restart is an appearance", "internal/registrar/step.go",
		"r.ledger.Restore(r.started, records)", "r.ledger.Restore(r.started, records[:0])",
		"TestRivalsDoNotFight", `took 10\.0\.3\.122 \S+ after its registrar came back`,
	}, {
		"7: ready before it is routed", "internal/registrar/registrar.go",
		"if untilReady && len(r.ledger.Waiting()) == 0 {", "if untilReady {", "TestInitRoutesBeforeTheApplicationStarts", `has assigned nothing|was not routed when`,
	}, {
		"8: more calls than needed", "internal/registrar/step.go",
		"enis, err := r.opts.Cloud.Describe(r.workUntil, w.Describe)",
		"_, _ = r.opts.Cloud.Describe(r.workUntil, w.Describe); enis, err := r.opts.Cloud.Describe(r.workUntil, w.Describe)",
		"TestInitRoutesBeforeTheApplicationStarts", `calls to EC2 with the role of`,
	}, {
		"9: the primary ENI is touched", "pkg/eniassign/match.go",
		"case e.DeviceIndex == 0 && p.AllowPrimaryENI:", "case e.DeviceIndex == 0:", "TestHandsOffThePrimaryENI", `does not say which is the worker's primary ENI`,
	},
}

// Each law is broken in turn, in the image that the workers have, and a story
// must fail. E2E_MUTANT is a regular expression that chooses laws.
func TestBrokenLawsAreNoticed(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(the.dir, "bin", "registrar"))
	if err != nil {
		t.Fatal(err)
	}
	tag := registrarTag(t)
	give := func(t *testing.T, program []byte) {
		for _, w := range []worker{worker1, worker2} {
			w.load(t, image.Image{
				Name: tag, User: productUser, Entrypoint: []string{"/registrar"},
				Files: []image.File{{Path: "/registrar", Content: program}},
			})
		}
	}
	t.Cleanup(func() { give(t, good) })
	chosen := regexp.MustCompile(os.Getenv("E2E_MUTANT"))
	for _, m := range mutants {
		if !chosen.MatchString(m.law) {
			continue
		}
		t.Run(m.law, func(t *testing.T) {
			give(t, m.build(t))
			began := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+m.story+"$", "-test.v")
			cmd.Env = append(os.Environ(), "E2E_PATIENCE="+cmp.Or(os.Getenv("E2E_PATIENCE"), "60s"))
			out, err := cmd.CombinedOutput()
			said := regexp.MustCompile(m.says).FindString(string(out))
			if err == nil || !strings.Contains(string(out), "--- FAIL: "+m.story) || said == "" {
				t.Fatalf("%s does not notice: %v, it does not say %s\n%s", m.story, err, m.says, out)
			}
			t.Logf("%s fails after %.0f s: %s", m.story, time.Since(began).Seconds(), said)
		})
	}
}

// build builds the mutant, beside the source, which stays as it is.
func (m mutant) build(t *testing.T) []byte {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("../..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.from); n != 1 {
		t.Fatalf("%s has %d times %q: the mutant is out of date", m.file, n, m.from)
	}
	dir := t.TempDir()
	changed, overlay, program := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "registrar")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err == nil {
		err = os.WriteFile(overlay, text, 0o644)
	}
	if err == nil {
		err = os.WriteFile(changed, []byte(strings.Replace(string(source), m.from, m.to, 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-overlay", overlay, "-ldflags", "-s -w", "-o", program, "./cmd/registrar")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if _, err := output(cmd); err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// registrarTag is the image that the webhook injects.
func registrarTag(t *testing.T) string {
	t.Helper()
	args, err := kubectl("", "--namespace", release, "get", "deployment", release, "-o", "jsonpath={.spec.template.spec.containers[0].args}")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`--image=([^"]+)`).FindStringSubmatch(args)
	if m == nil {
		t.Fatalf("the webhook is not told an image: %s", args)
	}
	return m[1]
}
