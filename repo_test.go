// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package repo holds the rules of this repository, as tests.
package repo

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/multus-ip-registrar/multus-ip-registrar"

// mayNot says which packages must not reach which, by any way. The first word
// is a package's path below the module, the others are prefixes of import paths.
var mayNot = map[string][]string{
	"pkg/netwatch":       {module + "/", "github.com/aws/", "k8s.io/"},
	"pkg/eniassign":      {module + "/", "github.com/vishvananda/", "k8s.io/"},
	"pkg/inject":         {module + "/", "github.com/aws/", "github.com/vishvananda/"},
	"cmd/webhook":        {module + "/internal/registrar", module + "/internal/vpcsim", module + "/pkg/eniassign", "github.com/aws/"},
	"cmd/registrar":      {module + "/internal/vpcsim", "k8s.io/", "sigs.k8s.io/"},
	"internal/registrar": {module + "/internal/vpcsim", "k8s.io/", "sigs.k8s.io/"},
	"internal/vpcsim":    {module + "/internal/registrar", module + "/pkg/eniassign"},
}

// TestImports keeps the data flowing one way.
func TestImports(t *testing.T) {
	for place, forbidden := range mayNot {
		if _, err := os.Stat(place); err != nil {
			t.Errorf("%s has a rule and does not exist", place)
			continue
		}
		out, err := exec.Command("go", "list", "-deps", "./"+place+"/...").Output()
		if err != nil {
			t.Fatalf("go list %s: %v", place, err)
		}
		for dep := range strings.Lines(string(out)) {
			dep = strings.TrimSpace(dep)
			if own := module + "/" + place; dep == own || strings.HasPrefix(dep, own+"/") {
				continue
			}
			for _, f := range forbidden {
				if strings.HasPrefix(dep, f) {
					t.Errorf("%s reaches %s, which it must not", place, dep)
				}
			}
		}
	}
}

// goFiles are the module's Go files.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || path == "bin" || path == "out") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d Go files, %v", len(files), err)
	}
	return files
}

// TestLicenceHeaders: each file says whose it is.
func TestLicenceHeaders(t *testing.T) {
	const want = "// Copyright The multus-ip-registrar Authors.\n// SPDX-License-Identifier: Apache-2.0\n"
	for _, f := range goFiles(t) {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(raw), want) {
			t.Errorf("%s does not begin with the licence header", f)
		}
	}
}

// TestPackageComments: each package tells its one job.
func TestPackageComments(t *testing.T) {
	told := map[string]bool{}
	for _, f := range goFiles(t) {
		dir := filepath.Dir(f)
		if strings.HasSuffix(f, "_test.go") && dir != "." {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		told[dir] = told[dir] || parsed.Doc != nil
	}
	for dir, ok := range told {
		if !ok {
			t.Errorf("no file of %s has a package comment", dir)
		}
	}
}

// TestOnlyMainEndsTheProcess: Exit, Fatal and init functions hide the way of a
// program from those who read it.
func TestOnlyMainEndsTheProcess(t *testing.T) {
	for _, f := range goFiles(t) {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: an init function", set.Position(n.Pos()))
				}
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				ends := ok && (x.Name == "os" && n.Sel.Name == "Exit" || x.Name == "log" && strings.HasPrefix(n.Sel.Name, "Fatal"))
				if ends && parsed.Name.Name != "main" {
					t.Errorf("%s: %s.%s outside of main", set.Position(n.Pos()), x.Name, n.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestNoReplace: what is built is what go.mod names.
func TestNoReplace(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct{ Replace []any }
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if len(mod.Replace) > 0 {
		t.Errorf("go.mod replaces %v", mod.Replace)
	}
}

// TestMakefileIsShort: CI and people call the same few targets.
func TestMakefileIsShort(t *testing.T) {
	raw, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(raw), "\n"); n > 80 {
		t.Errorf("the Makefile has %d lines; move work to scripts/", n)
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// TestLinksInDocsLead: a link to a file of the repository leads to one.
func TestLinksInDocsLead(t *testing.T) {
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	adrs, err := filepath.Glob("docs/adr/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range append(append(docs, adrs...), "README.md", "CONTRIBUTING.md", "CHANGELOG.md") {
		raw, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(raw), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
}
