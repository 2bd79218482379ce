// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// TestMetricsReference holds the tables of docs/metrics.md to the code: the names
// and the help texts that a scrape has.
func TestMetricsReference(t *testing.T) {
	for table, of := range map[string]struct{ file, namespace string }{
		"the registrar's metrics": {"internal/registrar/metrics/metrics.go", "multus_ip_registrar_"},
		"the webhook's metrics":   {"cmd/webhook/internal/metrics/metrics.go", "multus_ip_registrar_webhook_"},
	} {
		found := metrics(t, of.file)
		if len(found) == 0 {
			t.Errorf("%s makes no metrics", of.file)
		}
		var want strings.Builder
		want.WriteString("| Name | Kind | Meaning |\n|---|---|---|\n")
		for _, m := range found {
			fmt.Fprintf(&want, "| `%s%s` | %s | %s |\n", of.namespace, m.name, m.kind, m.help)
		}
		holdTable(t, "docs/metrics.md", table, want.String())
	}
}

type metric struct{ name, kind, help string }

// metrics are those that a file makes, in its order: a registry would list only
// those that have a value.
func metrics(t *testing.T, file string) []metric {
	t.Helper()
	var all []metric
	ast.Inspect(source(t, file), func(n ast.Node) bool {
		made, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		opts, ok := made.Type.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		m := metric{kind: strings.ToLower(strings.TrimSuffix(opts.Sel.Name, "Opts"))}
		for _, e := range made.Elts {
			field, ok := e.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			if literal, ok := field.Value.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				switch field.Key.(*ast.Ident).Name {
				case "Name":
					m.name = value
				case "Help":
					m.help = value
				}
			}
		}
		if m.name != "" {
			all = append(all, m)
		}
		return true
	})
	return all
}
