// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSettings(t *testing.T) {
	got, faults := ParseSettings(map[string]string{
		KeyInterfaces: "net1, net2,net1", KeyFloatingIPs: "10.0.1.50,10.0.2.0/28,fd00::1", KeyRouteTables: "rtb-01234567, rtb-0123456789abcdef0",
		KeyRelease: "never", KeyLogLevel: "warn", KeyResources: "memory=128Mi", "app.kubernetes.io/name": "upf", KeyInject: "sidecar",
	})
	want := Settings{
		Interfaces:  []string{"net1", "net2"},
		FloatingIPs: []netip.Prefix{netip.MustParsePrefix("10.0.1.50/32"), netip.MustParsePrefix("10.0.2.0/28"), netip.MustParsePrefix("fd00::1/128")},
		RouteTables: []string{"rtb-01234567", "rtb-0123456789abcdef0"},
		Release:     "never", LogLevel: "warn", Resources: Resources{Memory: "128Mi"},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" || len(faults) > 0 {
		t.Errorf("%v (-want +got):\n%s", faults, diff)
	}
}

// TestBadValuesHelp: each is refused with words that lead to a good one.
func TestBadValuesHelp(t *testing.T) {
	for _, tt := range []struct{ key, value, says string }{
		{KeyInterfaces, "", "empty"},
		{KeyInterfaces, "net1,,net2", "cannot be an interface's name"},
		{KeyInterfaces, "an-interface-too-long", "1 to 15 characters"},
		{KeyInterfaces, "..", "cannot be"},
		{KeyFloatingIPs, "10.0.1.5/24", "of the prefix 10.0.1.0/24"},
		{KeyFloatingIPs, "10.0.1", "no address"},
		{KeyFloatingIPs, "fe80::1", "cannot float"},
		{KeyFloatingIPs, "224.0.0.1", "cannot float"},
		{KeyFloatingIPs, "0.0.0.0/0", "cannot float"},
		{KeyFloatingIPs, "fe80::1%eth0", "no address"},
		{KeyFloatingIPs, "::ffff:10.0.0.1", "10.0.0.1"},
		{KeyRouteTables, "rtb-0123", "no route table ID"},
		{KeyRouteTables, "rtb-0123456X", "no route table ID"},
		{KeyRelease, "nevr", `did you mean "never"`},
		{KeyRelease, "", "choose always or never"},
		{KeyLogLevel, "warning", `choose debug, info, warn or error`},
		{KeyLogLevel, "DEBUG", `did you mean "debug"`},
		{KeyResources, "10m", "cpu=QUANTITY"},
		{KeyResources, "cpu=10m,cpu=20m", "twice"},
		{KeyResources, "cpu=-1", "above 0"},
		{KeyResources, "memory=64MB", "no quantity"},
		{KeyResources, "memory=8Mi", "needs 16Mi"},
		{KeyResources, "disk=1Gi", "cpu=QUANTITY"},
		{KeyStatus, "{}", "written by the webhook"},
		{Prefix + "floating-ip", "10.0.0.1", "did you mean multus-ip-registrar.io/floating-ips?"},
		{Prefix + "zzzzzz", "", "choose one of inject, interfaces"},
		{KeyInterfaces, strings.Repeat("x", 3000), "…"},
		{KeyInterfaces, strings.Repeat("x", 4097), "is 4097 bytes long: 4096 are allowed"},
		{KeyFloatingIPs, strings.Repeat("10.0.0.1,", 500), "is 4500 bytes long"},
		{KeyFloatingIPs, strings.Repeat("fd00::1,", 256) + "fd00::1", "has 257 items: 256 are allowed"},
		{KeyInterfaces, strings.Repeat("a,", 256) + "a", "has 257 items: 256 are allowed"},
		{KeyRelease, strings.Repeat("never", 1000), "is 5000 bytes long"},
		{KeyLogLevel, strings.Repeat(" ", 5000), "is 5000 bytes long"},
		{KeyResources, strings.Repeat("cpu=1,", 1000), "is 6000 bytes long"},
	} {
		_, faults := ParseSettings(map[string]string{tt.key: tt.value})
		if len(faults) != 1 || !strings.Contains(faults[0].Message, tt.says) || !strings.Contains(faults[0].Message, tt.key) {
			t.Errorf("%s: %.30q: %v, want one that says %q", tt.key, tt.value, faults, tt.says)
		}
		if len(faults) > 0 && len(faults[0].Message) > 300 {
			t.Errorf("%s: %.30q: a sentence of %d bytes", tt.key, tt.value, len(faults[0].Message))
		}
	}
}

