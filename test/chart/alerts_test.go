// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

const (
	alertsFile  = chart + "/files/alerts.yaml"
	alertsTests = "testdata/alerts.test.yaml"
)

// promtool runs Debian's.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is missing: it is in Debian's package prometheus, which `scripts/deps.sh test` installs")
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

type ruleGroup struct {
	Name  string `json:"name"`
	Rules []struct {
		Alert       string            `json:"alert"`
		Expr        string            `json:"expr"`
		For         string            `json:"for,omitempty"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"rules"`
}

func alerts(t *testing.T) []ruleGroup {
	t.Helper()
	raw, err := os.ReadFile(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Groups []ruleGroup `json:"groups"`
	}
	if err := yaml.UnmarshalStrict(raw, &f); err != nil {
		t.Fatal(err)
	}
	return f.Groups
}

// TestAlerts: each fires when it should, and not before.
func TestAlerts(t *testing.T) {
	promtool(t, "check", "rules", alertsFile)
	promtool(t, "test", "rules", alertsTests)
	tests, err := os.ReadFile(alertsTests)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range alerts(t) {
		for _, r := range g.Rules {
			if !strings.Contains(string(tests), "alertname: "+r.Alert+"\n") {
				t.Errorf("%s has no test", r.Alert)
			}
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" {
				t.Errorf("%s tells too little", r.Alert)
			}
		}
	}
}

var metric = regexp.MustCompile(`multus_ip_registrar_webhook_[a-z_]+`)

// TestAlertsUseMetricsThatExist: those of cmd/webhook/internal/metrics, by its source.
func TestAlertsUseMetricsThatExist(t *testing.T) {
	source, err := os.ReadFile(root + "/cmd/webhook/internal/metrics/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range alerts(t) {
		for _, r := range g.Rules {
			for _, name := range metric.FindAllString(r.Expr, -1) {
				short := strings.TrimSuffix(strings.TrimPrefix(name, "multus_ip_registrar_webhook_"), "_bucket")
				if !strings.Contains(string(source), `Name: "`+short+`"`) {
					t.Errorf("%s uses %s, which the webhook does not have", r.Alert, name)
				}
			}
		}
	}
}

// TestPrometheusRule has the alerts of the file, with the user's labels.
func TestPrometheusRule(t *testing.T) {
	want := alerts(t)
	for _, g := range want {
		for _, r := range g.Rules {
			maps.Copy(r.Labels, map[string]string{"team": "network"})
		}
	}
	for _, major := range majors {
		objects := custom(render(t, major, "-f", "testdata/values/everything.yaml"), "PrometheusRule")
		if len(objects) != 1 {
			t.Fatalf("%d PrometheusRules", len(objects))
		}
		raw, err := yaml.Marshal(objects[0].Object["spec"])
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Groups []ruleGroup `json:"groups"`
		}
		if err := yaml.UnmarshalStrict(raw, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Groups); diff != "" || objects[0].GetLabels()["release"] != "prometheus" {
			t.Errorf("helm %s (-want +got):\n%s", major, diff)
		}
		file := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		promtool(t, "check", "rules", file)
	}
}

// TestServiceMonitor finds the Service and its port.
func TestServiceMonitor(t *testing.T) {
	objects := render(t, "4", "-f", "testdata/values/everything.yaml")
	monitors := custom(objects, "ServiceMonitor")
	if len(monitors) != 1 {
		t.Fatalf("%d ServiceMonitors", len(monitors))
	}
	selector, _, _ := unstructured.NestedStringMap(monitors[0].Object, "spec", "selector", "matchLabels")
	service := one[*corev1.Service](t, objects)
	if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(labels.Set(service.Labels)) {
		t.Errorf("selects %v", selector)
	}
	endpoints, _, _ := unstructured.NestedSlice(monitors[0].Object, "spec", "endpoints")
	if len(endpoints) != 1 {
		t.Fatalf("%v", endpoints)
	}
	e, ok := endpoints[0].(map[string]any)
	if !ok || e["port"] != service.Spec.Ports[1].Name || e["path"] != "/metrics" || e["interval"] != "15s" {
		t.Errorf("%v", e)
	}
}
