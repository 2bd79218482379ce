// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"os"
	"os/exec"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// TestBoto3 runs a Python program with boto3 against the API. Where CI runs,
// boto3 must be there.
func TestBoto3(t *testing.T) {
	python := ""
	for _, p := range []string{os.Getenv("PYTHON"), "/usr/bin/python3", "python3"} {
		if p != "" && exec.Command(p, "-c", "import boto3").Run() == nil {
			python = p
			break
		}
	}
	if python == "" {
		const missing = "no python3 with boto3; install it with: apt-get install -y python3-boto3 (or set PYTHON)"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	v := newWorld(t)
	cmd := exec.Command(python, "testdata/boto3_story.py")
	cmd.Env = append(os.Environ(), "ENDPOINT="+serve(t, v), "ENI_A1="+*id("a1"), "ENI_B1="+*id("b1"), "MAC_A1="+topology.DeriveMAC("a1"),
		"AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if c := v.Calls()[0]; c.AccessKey != "AKIDBOTO" {
		t.Errorf("the first call is logged as of %q", c.AccessKey)
	}
}