// TestManyAndLongKeysAreToldInShort: the sentence goes to the user and the log.
func TestManyAndLongKeysAreToldInShort(t *testing.T) {
	_, faults := ParseSettings(map[string]string{Prefix + strings.Repeat("interfaces", 300_000): "net1"})
	if len(faults) != 1 || faults[0].Reason != ReasonUnknownAnnotation || len(faults[0].Message) > 300 {
		t.Errorf("a long key: %.500v", faults)
	}
	many := map[string]string{}
	for i := range 100_000 {
		many[Prefix+strconv.Itoa(i)] = ""
	}
	if _, faults = ParseSettings(many); len(faults) != 1 || !strings.Contains(faults[0].Message, "has 100000 annotations") {
		t.Errorf("many keys: %.500v", faults)
	}
}

// TestSuggestionsAreForShortTexts: to look for one takes the product of both lengths.
func TestSuggestionsAreForShortTexts(t *testing.T) {
	long := strings.Repeat("x", 64)
	if got := nearest(long, []string{long + "y"}); got == "" {
		t.Error("64 bytes get no suggestion")
	}
	if got := nearest(long+"x", []string{long}); got != "" {
		t.Errorf("65 bytes get %q", got)
	}
	if n := testing.AllocsPerRun(1, func() { nearest(strings.Repeat(long, 50_000), []string{"never"}) }); n > 5 {
		t.Errorf("a long text takes %v allocations", n)
	}
}

// TestKeysAreWhatIsRead: each example is accepted, so the reference cannot lie.
func TestKeysAreWhatIsRead(t *testing.T) {
	for _, k := range Keys() {
		if k.On == "" || k.Allowed == "" || k.Meaning == "" {
			t.Errorf("%s is not described", k.Name)
		}
		if k.Name == KeyStatus || k.Name == KeyInject {
			continue
		}
		if _, faults := ParseSettings(map[string]string{k.Name: k.Example}); len(faults) > 0 {
			t.Errorf("the example of %s: %v", k.Name, faults)
		}
	}
	if _, err := parseMode(Keys()[0].Example); err != nil {
		t.Error(err)
	}
}

func TestDefaultsCheck(t *testing.T) {
	for _, image := range []string{"registrar", "registrar:v1", "registry.example:5000/ns/registrar@sha256:" + strings.Repeat("0123", 16)} {
		good := defaults()
		good.Image = image
		if err := good.Check(); err != nil {
			t.Error(err)
		}
	}
	for _, image := range []string{"Registrar", "re gistrar", " registrar", "registrar:", "registrar@sha256:0123", "https://registry.example/registrar"} {
		if err := (Defaults{Image: image}).Check(); err == nil || !strings.Contains(err.Error(), image) {
			t.Errorf("the image %q: %v", image, err)
		}
	}
	bad := Defaults{ImagePullPolicy: "sometimes", LogLevel: "loud", Release: "no", Resources: Resources{CPU: "x", Memory: "1"}}
	err := bad.Check()
	for _, want := range []string{"no image", "pull policy", "log level", "release", "cpu=", "16Mi"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing of %q in %v", want, err)
		}
	}
}

// TestVariablesAreFlagsOfTheRegistrar: what is injected, cmd/registrar reads; it
// passes over unknown variables in silence.
func TestVariablesAreFlagsOfTheRegistrar(t *testing.T) {
	files, err := filepath.Glob("../../cmd/registrar/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	var source strings.Builder
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(raw)
	}
	short := int64(10)
	d := Decision{Settings: Settings{
		Interfaces: []string{"net1"}, FloatingIPs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")},
		RouteTables: []string{"rtb-01234567"}, Release: "never", LogLevel: "debug",
	}}
	env := d.environment(commandSidecar, defaults(), &short)
	if len(env) != maxEnv {
		t.Errorf("%d variables", len(env))
	}
	for _, e := range env {
		flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(e.Name, "REGISTRAR_"), "_", "-"))
		if !strings.Contains(source.String(), `"`+flag+`"`) {
			t.Errorf("%s is no flag of cmd/registrar", e.Name)
		}
	}
	if !strings.Contains(source.String(), `"`+StateDir+`"`) {
		t.Errorf("%s is not the registrar's state directory", StateDir)
	}
}

func TestShutdownFitsTheGracePeriod(t *testing.T) {
	at := func(n int64) *int64 { return &n }
	for _, tt := range []struct {
		grace *int64
		want  string
	}{{nil, ""}, {at(30), ""}, {at(300), ""}, {at(0), ""}, {at(10), "8s"}, {at(1), "800ms"}} {
		if got := shutdown(tt.grace); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.grace, got, tt.want)
		}
	}
}
