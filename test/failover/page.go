// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/test/measured"
)

// writePage puts the scenarios and the figures between the marks of a page.
func writePage(path string, rep report) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write the figures into a page: %w", err)
	}
	var list, figures bytes.Buffer
	fmt.Fprintln(&list, "| Scenario | What happens | In the end it is on |\n|---|---|---|")
	for _, r := range rep.Results {
		fmt.Fprintf(&list, "| `%s` | %s | %s |\n", r.Name, r.What, r.Holder)
	}
	printTable(&figures, rep)
	text := string(raw)
	for name, content := range map[string]string{"scenarios": list.String(), "figures": figures.String()} {
		if text, err = between(text, name, content); err != nil {
			return fmt.Errorf("write the figures into %s: %w", path, err)
		}
	}
	return measured.WriteFile(path, []byte(text))
}

// between replaces what stands between the marks of a name.
func between(text, name, content string) (string, error) {
	before, rest, begun := strings.Cut(text, "<!-- "+name+":")
	mark, rest, closed := strings.Cut(rest, "-->\n")
	end := "<!-- end of " + name + " -->"
	_, after, ended := strings.Cut(rest, end)
	if !begun || !closed || !ended {
		return "", fmt.Errorf("it has no marks around its %s", name)
	}
	return before + "<!-- " + name + ":" + mark + "-->\n" + content + end + after, nil
}
