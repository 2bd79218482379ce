// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnnotationsBeatFlags where they can be understood; what is wrong with
// others is told, and changes nothing.
func TestAnnotationsBeatFlags(t *testing.T) {
	floating, err := parseFloating(named{"", []string{"10.0.1.200"}}, named{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, floating, interfaces, told string }{
		"no file":             {"", "{[10.0.1.200/32] []}", "[eth0]", "annotations file is not there"},
		"no such annotations": {`other="x"`, "{[10.0.1.200/32] []}", "[eth0]", ""},
		"both": {`multus-ip-registrar.io/floating-ips="192.0.2.10, fd00::1"` + "\n" + `multus-ip-registrar.io/route-tables="rtb-1"`,
			"{[192.0.2.10/32 fd00::1/128] [rtb-1]}", "[eth0]", ""},
		"none any more": {`multus-ip-registrar.io/floating-ips=""`, "{[] []}", "[eth0]", ""},
		"nonsense":      {`multus-ip-registrar.io/floating-ips="10.0.1"`, "{[10.0.1.200/32] []}", "[eth0]", "multus-ip-registrar.io/floating-ips: "},
		"networks": {`k8s.v1.cni.cncf.io/network-status="[{\"name\":\"a\",\"interface\":\"main0\",\"default\":true}]"`,
			"{[10.0.1.200/32] []}", "[eth0 main0]", ""},
		"no downward API": {"nonsense", "{[10.0.1.200/32] []}", "[eth0]", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "annotations")
			if c.file != "" {
				if err := os.WriteFile(path, []byte(c.file+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var log bytes.Buffer
			a := &annotated{s: &settings{annotations: path, floatingIPs: []string{"10.0.1.200"}, floating: floating},
				log: slog.New(slog.NewTextHandler(&log, nil))}
			p := a.first()
			if got := fmt.Sprint(p.Floating); got != c.floating {
				t.Errorf("floating %s, want %s", got, c.floating)
			}
			if got := fmt.Sprint(p.DefaultInterfaces); got != c.interfaces {
				t.Errorf("interfaces %s, want %s", got, c.interfaces)
			}
			if c.told == "" && log.Len() > 0 || !strings.Contains(log.String(), c.told) {
				t.Errorf("told: %s", log.String())
			}
		})
	}
}
