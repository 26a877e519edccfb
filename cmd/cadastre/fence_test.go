package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/store"
)

// TestANodeWithAnotherStateFencesItself changes one row of a stopped node behind the log's
// back: the node finds out from the leader's next tick, ends, and does not start again
// until it is rebuilt or its operator insists.
func TestANodeWithAnotherStateFencesItself(t *testing.T) {
	c := devtest.Start(t, program(t))
	c.MustCLI("epp", "create", "host", "ns1.host.invalid")
	c.MustCLI("epp", "create", "domain", "demo-1.example", "--ns", "ns1.host.invalid")
	waitReferral(t, c, "n3", "demo-1.example")
	c.KillNode("n3")
	waitGone(t, c, "n3")
	cfg := Config{NodeID: "n3", DataDir: filepath.Join(c.Dir, "n3", "data")}
	st, err := store.Open(cfg.storeDir())
	if err != nil {
		t.Fatal(err)
	}
	err = st.Update(func(tx *store.Tx) error {
		r, ok := tx.Registrar("registrar-a")
		if !ok {
			return errors.New("there is no registrar-a")
		}
		changed := *r
		changed.Name += " (altered)"
		tx.PutRegistrar(&changed)
		tx.Keep()
		return nil
	})
	if err := errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	start := func() devtestResult {
		r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", "n3")
		return devtestResult{r.Code, r.Stderr}
	}
	first := start() // it may end before or after dev finds it ready
	c.Eventually(30*time.Second, "the note", func() error {
		_, err := os.Stat(cfg.fencedFile())
		return err
	})
	waitGone(t, c, "n3")
	note, err := os.ReadFile(cfg.fencedFile())
	if err != nil || !strings.Contains(string(note), "this node's state differs from the leader's") {
		t.Errorf("the note (%v): %s; the start ended with %+v", err, note, first)
	}
	second := start()
	if second.code == exitOK || !strings.Contains(second.stderr, "is fenced") {
		t.Errorf("a fenced node was started again: %+v", second)
	}
	err = refuseFenced(&cfg)
	if err == nil || !strings.Contains(err.Error(), "cadastre node rebuild") || !strings.Contains(err.Error(), cfg.DataDir) {
		t.Errorf("the refusal: %v", err)
	}
	c.MustCLI("epp", "--node", "n2", "create", "domain", "demo-2.example", "--ns", "ns1.host.invalid") // the others go on
	if err := os.Remove(cfg.fencedFile()); err != nil {
		t.Fatal(err)
	}
	if err := refuseFenced(&cfg); err != nil {
		t.Errorf("refused though the operator has cleared it: %v", err)
	}
}

type devtestResult struct {
	code   int
	stderr string
}

func waitGone(t *testing.T, c *devtest.Cluster, id string) {
	t.Helper()
	pid := c.Node(id).PID
	c.Eventually(30*time.Second, "the end of "+id, func() error {
		if syscall.Kill(pid, 0) == nil {
			return fmt.Errorf("process %d runs", pid)
		}
		return nil
	})
}
