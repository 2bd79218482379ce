// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

// pages are those that this package looks after.
var pages = []string{
	"docs/install.md", "docs/annotations.md", "docs/iam.md", "docs/upgrade.md", "docs/troubleshooting.md", "docs/metrics.md", "examples/multus/README.md",
}

// TestAnnotationsReference holds the table of docs/annotations.md to the code.
func TestAnnotationsReference(t *testing.T) {
	var want strings.Builder
	want.WriteString("| Key | On | Values | Example | Meaning |\n|---|---|---|---|---|\n")
	for _, k := range inject.Keys() {
		example := "–"
		if k.Example != "" {
			example = "`" + k.Example + "`"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s | %s |\n", k.Name, k.On, k.Allowed, example, k.Meaning)
	}
	holdTable(t, "docs/annotations.md", "keys", want.String())
}

// holdTable holds a table of a page, between marks with its name, to the code, or
// with UPDATE_GOLDEN=1 writes it.
func holdTable(t *testing.T, page, name, want string) {
	t.Helper()
	begin, end := "<!-- "+name+": written by UPDATE_GOLDEN=1 go test ./test/examples -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(read(t, root+"/"+page), begin)
	got, after, closed := strings.Cut(rest, end)
	switch {
	case !ok || !closed:
		t.Fatalf("%s has lost the marks around its table of %s", page, name)
	case got == want:
	case os.Getenv("UPDATE_GOLDEN") == "":
		t.Fatalf("the table of %s in %s is not what the code says; UPDATE_GOLDEN=1 writes it. Want:\n%s", name, page, want)
	default:
		if err := os.WriteFile(root+"/"+page, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// source is a file of Go, parsed.
func source(t *testing.T, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), root+"/"+file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// reasons are the webhook's, read from its source: constants cannot be listed
// at run time.
func reasons(t *testing.T) []string {
	t.Helper()
	var out []string
	ast.Inspect(source(t, "pkg/inject/reason.go"), func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := v.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
			return true
		}
		for _, value := range v.Values {
			s, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return true
	})
	if len(out) < 20 {
		t.Fatalf("found %d reasons", len(out))
	}
	slices.Sort(out)
	return out
}

// TestEveryReasonHasACure: the tables of docs/troubleshooting.md have each of the
// webhook's reasons once, with what it means and what to do.
func TestEveryReasonHasACure(t *testing.T) {
	_, part, ok := strings.Cut(read(t, root+"/docs/troubleshooting.md"), "\n## What the webhook says\n")
	if !ok {
		t.Fatal("the section is gone")
	}
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|(.*)\\|(.*)\\|$").FindAllStringSubmatch(part, -1) {
		got = append(got, row[1])
		if strings.TrimSpace(row[2]) == "" || strings.TrimSpace(row[3]) == "" {
			t.Errorf("%s has no meaning or no cure", row[1])
		}
	}
	slices.Sort(got)
	if want := reasons(t); !slices.Equal(got, want) {
		t.Errorf("the page has\n%v\nthe code\n%v", got, want)
	}
}

// TestReasonCodesStayOnTheirPage: the registrar's codes are in docs/reasons.md,
// which the troubleshooting links to.
func TestReasonCodesStayOnTheirPage(t *testing.T) {
	if !strings.Contains(read(t, root+"/docs/troubleshooting.md"), "(reasons.md)") {
		t.Error("docs/troubleshooting.md does not lead to docs/reasons.md")
	}
}

// TestLinks: files and headings that the pages lead to exist.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(read(t, root+"/"+page), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := root + "/" + page
			if target != "" {
				path = filepath.Join(root, filepath.Dir(page), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s leads to %s: %v", page, m[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, path)), anchor) {
				t.Errorf("%s leads to %s: no such heading", page, m[1])
			}
		}
	}
}

// anchors are what GitHub makes of the headings.
func anchors(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		a := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		out = append(out, strings.ReplaceAll(a, " ", "-"))
	}
	return out
}
