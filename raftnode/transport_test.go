package raftnode

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// An idle leader tells its followers the same no more often than it must, and what is new at
// once.
func TestIdleLeaderRepeatsItselfSeldom(t *testing.T) {
	tr := &peerTransport{contacts: map[raft.ServerID]PeerContact{}, said: map[raft.ServerID]saidLast{}}
	args := &raft.AppendEntriesRequest{Term: 3, PrevLogEntry: 7, PrevLogTerm: 3, LeaderCommitIndex: 7}
	answer := &raft.AppendEntriesResponse{Term: 3, LastLog: 7, Success: true}
	isRepeat := func(change func(a *raft.AppendEntriesRequest)) bool {
		a := *args
		change(&a)
		var got raft.AppendEntriesResponse
		repeat := tr.isRepeat("n2", &a, &got)
		if repeat && (got.Term != 3 || got.LastLog != 7 || !got.Success) {
			t.Errorf("answered with %+v", got)
		}
		return repeat
	}
	same := func(*raft.AppendEntriesRequest) {}
	if isRepeat(same) {
		t.Error("nothing was said yet")
	}
	tr.noteContact("n2", args, answer, nil)
	if !isRepeat(same) {
		t.Error("the same is said again")
	}
	for name, change := range map[string]func(a *raft.AppendEntriesRequest){
		"a commit":    func(a *raft.AppendEntriesRequest) { a.LeaderCommitIndex = 8 },
		"a term":      func(a *raft.AppendEntriesRequest) { a.Term = 4 },
		"a place":     func(a *raft.AppendEntriesRequest) { a.PrevLogEntry = 8 },
		"an entry":    func(a *raft.AppendEntriesRequest) { a.Entries = []*raft.Log{{Index: 8}} },
		"a heartbeat": func(a *raft.AppendEntriesRequest) { a.PrevLogEntry, a.LeaderCommitIndex = 0, 0 },
	} {
		if isRepeat(change) {
			t.Errorf("%s is not said", name)
		}
	}
	if tr.isRepeat("n3", args, &raft.AppendEntriesResponse{}) {
		t.Error("what n2 was told is not said to n3")
	}
	last := tr.said["n2"]
	last.at = last.at.Add(-2 * idleRepeat)
	tr.said["n2"] = last
	if isRepeat(same) {
		t.Error("a peer is left alone for too long")
	}
	tr.noteContact("n2", args, answer, nil)
	tr.noteContact("n2", args, &raft.AppendEntriesResponse{Term: 3}, nil)
	if isRepeat(same) {
		t.Error("what was refused is not said again")
	}
	tr.noteContact("n2", args, answer, nil)
	tr.noteContact("n2", args, answer, raft.ErrTransportShutdown)
	if isRepeat(same) {
		t.Error("after a failure nothing is said")
	}
}

// A cluster with nothing to do keeps its leader, and followers learn soon of what comes then.
func TestIdleClusterKeepsItsLeader(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(3)
	leader := c.leader()
	leader.propose(t, clusterInit())
	c.agree("n1", "n2", "n3")
	_, changed := leader.node.leadership.get()
	select {
	case <-changed:
		t.Error("the leader of an idle cluster changed")
	case <-time.After(4 * testTimeouts.Heartbeat):
	}
	began := time.Now()
	c.register(1, 2)
	c.agree("n1", "n2", "n3")
	t.Logf("a command reached all %v after the idle time", time.Since(began))
}
