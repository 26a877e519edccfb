package raftnode

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// maxReadWaiters bounds callers who wait for a round; beyond it the leader cannot be
	// keeping up.
	maxReadWaiters = 65536
	// readTimeout applies to callers who bring no deadline.
	readTimeout = 5 * time.Second
)

// errLeadershipNotConfirmed is returned when a majority of the voters does not confirm the
// leader's term.
var errLeadershipNotConfirmed = errors.New("a majority of the voters did not confirm the leader")

type readWaiter struct {
	done  chan struct{}
	index uint64
	err   error
}

// readRounds shares confirmation rounds. Those who arrive while one is under way wait for
// the next: a round that began earlier says nothing about what was written since.
type readRounds struct {
	mu      sync.Mutex
	waiting []*readWaiter
	wake    chan struct{}
}

// ReadIndex returns an index such that a state which has applied it contains everything
// acknowledged before the call, on any node. Only the leader answers; others return
// *NotLeaderError. All errors mean that nothing was done.
func (n *Node) ReadIndex(ctx context.Context) (uint64, error) {
	ctx, cancel := withDefaultTimeout(ctx, readTimeout)
	defer cancel()
	if err := n.awaitOpenTerm(ctx); err != nil {
		return 0, err
	}
	w := &readWaiter{done: make(chan struct{})}
	n.reads.mu.Lock()
	if len(n.reads.waiting) >= maxReadWaiters {
		n.reads.mu.Unlock()
		return 0, unavailable("too many reads are waiting", nil)
	}
	n.reads.waiting = append(n.reads.waiting, w)
	n.reads.mu.Unlock()
	signal(n.reads.wake)
	select {
	case <-w.done:
		return w.index, w.err
	case <-n.stopping:
		return 0, unavailable("the node is stopping", ErrNotRunning)
	case <-ctx.Done():
		return 0, unavailable("the leader was not confirmed in time", context.Cause(ctx))
	}
}

// awaitOpenTerm waits while this node is leader but has not opened its term.
func (n *Node) awaitOpenTerm(ctx context.Context) error {
	for {
		r, err := n.running()
		if err != nil {
			return err
		}
		current, changed := n.leadership.get()
		if current.number != 0 {
			return nil
		}
		if r.State() != raft.Leader {
			return n.notLeader()
		}
		retry := time.NewTimer(n.cfg.Timeouts.Heartbeat) // the state may change without the term ever opening
		select {
		case <-changed:
		case <-retry.C:
		case <-ctx.Done():
			retry.Stop()
			return unavailable("the leader is not ready yet", context.Cause(ctx))
		case <-n.stopping:
		}
		retry.Stop()
	}
}

// runReads runs rounds for as long as there are readers.
func (n *Node) runReads(r *raft.Raft) {
	var asked sync.WaitGroup
	defer asked.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		select {
		case <-n.stopping:
			return
		case <-n.reads.wake:
		}
		n.reads.mu.Lock()
		waiting := n.reads.waiting
		n.reads.waiting = nil
		n.reads.mu.Unlock()
		if len(waiting) == 0 {
			continue
		}
		index, err := n.readRound(ctx, r, &asked)
		for _, w := range waiting {
			w.index, w.err = index, err
			close(w.done)
		}
	}
}

// readRound takes the commit index, then has a majority of the voters confirm the term.
//
// Why that suffices: suppose another leader was elected in a later term before the round
// began. A majority of the voters had voted in that term, and each had stored the later
// term, on disk and in the number that CurrentTerm reads, before its vote left; so none of
// them confirms ours afterwards. Any two majorities share a voter, hence no majority
// confirms. The number only grows, so reading it beside raft's main thread can at worst
// see a term that is newer than what that thread is working on, which is a refusal too
// many, never one too few. A voter that restarts reads it from disk before it answers.
func (n *Node) readRound(ctx context.Context, r *raft.Raft, asked *sync.WaitGroup) (uint64, error) {
	current, _ := n.leadership.get()
	if current.number == 0 {
		return 0, n.notLeader()
	}
	index, err := n.log.visibleUpTo(r.CommitIndex(), current.openedAt)
	if errors.Is(err, raft.ErrLogNotFound) { // truncated by now, so it is in the state
		index, err = n.applied.get(), nil
	}
	if err != nil {
		return 0, unavailable("the log cannot be read", err)
	}
	if err := n.confirmTerm(ctx, r, current.number, asked); err != nil {
		return 0, err
	}
	if r.State() != raft.Leader || r.CurrentTerm() != current.number {
		return 0, n.notLeader()
	}
	return index, nil
}

// confirmTerm asks the other voters until a majority, this node included if it votes,
// confirms that term is current and that this node leads it.
func (n *Node) confirmTerm(ctx context.Context, r *raft.Raft, term uint64, asked *sync.WaitGroup) error {
	future := r.GetConfiguration()
	if err := future.Error(); err != nil {
		return unavailable("the configuration cannot be read", err)
	}
	var others []string
	voters, confirmed := 0, 0
	for _, s := range future.Configuration().Servers {
		switch {
		case s.Suffrage != raft.Voter:
		case s.ID == raft.ServerID(n.cfg.NodeID):
			voters++
			confirmed++
		default:
			voters++
			others = append(others, string(s.ID))
		}
	}
	needed := voters/2 + 1
	if confirmed >= needed {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timeouts.Election)
	defer cancel() // also ends questions whose answers are no longer needed
	answers := make(chan error, len(others))
	for _, id := range others {
		asked.Add(1)
		go func() {
			defer asked.Done()
			answers <- n.cfg.ConfirmTerm(ctx, id, term)
		}()
	}
	var refusals []error
	for confirmed < needed && len(refusals) <= voters-needed {
		select {
		case err := <-answers:
			if err != nil {
				refusals = append(refusals, err)
				continue
			}
			confirmed++
		case <-n.stopping:
			return unavailable("the node is stopping", ErrNotRunning)
		}
	}
	if confirmed < needed {
		return unavailable("the leader is not confirmed", errors.Join(append(refusals, errLeadershipNotConfirmed)...))
	}
	return nil
}

// AnswerConfirmTerm answers another node's ConfirmTerm: it returns nil if this node's
// current term is term and it takes leaderID for the leader of it.
func (n *Node) AnswerConfirmTerm(leaderID string, term uint64) error {
	r, err := n.running()
	if err != nil {
		return err
	}
	_, following := r.LeaderWithID()
	// The term is read last: if it is still the one asked about, whom this node followed
	// in it cannot have been replaced by a leader of a later one in between.
	if current := r.CurrentTerm(); current != term {
		return unavailable(fmt.Sprintf("node %s is in term %d, not in term %d", n.cfg.NodeID, current, term), nil)
	}
	if string(following) != leaderID {
		return unavailable(fmt.Sprintf("node %s follows %q in term %d, not %q", n.cfg.NodeID, following, term, leaderID), nil)
	}
	return nil
}

// WaitApplied returns once this node's state contains everything up to index, which must
// be one that ReadIndex or a command's result gave. If ctx ends first the error matches
// registry.CodeUnavailable.
func (n *Node) WaitApplied(ctx context.Context, index uint64) error {
	ctx, cancel := withDefaultTimeout(ctx, readTimeout)
	defer cancel()
	if err := n.applied.wait(ctx, index); err != nil {
		return unavailable(fmt.Sprintf("index %d was not applied in time", index), err)
	}
	return nil
}

// AppliedIndex returns the highest index applied to this node's state.
func (n *Node) AppliedIndex() uint64 { return n.applied.get() }
