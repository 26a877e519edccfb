package raftnode

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// TestFollowerStandsInTime cuts one follower off and measures how long it waits before it
// stands for election: the heartbeat timeout and at most half as much again, not the up to
// three timeouts of raft alone.
func TestFollowerStandsInTime(t *testing.T) {
	const (
		timeout = time.Second
		rounds  = 5
		slack   = timeout * 3 / 10 // for a busy machine
	)
	c := newCluster(t, func(cfg *Config) { cfg.Timeouts = Timeouts{Heartbeat: timeout, Election: timeout} })
	c.voters(3)
	for range rounds {
		leader := c.leader()
		var follower *testNode
		for _, n := range c.nodes {
			if n != leader {
				follower = n
			}
		}
		r := follower.node.raft.Load()
		eventually(t, "a leader that is heard", func() error {
			id, _ := follower.node.Leader()
			return errUnless(r.State() == raft.Follower && id == leader.id && time.Since(r.LastContact()) < timeout/2, "not yet")
		})
		c.net.partition(follower.id, leader.id)
		eventually(t, "the follower stands for election", func() error {
			return errUnless(r.State() != raft.Follower, "not yet")
		})
		waited := time.Since(r.LastContact())
		c.net.heal()
		if most := timeout + timeout/silenceSpread + slack; waited < timeout || waited > most {
			t.Errorf("the follower stood after %v of silence, not between %v and %v", waited, timeout, most)
		}
	}
}
