package cluster

import (
	"context"
	"sync"
	"time"

	"cadastre/registry"
)

// readRoundWorkers is how many read-index rounds run at once: more than one, so that a
// reader does not always wait for two round trips; few, so that rounds are shared.
const readRoundWorkers = 4

// Linearizable returns once the local state holds everything that was acknowledged
// anywhere in the cluster before the call. Concurrent callers share rounds. The error is a
// *registry.Error of CodeUnavailable, or ctx's own.
func (f *Forwarder) Linearizable(ctx context.Context) error {
	asked := time.Now()
	r, err := f.rounds.join()
	if err != nil {
		return err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.err != nil {
		return r.err
	}
	if err := f.raft.WaitApplied(ctx, r.index); err != nil {
		return err
	}
	f.fresh.note(asked)
	return nil
}

// round is one read-index request on behalf of many callers. index and err are written
// before done is closed.
type round struct {
	done  chan struct{}
	index uint64
	err   error
}

func (r *round) finish(index uint64, err error) {
	r.index, r.err = index, err
	close(r.done)
}

// rounds gathers callers. A caller only ever joins a round that has not started: one under
// way may have fixed its index before the write that the caller must see.
type rounds struct {
	wake chan struct{} // a round waits; capacity readRoundWorkers

	mu     sync.Mutex
	next   *round // not started yet, nil if nobody waits
	closed bool
}

func (rs *rounds) join() (*round, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.closed {
		return nil, errStopping()
	}
	if rs.next == nil {
		rs.next = &round{done: make(chan struct{})}
		select {
		case rs.wake <- struct{}{}:
		default: // as many signals wait as there are workers: each of them will look
		}
	}
	return rs.next, nil
}

// take starts the waiting round, if there is one.
func (rs *rounds) take() *round {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.next
	rs.next = nil
	return r
}

// work runs rounds until ctx ends.
func (rs *rounds) work(ctx context.Context, readIndex func(context.Context) (uint64, error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-rs.wake:
			if r := rs.take(); r != nil {
				r.finish(readIndex(ctx))
			}
		}
	}
}

// close fails the round that waits and every later one. It runs when no worker is left.
func (rs *rounds) close() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.closed = true
	if rs.next != nil {
		rs.next.finish(0, errStopping())
		rs.next = nil
	}
}

func errStopping() error {
	return &registry.Error{Code: registry.CodeUnavailable, Reason: "the node is stopping"}
}
