package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/cluster"
	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/devcluster"
)

// requireGossip waits until every member hears of every other.
func requireGossip(t *testing.T, c *devtest.Cluster, nodes int) {
	t.Helper()
	for _, asked := range c.Info().Nodes {
		c.Eventually(40*time.Second, asked.ID+" hears of all", func() error {
			out := c.MustCLI("cluster", "members", "--node", asked.ID)
			if got := strings.Count(out, "alive"); got != nodes {
				return fmt.Errorf("%d of %d: %s", got, nodes, out)
			}
			return nil
		})
	}
}

func gossipKeyOf(t *testing.T, c *devtest.Cluster, id string) string {
	t.Helper()
	matches, err := filepath.Glob(filepath.Join(c.Dir, id, "*", cluster.GossipKeyFile))
	if err != nil || len(matches) != 1 {
		t.Fatalf("the gossip key of %s: %v, %v", id, matches, err)
	}
	text, err := os.ReadFile(matches[0])
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(matches[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", matches[0], info.Mode(), err)
	}
	return string(text)
}

func TestGossipRotation(t *testing.T) {
	c := devtest.Start(t, program(t))
	requireGossip(t, c, 3)
	old := gossipKeyOf(t, c, "n1")
	requireLines(t, "rotate", c.MustCLI("gossip", "rotate", "--reason", "yearly"),
		"every node has the new key", "every node uses the new key", "no node knows another key")
	now := gossipKeyOf(t, c, "n1")
	if now == old || strings.Count(now, "\n") != 1 {
		t.Errorf("the key file has %d keys, changed: %v", strings.Count(now, "\n"), now != old)
	}
	for _, id := range []string{"n2", "n3"} {
		if gossipKeyOf(t, c, id) != now {
			t.Errorf("%s has another key than n1", id)
		}
	}
	requireGossip(t, c, 3)
	// A member that is down stops a rotation before anything is changed.
	c.KillNode("n3")
	waitGone(t, c, "n3")
	if r := c.CLI("gossip", "rotate", "--node", "n1"); r.Code != exitError || !strings.Contains(r.Stderr, "every member must be up") {
		t.Errorf("with a node down: %d %s", r.Code, r.Stderr)
	}
	if gossipKeyOf(t, c, "n1") != now || gossipKeyOf(t, c, "n2") != now {
		t.Error("a refused rotation changed keys")
	}
	// It comes back with the key of long ago, and takes the present one from the others.
	matches, _ := filepath.Glob(filepath.Join(c.Dir, "n3", "*", cluster.GossipKeyFile)) // found above
	if err := os.WriteFile(matches[0], []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", "n3"); r.Code != exitOK {
		t.Fatalf("start n3: %s", r.Stderr)
	}
	c.Eventually(40*time.Second, "n3 has the key of the others", func() error {
		if !strings.HasPrefix(gossipKeyOf(t, c, "n3"), now) {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	requireGossip(t, c, 3)
	// The key of long ago leaves with the next rotation.
	c.MustCLI("gossip", "rotate")
	if strings.Contains(gossipKeyOf(t, c, "n3"), strings.TrimSpace(old)) {
		t.Error("n3 still knows the old key")
	}
}

// TestRogueWithTheGossipKey: whoever has only the gossip key, and certificates of an
// authority of its own for the same cluster id, is heard of and is nothing.
func TestRogueWithTheGossipKey(t *testing.T) {
	c := devtest.Start(t, program(t))
	info, dir := c.Info(), t.TempDir()
	keys, err := cluster.LoadGossipKeys(filepath.Join(c.Dir, "ca", cluster.GossipKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	rogue, err := cluster.NewGossip(cluster.GossipConfig{
		NodeID: "n9", ClusterID: info.ClusterID, Keys: keys, Bind: devcluster.Address(c.BasePort, 9, devcluster.PortGossip),
		Seeds:        []string{devcluster.Address(c.BasePort, 1, devcluster.PortGossip)},
		Self:         cluster.Hint{Role: "voter", RaftAddress: "127.0.0.1:1", GRPCAddress: "127.0.0.1:2"},
		AppliedIndex: func() uint64 { return 1 << 40 }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- rogue.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	c.Eventually(30*time.Second, "the rogue hears of the cluster", func() error {
		if n := len(rogue.Peers()); n < 4 {
			return fmt.Errorf("%d nodes", n)
		}
		return nil
	})
	if answer := members(t, c); len(answer.Members) != 3 {
		t.Errorf("the rogue is a member: %+v", answer.Members)
	}
	token := strings.TrimSpace(c.MustCLI("cluster", "token", "--role", "voter"))
	own := filepath.Join(dir, "own")
	for _, args := range [][]string{{"ca", "init", "--dir", own, "--cluster-id", info.ClusterID}, {"ca", "node", "n9", "--dir", own, "--host", "127.0.0.1", "--out", dir}} {
		if r := devtest.Run(t, program(t), args...); r.Code != exitOK {
			t.Fatal(r.Stderr)
		}
	}
	config := tempFile(t, "n9.toml", fmt.Sprintf(`node_id = "n9"
data_dir = %q
tls = {ca = "%[2]s/ca.crt", cert = "%[2]s/n9.crt", key = "%[2]s/n9.key"}
raft = {listen = "127.0.0.1:1"}
grpc = {listen = "127.0.0.1:2"}
gossip = {listen = ""}
`, filepath.Join(dir, "data"), dir))
	r := devtest.Run(t, program(t), "cluster", "join", "--config", config, "--peer", c.Node("n1").Admin, "--token", token)
	if r.Code != exitError {
		t.Errorf("the rogue joined: %s", r.Stdout)
	}
	if err := knock(t, c.Node("n1").Raft, cluster.PathsIn(dir, "n9")); err == nil {
		t.Error("the rogue was admitted to the Raft port")
	}
	if answer := members(t, c); len(answer.Members) != 3 {
		t.Errorf("the rogue is a member: %+v", answer.Members)
	}
}
