package cluster

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"cadastre/cluster/clusterpb"
)

// gossipCluster is a fake cluster whose nodes have gossip keys in files of their own; nobody
// gossips.
func gossipCluster(t *testing.T, ids ...string) (*fakeCluster, map[string]*Gossip) {
	t.Helper()
	c, all := startFakeCluster(t, ids[0], ids...), map[string]*Gossip{}
	key := make([]byte, gossipKeyBytes)
	_, _ = rand.Read(key)
	for _, id := range ids {
		g, err := NewGossip(GossipConfig{
			NodeID: id, ClusterID: c.ca.ClusterID(), Keys: [][]byte{key}, KeyFile: filepath.Join(t.TempDir(), GossipKeyFile),
			Bind: "127.0.0.1:1", AppliedIndex: func() uint64 { return 1 }, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		all[id], c.nodes[id].server.gossip = g, g
	}
	return c, all
}

// understand fails the test unless what each node encrypts can be read by each other.
func understand(t *testing.T, when string, all map[string]*Gossip) {
	t.Helper()
	for from, g := range all {
		for to, h := range all {
			if !slices.ContainsFunc(h.Keys(), func(k []byte) bool { return bytes.Equal(k, g.Keys()[0]) }) {
				t.Errorf("%s: %s does not understand %s", when, to, from)
			}
		}
	}
}

// TestGossipRotationIsCutOffAnywhere stops a rotation behind every single change that it
// makes on any node. Everybody understands everybody then, and asking again, through any
// node, leaves one key that all have.
func TestGossipRotationIsCutOffAnywhere(t *testing.T) {
	ids := []string{"n1", "n2", "n3"}
	c, all := gossipCluster(t, ids...)
	order := []string{"n2", "n3", "n1"} // the node that was asked comes last
	var done int
	for cut := range 3*len(ids) + 1 {
		old := all["n1"].Keys()[0]
		next := make([]byte, gossipKeyBytes)
		_, _ = rand.Read(next)
		done = 0
		for _, change := range []clusterpb.GossipKeyChange{
			clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_INSTALL, clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_USE, clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_RETAIN,
		} {
			for _, id := range order {
				if done == cut {
					break
				}
				if err := all[id].ChangeKey(change, next); err != nil {
					t.Fatal(err)
				}
				done++
				understand(t, fmt.Sprintf("behind change %d", done), all)
			}
		}
		asked := ids[cut%len(ids)] // not always the one that was asked first
		conn, err := Dial(credentialsOf(t, c.ca, KindOperator, "alice"), "", c.nodes[asked].address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = clusterpb.NewAdminClient(conn).RotateGossip(testContext(t), &clusterpb.RotateGossipRequest{Reason: "again"})
		_ = conn.Close() // nothing depends on it
		if err != nil {
			t.Fatalf("cut off behind change %d, asked %s: %v", cut, asked, err)
		}
		now := all["n1"].Keys()[0]
		for id, g := range all {
			if keys := g.Keys(); len(keys) != 1 || !bytes.Equal(keys[0], now) || bytes.Equal(keys[0], old) {
				t.Errorf("cut off behind change %d: %s has %d keys", cut, id, len(keys))
			}
			kept, err := LoadGossipKeys(g.cfg.KeyFile)
			if err != nil || len(kept) != 1 || !bytes.Equal(kept[0], now) {
				t.Errorf("cut off behind change %d: the file of %s has %d keys (%v)", cut, id, len(kept), err)
			}
		}
	}
}
