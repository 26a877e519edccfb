package epp

import (
	"os"
	"strings"
	"testing"
)

// archive is a file in the txtar format: a comment, then sections that begin with a line
// "-- name --".
type archive struct {
	comment  string
	sections []section
}

type section struct{ name, data string }

func readArchive(t *testing.T, path string) *archive {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{}
	for line := range strings.Lines(string(data)) {
		trimmed := strings.TrimSpace(line)
		switch {
		case len(trimmed) > 6 && strings.HasPrefix(trimmed, "-- ") && strings.HasSuffix(trimmed, " --"):
			a.sections = append(a.sections, section{name: strings.TrimSpace(trimmed[3 : len(trimmed)-3])})
		case len(a.sections) == 0:
			a.comment += line
		default:
			a.sections[len(a.sections)-1].data += line
		}
	}
	return a
}

func (a *archive) write(t *testing.T, path string) {
	t.Helper()
	var b strings.Builder
	b.WriteString(a.comment)
	for _, s := range a.sections {
		b.WriteString("-- " + s.name + " --\n" + strings.TrimRight(s.data, "\n") + "\n")
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
