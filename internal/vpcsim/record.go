// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
)

// recordFile is the Record's name in the run's directory.
const recordFile = "run.json"

// A Record is what other processes have to know of a running VPC. Start leaves
// it in the run's directory.
type Record struct {
	EC2URL string `json:"ec2URL"`
	// Pods and Workers are by topology name.
	Pods    map[string]Place `json:"pods"`
	Workers map[string]Place `json:"workers"`
}

// A Place is where a program can run.
type Place struct {
	// Namespace is the name that "ip netns" knows.
	Namespace string `json:"namespace"`
	// Env is the environment for the AWS SDKs.
	Env []string `json:"env"`
}

// ErrNotRunning says that there is no run of a prefix.
var ErrNotRunning = errors.New("no embedded VPC is running")

// RunDir is the directory of a run; root is "/", or another process' root.
func RunDir(root, prefix string) string { return filepath.Join(root, netspace.StateDir, prefix) }

// ReadRecord returns the record of a run; ErrNotRunning when there is none.
func ReadRecord(root, prefix string) (r Record, err error) {
	b, err := os.ReadFile(filepath.Join(RunDir(root, prefix), recordFile))
	if errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("%w with prefix %s", ErrNotRunning, prefix)
	}
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read the record of run %s: %w", prefix, err)
	}
	return r, nil
}

func (s *Sim) writeRecord() error {
	r := Record{EC2URL: s.EC2URL, Pods: make(map[string]Place), Workers: make(map[string]Place)}
	for _, p := range s.Fabric.Pods() {
		r.Pods[p.Name] = Place{p.Namespace.Name, s.Env(p.Name)}
	}
	for _, w := range s.VPC.Topology().Workers {
		if w := s.Fabric.Worker(w.Name); w != nil {
			r.Workers[w.Name] = Place{w.Namespace.Name, s.Env(w.Name)}
		}
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(s.Fabric.Dir(), recordFile), b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the record of the run: %w", err)
	}
	return nil
}
