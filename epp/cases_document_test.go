package epp

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// casesDocument lists what is tested, case by case.
const casesDocument = "../docs/epp-cases.md"

// TestEPPCases: every script and test that the document names is there, and every script of
// frames is named by it.
func TestEPPCases(t *testing.T) {
	data, err := os.ReadFile(casesDocument)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, found := range regexp.MustCompile("`([^` ]+)`").FindAllStringSubmatch(string(data), -1) {
		named[found[1]] = true
	}
	scripts, tests := scriptNames(t), knownTests(t)
	for name := range named {
		switch {
		case strings.HasPrefix(name, "Test") && name != "Test":
			if !tests[name] {
				t.Errorf("the document names %s, and there is no such test", name)
			}
		case strings.HasSuffix(name, ".txt") && name != ".txt", strings.Count(name, "/") == 1 && !strings.HasSuffix(name, "/testdata"):
			if !scripts[name] {
				t.Errorf("the document names %s, and there is no such script", name)
			}
		}
	}
	for name := range scripts {
		if !named[name] && !strings.HasSuffix(name, ".txt") { // those of the log have other readers too
			t.Errorf("the document does not say what %s shows", name)
		}
	}
	if len(scripts) < 90 {
		t.Errorf("only %d scripts were found", len(scripts))
	}
}

// scriptNames are those of frames, and those of commands of the log with their ending.
func scriptNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	frames, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range frames {
		names[strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/"), ".txtar")] = true
	}
	commands, err := filepath.Glob("../fsm/testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range commands {
		names[filepath.Base(path)] = true
	}
	return names
}

// knownTests are the functions in the tests of this package, of its codec and of the state machine.
func knownTests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, dir := range []string{".", "../fsm"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			for _, found := range function.FindAllStringSubmatch(string(data), -1) {
				names[found[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}
