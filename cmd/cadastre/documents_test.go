package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
)

// documentTimeout bounds all commands of a document together.
const documentTimeout = 5 * time.Minute

// TestOperationsDocument runs every command of docs/operations.md, in order, on ports of its
// own, so that the document stays true.
func TestOperationsDocument(t *testing.T) {
	binary := program(t)
	for _, tool := range []string{"bash", "sed", "grep"} {
		requireTool(t, tool, tool)
	}
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n")
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1) {
		script.Write(block[1])
	}
	base := devtest.FreeBasePort(t)
	commands := script.String()
	for n := 1; n <= 3; n++ { // the documents' ports 7200, 7300 and 7400 and what follows them
		commands = strings.ReplaceAll(commands, fmt.Sprintf(":7%d0", n+1), fmt.Sprintf(":%d", (base+n*100)/10))
	}
	commands = strings.ReplaceAll(commands, "s/:72/:7$((n + 1))/g", fmt.Sprintf("s/:%d/:$((%d + n))/g", (base+100)/100, base/100))
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), documentTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-c", commands)
	command.Dir = dir
	command.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // runs the trap
	command.WaitDelay = 20 * time.Second
	out, err := command.CombinedOutput()
	if err != nil {
		logs, _ := filepath.Glob(filepath.Join(dir, "n?.log")) // the pattern is right
		for _, path := range logs {
			content, _ := os.ReadFile(path) // what there is
			t.Logf("%s:\n%s", path, content)
		}
		t.Fatalf("the document's commands: %v\n%s\n%s", err, out, commands)
	}
	for _, want := range []string{
		"first.example", "Acme Ltd", "The feature level is", "every node trusts 1 of 2", "no node knows another key", "ns1.acme.test", "The backup is whole", "The data is sound",
		"leader: none known", "Nothing was changed.", "Node n3 is to be rebuilt as a voter", "Node n3 has a new, verified state", "Node n1 is the only member now", "with node n1 alone",
		"2 labels loaded under .example.", "tier-1", "mayor", "is used by 1 domain.",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the document's commands never print %q:\n%s", want, out)
		}
	}
}
