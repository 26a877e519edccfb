package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/store"
)

// TestANodeWithAnotherStateFencesItself changes one row of stopped nodes behind the log's
// back, of a voter and of a replica: each finds out from the leader's next tick, ends, serves
// nothing on any port, and does not start again until it is rebuilt or its operator insists.
func TestANodeWithAnotherStateFencesItself(t *testing.T) {
	c := devtest.Start(t, program(t), "--replicas", "1")
	c.MustCLI("epp", "create", "host", "ns1.host.invalid")
	c.MustCLI("epp", "create", "domain", "demo-1.example", "--ns", "ns1.host.invalid")
	for _, id := range []string{"n3", "n4"} {
		waitReferral(t, c, id, "demo-1.example")
		requirePorts(t, c, id, true)
		fenceNode(t, c, id)
		requirePorts(t, c, id, false)
		c.MustCLI("epp", "--node", "n2", "create", "domain", "demo-"+id+".example", "--ns", "ns1.host.invalid") // the others go on
	}
	cfg := Config{NodeID: "n3", DataDir: filepath.Join(c.Dir, "n3", "data")}
	err := refuseFenced(&cfg)
	if err == nil || !strings.Contains(err.Error(), "cadastre node rebuild") || !strings.Contains(err.Error(), cfg.DataDir) {
		t.Errorf("the refusal: %v", err)
	}
	if err := os.Remove(cfg.fencedFile()); err != nil {
		t.Fatal(err)
	}
	if err := refuseFenced(&cfg); err != nil {
		t.Errorf("refused though the operator has cleared it: %v", err)
	}
	// One command makes the other one whole again.
	n4 := c.Node("n4")
	info := c.Info()
	r := devtest.Run(t, program(t), "node", "rebuild", "--config", n4.Config, "--addr", c.Node("n2").Admin,
		"--ca", info.CA, "--cert", info.Operator.Cert, "--key", info.Operator.Key)
	if r.Code != exitOK {
		t.Fatalf("rebuild: %s", r.Stderr)
	}
	if r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", "n4"); r.Code != exitOK {
		t.Fatalf("start after the rebuild: %s", r.Stderr)
	}
	waitReferral(t, c, "n4", "demo-n4.example")
	requirePorts(t, c, "n4", true)
}

// fenceNode alters the state of a running node and waits until it has found out.
func fenceNode(t *testing.T, c *devtest.Cluster, id string) {
	t.Helper()
	c.KillNode(id)
	waitGone(t, c, id)
	cfg := Config{NodeID: id, DataDir: filepath.Join(c.Dir, id, "data")}
	alterState(t, &cfg)
	start := func() devtestResult {
		r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", id)
		return devtestResult{r.Code, r.Stderr}
	}
	first := start() // it may end before or after dev finds it ready
	c.Eventually(30*time.Second, "the note", func() error {
		_, err := os.Stat(cfg.fencedFile())
		return err
	})
	waitGone(t, c, id)
	note, err := os.ReadFile(cfg.fencedFile())
	if err != nil || !strings.Contains(string(note), "this node's state differs from the leader's") {
		t.Errorf("the note (%v): %s; the start ended with %+v", err, note, first)
	}
	second := start()
	if second.code == exitOK || !strings.Contains(second.stderr, "is fenced") {
		t.Errorf("a fenced node was started again: %+v", second)
	}
}

// alterState changes a row as no command has.
func alterState(t *testing.T, cfg *Config) {
	t.Helper()
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
}

// requirePorts sees that every service of the node takes connections, or that none does.
func requirePorts(t *testing.T, c *devtest.Cluster, id string, open bool) {
	t.Helper()
	n := c.Node(id)
	for service, address := range map[string]string{
		"EPP": n.EPP, "WHOIS": n.WHOIS, "DNS": n.DNS, "gRPC": n.Admin, "Raft": n.Raft,
		"metrics": strings.TrimSuffix(strings.TrimPrefix(n.Metrics, "http://"), "/metrics"),
	} {
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close() // only that it opens counts
		}
		if (err == nil) != open {
			t.Errorf("%s of %s at %s: open should be %v: %v", service, id, address, open, err)
		}
	}
	if _, err := queryDNS(t.Context(), n.DNS, "example", dns.TypeSOA); (err == nil) != open {
		t.Errorf("DNS of %s over UDP: answers should be %v: %v", id, open, err)
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
