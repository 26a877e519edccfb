package raftnode

import (
	"math/rand/v2"
	"time"

	"github.com/hashicorp/raft"
)

// silenceSpread is which part of the heartbeat timeout is the random part of a follower's
// patience. It must be many times what it takes to ask another voter for its vote, or the
// votes are split; two followers wait for the more patient one.
const silenceSpread = 2

// watchContact makes a follower stand for election as soon as its leader has been silent
// for the heartbeat timeout and a random part of it more.
//
// raft by itself looks at the silence only when a timer of one to two timeouts fires, which
// runs regardless of when the leader was last heard, and a follower whose timer has not
// fired refuses its vote to others. Until two followers stand, two timeouts pass in the mean
// and three at worst.
func (n *Node) watchContact(r *raft.Raft) {
	timeout := n.cfg.Timeouts.Heartbeat
	var (
		heard    time.Time // when the leader was last heard, as of the latest look
		patience time.Duration
	)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		select {
		case <-n.stopping:
			return
		case <-timer.C:
		}
		id, _ := n.Leader()
		if r.State() != raft.Follower || id == "" {
			timer.Reset(timeout) // no silence to notice: elections are up to raft
			continue
		}
		if last := r.LastContact(); last != heard {
			heard, patience = last, timeout+rand.N(timeout/silenceSpread)
		}
		left := patience - time.Since(heard)
		if left <= 0 {
			n.lookNow(r)
			left = timeout
		}
		timer.Reset(left)
	}
}

// lookNow makes raft look at the silence of its leader now. raft does so when its timeouts
// are made shorter; they are made longer before, by next to nothing.
func (n *Node) lookNow(r *raft.Raft) {
	n.settingsMu.Lock()
	defer n.settingsMu.Unlock()
	usual := r.ReloadableConfig()
	longer := usual
	longer.HeartbeatTimeout++
	longer.ElectionTimeout++
	for _, c := range []raft.ReloadableConfig{longer, usual} {
		if err := r.ReloadConfig(c); err != nil { // raft's own timer fires all the same
			n.cfg.Logger.Warn("the election could not be hastened", "error", err)
			return
		}
	}
}
