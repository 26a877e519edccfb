package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cadastre/cmd/cadastre/internal/devtest"
)

// TestDevStorageFailure has the kernel refuse a node's writes: the process must end at once
// with one clear line, and come back with everything that it acknowledged.
func TestDevStorageFailure(t *testing.T) {
	c := devtest.Start(t, program(t), "--nodes", "1")
	c.MustCLI("epp", "create", "domain", "kept.example")
	node := c.Node("n1")
	if err := unix.Prlimit(node.PID, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4096, Max: unix.RLIM_INFINITY}, nil); err != nil {
		t.Skipf("cannot limit another process: %v", err)
	}
	if r := c.CLI("epp", "create", "domain", "lost.example"); r.Code != exitError {
		t.Errorf("a write to a full disk: status %d\n%s", r.Code, r.Stdout)
	}
	c.Eventually(10*time.Second, "the end of n1", func() error {
		if !strings.Contains(c.Output(), "n1 ended (exit status 1)") {
			return errors.New(c.Output())
		}
		return nil
	})
	log, err := os.ReadFile(node.Log)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), "cadastre: node n1 cannot go on: "); n != 1 {
		t.Errorf("%d lines say why the node ended, want 1:\n%s", n, c.Logs())
	}
	if r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", "n1"); r.Code != exitOK {
		t.Fatalf("--start n1: %s", r.Stderr)
	}
	c.MustCLI("epp", "info", "domain", "kept.example")
}
