// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func runWith(t *testing.T, env map[string]string, args ...string) (int, string, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, func(k string) (string, bool) { v, ok := env[k]; return v, ok }, &out, &errs)
	return code, out.String(), errs.String()
}

// TestWrongUsageTellsEverything: all faults at once, exit code 2, by flags and by
// variables.
func TestWrongUsageTellsEverything(t *testing.T) {
	code, _, errs := runWith(t, map[string]string{"WEBHOOK_DRAIN_DELAY": "-1s", "WEBHOOK_LOG_LEVEL": "loud"},
		"serve", "--certificates", "magic", "--native-sidecars=perhaps", "--registrar-resources", "cpu=no", "--registrar-env", "X", "--address", "9443", "--nonsense")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"--certificates is", "--native-sidecars is", "--registrar-resources has", "--registrar-env has", "--address is", "--image is empty", "--drain-delay is -1s", "--log-level is", "no flag --nonsense"} {
		if !strings.Contains(errs, want) {
			t.Errorf("nothing of %q in:\n%s", want, errs)
		}
	}
	code, _, errs = runWith(t, nil, "serve", "--image", "Bad Image", "--namespace", "Y_bad", "--service", "a b", "--image-pull-policy", "Sometimes",
		"--registrar-env", "=x", "--ops-address", ":99999", "--shutdown-timeout", "5")
	for _, want := range []string{"--image: ", `--namespace is "Y_bad"`, `--service is "a b"`, "--image-pull-policy: ", "--registrar-env: ", "--ops-address is", `--shutdown-timeout is "5": write`} {
		if code != 2 || !strings.Contains(errs, want) {
			t.Errorf("exit code %d, nothing of %q in:\n%s", code, want, errs)
		}
	}
	if code, _, _ := runWith(t, nil, "inject"); code != 2 {
		t.Errorf("an unknown command: exit code %d", code)
	}
}

func TestHelpNamesEveryVariable(t *testing.T) {
	code, out, _ := runWith(t, nil, "serve", "--help")
	if code != 0 || !strings.Contains(out, "[WEBHOOK_CERT_DIR]") || !strings.Contains(out, "[WEBHOOK_IMAGE]") {
		t.Errorf("%d %s", code, out)
	}
	if code, out, _ := runWith(t, nil, "version"); code != 0 || !strings.HasPrefix(out, "webhook ") {
		t.Errorf("%d %s", code, out)
	}
}

// TestOutsideOfACluster: a failure at run time, not a wrong usage.
func TestOutsideOfACluster(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	code, _, errs := runWith(t, map[string]string{"WEBHOOK_IMAGE": "x", "WEBHOOK_NAMESPACE": "system"}, "serve")
	if code != 1 || !strings.Contains(errs, "find the API server") {
		t.Errorf("%d %s", code, errs)
	}
}

// TestImports: the webhook knows nothing of AWS or netlink, and pkg/inject nothing
// of the rest of the project.
func TestImports(t *testing.T) {
	const module = "github.com/multus-ip-registrar/multus-ip-registrar/"
	for place, forbidden := range map[string][]string{
		"./...":            {"github.com/aws/", "github.com/vishvananda/", module + "internal/registrar", module + "internal/vpcsim"},
		"../../pkg/inject": {"github.com/aws/", "github.com/vishvananda/", module + "cmd/", module + "internal/", module + "pkg/eniassign", module + "pkg/netwatch"},
	} {
		out, err := exec.Command("go", "list", "-deps", place).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range forbidden {
			if strings.Contains(string(out), "\n"+f) {
				t.Errorf("%s reaches %s", place, f)
			}
		}
	}
}
