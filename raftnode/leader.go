package raftnode

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/store"
)

// reopenInterval is the pause before a term that could not be opened is tried again, which
// happens while leadership is handed over.
const reopenInterval = 50 * time.Millisecond

// term is a term in which this node leads and may serve: it has committed and applied an
// entry of that term, at index openedAt, so that it knows everything committed before. The
// zero value means that it does not lead.
type term struct {
	number   uint64
	openedAt uint64
}

// leadership is what the node knows about its own leading.
type leadership struct {
	mu      sync.Mutex
	current term
	changed chan struct{} // closed at the next change
}

func newLeadership() *leadership { return &leadership{changed: make(chan struct{})} }

// get returns the term served, and a channel that is closed when it ends or begins.
func (l *leadership) get() (term, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current, l.changed
}

func (l *leadership) set(t term) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == t {
		return
	}
	l.current = t
	close(l.changed)
	l.changed = make(chan struct{})
}

// runLeadership follows raft's state and opens each term that this node leads.
func (n *Node) runLeadership(r *raft.Raft) {
	for {
		select {
		case <-n.stopping:
			n.leadership.set(term{})
			return
		case <-r.LeaderCh():
		}
		// The channel may have merged several changes, so only what holds now counts.
		n.leadership.set(term{})
		if r.State() == raft.Leader {
			n.beginClock(r)
		}
		for r.State() == raft.Leader && !n.openTerm(r) {
			select {
			case <-n.stopping:
				return
			case <-time.After(reopenInterval):
			}
		}
	}
}

// agreedLagEntries is how far the state may be behind what is committed for the latest stamp
// in it to tell the time.
const agreedLagEntries = 8

// beginClock compares the machine's clock with the stamps of the leader before, if this node
// followed it and has applied what it committed.
func (n *Node) beginClock(r *raft.Raft) {
	heard := r.LastContact()
	if heard.IsZero() || r.CommitIndex() > n.applied.get()+agreedLagEntries {
		return
	}
	var agreed time.Time
	err := n.cfg.Store.View(func(tx *store.ReadTx) error {
		agreed = tx.LeaderNow()
		return nil
	})
	if err == nil && !agreed.IsZero() && agreed.Unix() > 0 { // a state that cannot be read ends the node elsewhere
		n.clock.begin(agreed, time.Since(heard))
	}
}

// openTerm commits an empty envelope, which every state machine sees. It does what raft's
// barrier does, and besides gives the term an index that every node can wait for.
// It returns false if it should be tried again.
func (n *Node) openTerm(r *raft.Raft) bool {
	number := r.CurrentTerm()
	data, err := proto.Marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, LeaderTimeMs: n.clock.stamp().UnixMilli()})
	if err != nil {
		n.cfg.Logger.Error("encode the first entry of a term", "error", err)
		return false
	}
	future := r.Apply(data, enqueueTimeout)
	done := make(chan error, 1)
	go func() { done <- future.Error() }() // answered when the term opens or leadership ends
	select {
	case err = <-done:
	case <-n.stopping:
		return true
	}
	if err != nil {
		n.cfg.Logger.Debug("could not open the term", "term", number, "error", err)
		return false
	}
	if r.State() == raft.Leader && r.CurrentTerm() == number {
		n.leadership.set(term{number: number, openedAt: future.Index()})
	}
	return true
}

// RunLeader calls fn whenever this node leads and has applied everything committed before
// its term. The context of fn is cancelled when leadership is lost; RunLeader waits until
// fn returns before it may be called again. It returns when ctx is done. If fn returns
// early it is called again in the next term that this node leads.
func (n *Node) RunLeader(ctx context.Context, fn func(ctx context.Context)) {
	for ctx.Err() == nil {
		current, changed := n.leadership.get()
		if current.number != 0 {
			n.leadTerm(ctx, changed, fn)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (n *Node) leadTerm(ctx context.Context, changed <-chan struct{}, fn func(ctx context.Context)) {
	leading, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn(leading)
	}()
	select {
	case <-changed:
		cancel()
		<-done
	case <-done:
	}
}

// IsLeader says whether this node leads and may serve. It may be outdated the moment it is
// returned; reads that must not be stale use ReadIndex.
func (n *Node) IsLeader() bool {
	current, _ := n.leadership.get()
	return current.number != 0
}

// Leader returns the id and address of the node that this one takes for the leader, empty
// if it knows none.
func (n *Node) Leader() (id, address string) {
	r := n.raft.Load()
	if r == nil {
		return "", ""
	}
	leaderAddress, leaderID := r.LeaderWithID()
	return string(leaderID), string(leaderAddress)
}
