package archtest_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

const (
	maxFileLines     = 800
	maxFunctionLines = 70
)

func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		if s.made {
			continue
		}
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", s.path, s.lines, maxFileLines)
		}
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || s.test {
				continue // tables of test cases are long
			}
			first, last := s.fset.Position(f.Pos()).Line, s.fset.Position(f.End()).Line
			if last-first+1 > maxFunctionLines {
				t.Errorf("%s: function %s has %d lines, more than %d", s.path, f.Name.Name, last-first+1, maxFunctionLines)
			}
		}
	}
}

func TestNoInitAndNoMutableGlobals(t *testing.T) {
	constant := regexp.MustCompile(`^(_|[eE]rr[A-Z].*)$`)
	for _, s := range sources(t) {
		if s.made || s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s has an init function: wiring is explicit", s.path)
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						if !constant.MatchString(name.Name) && !isEmbed(d) {
							t.Errorf("%s: package variable %s: state belongs to values that are passed around", s.path, name.Name)
						}
					}
				}
			}
		}
	}
}

func isEmbed(d *ast.GenDecl) bool {
	return d.Doc != nil && strings.Contains(d.Doc.List[len(d.Doc.List)-1].Text, "go:embed")
}

func TestEveryPackageIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		documented[s.pkg] = documented[s.pkg] || s.made || s.file.Doc != nil
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", pkg)
		}
	}
}
