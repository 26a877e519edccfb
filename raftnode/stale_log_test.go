package raftnode

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
)

// A deposed leader keeps entries that were never committed. When the others have truncated
// their logs in the meantime it is sent a checkpoint, which may overtake those entries or
// land amid them. In the second case raft alone would be sent checkpoints for ever.
func TestStaleLogOfADeposedLeader(t *testing.T) {
	for _, tt := range []struct {
		name        string
		uncommitted int
		needRestart bool
	}{
		{"overtaken", 3, false},
		{"amid", 200, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, func(cfg *Config) { cfg.TrailingEntries = 1 })
			c.voters(3)
			old := c.leader()
			old.propose(t, clusterInit())
			c.register(0, 3)
			c.agree("n1", "n2", "n3")
			var others []string
			for id := range c.nodes {
				if id != old.id {
					others = append(others, id)
				}
			}
			c.net.partition(old.id, others...)
			appendUncommitted(t, old, tt.uncommitted)
			eventually(t, "the old leader steps down", func() error { return errUnless(!old.node.IsLeader(), "still leads") })
			old.kill(t)
			c.net.heal()
			c.register(10, 25)
			c.agree(others...)
			for _, id := range others {
				c.nodes[id].snapshot(t)
			}

			old.start(t)
			if tt.needRestart {
				select {
				case err := <-old.fatal:
					t.Logf("ended with: %v", err)
				case <-time.After(patience):
					t.Fatal("the node did not end itself")
				}
				if err := old.stop(t); err == nil {
					t.Error("Run returned no error")
				}
				old.start(t)
			}
			c.register(30, 33)
			c.agree("n1", "n2", "n3")
			eventually(t, "the stale log is gone", func() error { // a moment after the state was replaced
				first, err := old.node.log.FirstIndex()
				return errors.Join(err, errUnless(first == 0 || first > 5, fmt.Sprintf("it begins at %d", first)))
			})
		})
	}
}

func appendUncommitted(t *testing.T, n *testNode, count int) {
	t.Helper()
	data, err := proto.Marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, Commands: []*fsmpb.Command{tick()}})
	if err != nil {
		t.Fatal(err)
	}
	r := n.node.raft.Load()
	want := r.LastIndex() + uint64(count)
	for range count {
		r.Apply(data, time.Second)
	}
	eventually(t, "entries in the log of the cut-off leader", func() error {
		return errUnless(r.LastIndex() >= want, "not yet")
	})
}
