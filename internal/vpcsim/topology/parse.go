// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// MaxFileSize is the most bytes of a topology: far above what a VPC that fits
// one machine needs, and far below what would tie the parser up.
const MaxFileSize = 4 << 20

// Load reads and parses a file. The error holds every Fault of the file.
func Load(path string) (Topology, error) {
	f, err := os.Open(path)
	if err != nil {
		return Topology{}, fmt.Errorf("open the topology: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return Topology{}, fmt.Errorf("read the topology: %w", err)
	}
	return Parse(path, data)
}

// Parse reads one YAML document. The name stands in the faults in place of a
// file name. The topology that it returns is complete (see Complete) when the
// error is nil; otherwise the error holds every Fault.
func Parse(name string, data []byte) (Topology, error) {
	d := &decoder{file: name, lines: map[string]int{}}
	if len(data) > MaxFileSize {
		d.fault(0, "", fmt.Sprintf("the topology is larger than %d bytes", MaxFileSize), "split the lab in two")
		return Topology{}, d.err()
	}
	var t Topology
	root := d.document(data)
	if root == nil {
		return Topology{}, d.err()
	}
	d.value(root, reflect.ValueOf(&t).Elem(), "")
	complete(&t)
	c := &checker{report: d.report}
	c.topology(t)
	if err := d.err(); err != nil {
		return Topology{}, err
	}
	return t, nil
}

// Complete returns t with ids, MACs and defaults filled in, or an error that
// holds every Fault. It is what Parse does to a file, for a Topology that was
// built in code. Completing twice changes nothing.
func Complete(t Topology) (Topology, error) {
	complete(&t)
	var faults []Fault
	c := &checker{report: func(path, text, cure string) {
		faults = append(faults, Fault{Path: path, Text: text, Cure: cure})
	}}
	c.topology(t)
	if err := join(faults); err != nil {
		return Topology{}, err
	}
	return t, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// document returns the root node of the only document, nil after a fault.
func (d *decoder) document(data []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF):
		d.fault(1, "", "the file is empty", "describe at least a VPC, a subnet and a worker")
		return nil
	case err != nil:
		d.syntax(err)
		return nil
	}
	switch err := dec.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(err)
		return nil
	default:
		d.fault(second.Line, "", "the file has a second document", "write one document per file")
		return nil
	}
	return doc.Content[0]
}

// syntax reports what the YAML parser said, with its line where it told one.
func (d *decoder) syntax(err error) {
	line, text := 0, err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	d.fault(line, "", "this is not YAML: "+text, "check indentation, quotes and brackets around this line")
}
