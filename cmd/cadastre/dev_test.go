package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/devcluster"
)

// waitReferral waits until the node's DNS delegates the domain.
func waitReferral(t *testing.T, c *devtest.Cluster, node, domain string) {
	t.Helper()
	address := c.Node(node).DNS
	c.Eventually(10*time.Second, "a referral for "+domain+" by "+node, func() error {
		answer, err := queryDNS(context.Background(), address, domain, dns.TypeNS)
		if err != nil {
			return err
		}
		if len(answer.Ns) == 0 || answer.Ns[0].Header().Rrtype != dns.TypeNS || answer.Ns[0].Header().Name != dns.Fqdn(domain) {
			return fmt.Errorf("answer: %v", answer)
		}
		return nil
	})
}

type membersAnswer struct {
	Leader  string           `json:"leader"`
	Members []memberDocument `json:"members"`
}

func members(t *testing.T, c *devtest.Cluster) membersAnswer {
	t.Helper()
	var answer membersAnswer
	if err := json.Unmarshal([]byte(c.MustCLI("cluster", "members", "--json")), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// requireSameState waits until all nodes stand at one index with one state hash.
func requireSameState(t *testing.T, c *devtest.Cluster, nodes int) {
	t.Helper()
	c.Eventually(10*time.Second, "one state on all nodes", func() error {
		answer := members(t, c)
		if len(answer.Members) != nodes {
			t.Fatalf("%d members, want %d", len(answer.Members), nodes)
		}
		first := answer.Members[0]
		for _, m := range answer.Members {
			if !m.Reachable || m.AppliedIndex != first.AppliedIndex {
				return fmt.Errorf("%s is at %d, %s at %d: %s", first.ID, first.AppliedIndex, m.ID, m.AppliedIndex, m.Problem)
			}
			if m.StateHash != first.StateHash {
				t.Fatalf("%s and %s differ at index %d", first.ID, m.ID, m.AppliedIndex)
			}
		}
		return nil
	})
}

func requireGone(t *testing.T, c *devtest.Cluster, info *devcluster.Info) {
	t.Helper()
	for _, n := range info.Nodes {
		c.Eventually(10*time.Second, "the end of "+n.ID, func() error {
			if syscall.Kill(n.PID, 0) == nil {
				return fmt.Errorf("process %d runs", n.PID)
			}
			return nil
		})
	}
}

func TestDevKillStartAndResume(t *testing.T) {
	c := devtest.Start(t, program(t))
	info := c.Info()
	if len(info.Nodes) != 3 || info.Nodes[0].EPP != fmt.Sprintf("127.0.0.1:%d", c.BasePort+100) || len(info.Registrars) != 2 {
		t.Fatalf("dev.json: %+v", info)
	}
	c.MustCLI("epp", "create", "host", "ns1.host.invalid")
	c.MustCLI("epp", "create", "domain", "demo-1.example", "--ns", "ns1.host.invalid")
	for _, n := range info.Nodes {
		waitReferral(t, c, n.ID, "demo-1.example")
	}

	// A killed node stays down and is reported; the others go on.
	c.KillNode("n1")
	c.Eventually(5*time.Second, "the report", func() error {
		if !strings.Contains(c.Output(), "n1 ended") {
			return errors.New(c.Output())
		}
		return nil
	})
	c.MustCLI("epp", "--node", "n2", "create", "domain", "demo-2.example", "--ns", "ns1.host.invalid")
	waitReferral(t, c, "n3", "demo-2.example")
	if r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", "n1"); r.Code != 0 {
		t.Fatalf("--start n1: %d %s", r.Code, r.Stderr)
	}
	if pid := c.Node("n1").PID; pid == info.Nodes[0].PID {
		t.Errorf("dev.json still has process %d of n1", pid)
	}
	waitReferral(t, c, "n1", "demo-2.example")
	if r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", "n1"); r.Code != 1 || !strings.Contains(r.Stderr, "node n1 runs already") {
		t.Errorf("--start of a running node: %d %s", r.Code, r.Stderr)
	}
	if r := devtest.Run(t, program(t), "dev", "--dir", c.Dir); r.Code != 1 || !strings.Contains(r.Stderr, "another `cadastre dev` runs") {
		t.Errorf("a second dev on the folder: %d %s", r.Code, r.Stderr)
	}
	requireSameState(t, c, 3)

	// A power cut.
	before := c.Info()
	c.KillAll()
	requireGone(t, c, before)
	c.Run()
	for _, domain := range []string{"demo-1.example", "demo-2.example"} {
		waitReferral(t, c, "n3", domain)
		if r := c.MustCLI("epp", "--node", "n3", "info", "domain", domain); !strings.Contains(r, "clID: registrar-a") {
			t.Errorf("info after the power cut: %s", r)
		}
	}
	requireSameState(t, c, 3)

	// Only the supervisor dies: what it left does not get in the way.
	c.KillDev()
	c.Run("--tld-file", "other.toml")
	if !strings.Contains(c.Output(), "--tld-file counts only when a cluster is made, so it changes nothing") {
		t.Errorf("nothing is said about --tld-file:\n%s", c.Output())
	}
	waitReferral(t, c, "n1", "demo-1.example")

	after := c.Info()
	if code := c.Stop(); code != exitOK {
		t.Errorf("cadastre dev ended with status %d:\n%s", code, c.Output())
	}
	requireGone(t, c, after)
	if _, err := os.Stat(filepath.Join(c.Dir, devcluster.InfoFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("dev.json after the end: %v", err)
	}
}

func TestDevManualClock(t *testing.T) {
	c := devtest.Start(t, program(t), "--nodes", "1", "--replicas", "1", "--clock", "2000-06-01T00:00:00Z", "--tld", "example", "--tld", "test")
	if roles := c.Info().Nodes; roles[0].Role != "voter" || roles[1].Role != "replica" {
		t.Errorf("roles: %+v", roles)
	}
	if got := c.MustCLI("clock", "get"); !strings.Contains(got, "2000-06-01T00:00:00.000Z (manual clock)") {
		t.Errorf("clock get: %s", got)
	}
	for i := range 5 {
		c.MustCLI("epp", "create", "domain", fmt.Sprintf("demo-%d.test", i), "--period", "1y")
	}
	var moved map[string]string
	if err := json.Unmarshal([]byte(c.MustCLI("clock", "advance", "400d", "--json")), &moved); err != nil {
		t.Fatal(err)
	}
	if moved["time"] != "2001-07-06T00:00:00.000Z" {
		t.Errorf("clock advance: %v", moved)
	}
	for i := range 5 {
		info := c.MustCLI("epp", "--node", "n2", "info", "domain", fmt.Sprintf("demo-%d.test", i))
		if !strings.Contains(info, "exDate: 2002-06-01") {
			t.Errorf("not renewed at expiry: %s", info)
		}
	}
	if r := c.CLI("clock", "set", "2001-01-01"); r.Code != exitError || !strings.Contains(r.Stderr, "registry time never goes back") {
		t.Errorf("clock set into the past: %d %s", r.Code, r.Stderr)
	}
	c.MustCLI("clock", "set", "2001-07-07")
}

func TestDevJoinAndRemove(t *testing.T) {
	c := devtest.Start(t, program(t), "--nodes", "1")
	first := c.Node("n1")
	dir := t.TempDir()
	base := c.BasePort + 500
	newNode := func(id string, offset int) (config string) {
		r := devtest.Run(t, program(t), "ca", "node", id, "--dir", filepath.Join(c.Dir, "ca"), "--out", filepath.Join(dir, id), "--host", "127.0.0.1")
		if r.Code != 0 {
			t.Fatal(r.Stderr)
		}
		config = filepath.Join(dir, id+".toml")
		content := fmt.Sprintf("node_id = %q\ndata_dir = \"%s-data\"\n[tls]\nca = \"%s/ca.crt\"\ncert = \"%s/%s.crt\"\nkey = \"%s/%s.key\"\n"+
			"[raft]\nlisten = \"127.0.0.1:%d\"\n[grpc]\nlisten = \"127.0.0.1:%d\"\n[gossip]\nlisten = \"\"\n"+
			"[epp]\nlisten = \"\"\n[whois]\nlisten = \"\"\n[metrics]\nlisten = \"\"\n[dns]\nlisten = [\"127.0.0.1:%d\"]\n",
			id, id, id, id, id, id, id, base+offset, base+offset+1, base+offset+2)
		if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return config
	}
	join := func(config, token string) devcluster.Result {
		return devtest.Run(t, program(t), "cluster", "join", "--config", config, "--peer", first.Admin, "--token", token)
	}
	n7, n8 := newNode("n7", 0), newNode("n8", 10)
	if r := join(n7, "wrong"); r.Code != exitError || !strings.Contains(r.Stderr, "there is no such join token") {
		t.Errorf("a wrong token: %d %s", r.Code, r.Stderr)
	}
	token := strings.TrimSpace(c.MustCLI("cluster", "token", "--role", "replica"))
	if r := join(n7, token); r.Code != exitOK || !strings.Contains(r.Stdout, "joined cluster") {
		t.Fatalf("join: %d %s", r.Code, r.Stderr)
	}
	if r := join(n8, token); r.Code != exitError || !strings.Contains(r.Stderr, "the join token was used already, by node n7") {
		t.Errorf("a used token: %d %s", r.Code, r.Stderr)
	}
	if r := join(n7, token); r.Code != exitError || !strings.Contains(r.Stderr, "already holds a state of this cluster") {
		t.Errorf("joining again: %d %s", r.Code, r.Stderr)
	}

	// The node serves until it is removed; then it ends by itself and does not come back.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan int, 1)
	var stderr strings.Builder
	go func() { ended <- run(ctx, []string{"server", "-config", n7}, strings.NewReader(""), &stderr, &stderr) }()
	c.Eventually(10*time.Second, "DNS of n7", func() error {
		answer, err := queryDNS(t.Context(), fmt.Sprintf("127.0.0.1:%d", base+2), "example", dns.TypeSOA)
		if err == nil && len(answer.Answer) == 0 {
			err = fmt.Errorf("answer: %v", answer)
		}
		return err
	})
	c.MustCLI("cluster", "remove", "n7", "--reason", "test")
	select {
	case code := <-ended:
		if code != exitOK {
			t.Errorf("the removed node ended with status %d:\n%s", code, stderr.String())
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the removed node still runs")
	}
	r := devtest.Run(t, program(t), "server", "--config", n7)
	if r.Code != exitError || !strings.Contains(r.Stderr, "was removed from its cluster") {
		t.Errorf("start of a removed node: %d %s", r.Code, r.Stderr)
	}
	if got := members(t, c); len(got.Members) != 1 {
		t.Errorf("members after the removal: %+v", got)
	}
}

// TestDevRemovedNodes proves that `cadastre dev` lets go of nodes that an operator removes,
// whether they run at that time or not.
func TestDevRemovedNodes(t *testing.T) {
	c := devtest.Start(t, program(t), "--replicas", "2")
	c.KillNode("n5")
	c.MustCLI("cluster", "remove", "n4")
	if out := c.MustCLI("cluster", "remove", "n5"); !strings.Contains(out, "could not be told") {
		t.Errorf("removal of a dead node: %s", out)
	}
	c.Eventually(10*time.Second, "dev.json without n4", func() error {
		for _, n := range c.Info().Nodes {
			if n.ID == "n4" {
				return errors.New("it is still there")
			}
		}
		return nil
	})
	if code := c.Stop(); code != exitOK {
		t.Errorf("cadastre dev ended with status %d", code)
	}
	c.Run()
	if nodes := c.Info().Nodes; len(nodes) != 3 {
		t.Errorf("nodes after the removals: %+v", nodes)
	}
	requireSameState(t, c, 3)
}
