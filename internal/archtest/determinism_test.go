package archtest_test

import (
	"go/ast"
	"slices"
	"testing"
)

// TestDeterministicPackages proves that what every node must compute alike reads no clock,
// no randomness and no environment, starts nothing and logs nothing.
func TestDeterministicPackages(t *testing.T) {
	pure := []string{"fsm", "policy", "idn", "zone", "registry"}
	forbidden := []string{"math/rand", "math/rand/v2", "crypto/rand", "net/http", "os", "log", "log/slog", "context", "github.com/prometheus/client_golang/prometheus"}
	for _, s := range sources(t) {
		if s.test || s.made || !slices.ContainsFunc(pure, func(p string) bool { return within(s.pkg, p) }) {
			continue
		}
		for _, name := range s.imports {
			if slices.Contains(forbidden, name) {
				t.Errorf("%s imports %s: every node must come to the same state", s.path, name)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine at line %d", s.path, s.fset.Position(n.Pos()).Line)
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Tick", "NewTimer", "Sleep"}, n.Sel.Name) {
					t.Errorf("%s reads the clock at line %d", s.path, s.fset.Position(n.Pos()).Line)
				}
			}
			return true
		})
	}
}

// TestOnlyFsmWrites proves that the state changes through the log alone.
func TestOnlyFsmWrites(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || within(s.pkg, "fsm") || within(s.pkg, "store") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, isIdent := sel.X.(*ast.Ident); isIdent && x.Name == "store" && sel.Sel.Name == "Tx" {
				t.Errorf("%s uses store.Tx at line %d: only fsm changes the state", s.path, s.fset.Position(n.Pos()).Line)
			}
			return true
		})
	}
}
