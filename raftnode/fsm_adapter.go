package raftnode

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/store"
)

// position is a place in the log.
type position struct{ index, term uint64 }

// readPosition returns where the state stands.
func readPosition(st *store.Store) (position, error) {
	var p position
	err := st.View(func(tx *store.ReadTx) error {
		p.index, p.term = tx.Applied()
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("read the applied index: %w", err)
	}
	return p, nil
}

// errStateFaulted answers entries that could not be applied because the state failed.
var errStateFaulted = errors.New("the state machine has stopped")

// stateAdapter is what raft applies to. raft calls it from one goroutine; checkpoints are
// taken beside that, so that mu keeps the state still while one is made.
type stateAdapter struct {
	store    *store.Store
	machine  StateMachine
	dog      *watchdog
	applied  *appliedIndex
	signals  *subscribers
	installs *snapshotStore
	log      *logStore
	stopping <-chan struct{}
	stats    *nodeStats

	mu sync.Mutex
}

// Apply applies a single entry.
func (a *stateAdapter) Apply(entry *raft.Log) any { return a.ApplyBatch([]*raft.Log{entry})[0] }

// ApplyBatch applies commands and configuration changes in one transaction of the store.
// Each response is a []*fsmpb.Result or an error; unwrapResults reads it.
func (a *stateAdapter) ApplyBatch(batch []*raft.Log) []any {
	entries := make([]fsm.Entry, len(batch))
	for i, l := range batch {
		entries[i] = fsm.Entry{Index: l.Index, Term: l.Term}
		switch l.Type {
		case raft.LogConfiguration:
			entries[i].Configuration = l.Data
		default:
			entries[i].Data = l.Data
		}
	}
	results, effects, err := a.apply(entries)
	responses := make([]any, len(batch))
	if err != nil {
		// The failure has been reported. Nothing may be applied after it, so the
		// goroutine that applies rests here until the node is taken down.
		<-a.stopping
		for i := range responses {
			responses[i] = errStateFaulted
		}
		return responses
	}
	for i := range responses {
		responses[i] = results[i]
	}
	a.applied.advance(entries[len(entries)-1].Index)
	a.signals.notify(effects)
	return responses
}

func (a *stateAdapter) apply(entries []fsm.Entry) (results [][]*fsmpb.Result, effects fsm.Effects, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	began := time.Now()
	err = a.dog.guard("apply committed entries", stateWriteBound, func() error {
		return recovered(func() { results, effects = a.machine.Apply(entries) })
	})
	a.stats.apply.Since(began)
	a.stats.applySize.Observe(float64(len(entries)))
	if effects.HashComparedIndex > 0 {
		a.stats.comparedIndex.Store(effects.HashComparedIndex)
	}
	if err == nil && len(results) != len(entries) {
		err = fmt.Errorf("the state machine answered %d of %d entries", len(results), len(entries))
		a.dog.fail(err)
	}
	return results, effects, err
}

// recovered runs fn and returns what it panicked with as an error. A panic of a state
// machine is its refusal to go on; the caller ends the node, so nothing is hidden.
func recovered(fn func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("%w\n%s", r, debug.Stack())
		case error:
			err = r
		default:
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	fn()
	return nil
}

// unwrapResults is the one place that knows what ApplyBatch puts into raft's untyped
// responses. An entry that brought no results for count commands is an error.
func unwrapResults(response any, count int) ([]*fsmpb.Result, error) {
	switch r := response.(type) {
	case []*fsmpb.Result:
		if len(r) == count {
			return r, nil
		}
		return nil, fmt.Errorf("%d results for %d commands", len(r), count)
	case error:
		return nil, r
	default:
		return nil, fmt.Errorf("no results but a %T", response)
	}
}

// Snapshot captures nothing: the state is on disk. What raft calls a snapshot is made in
// Persist.
func (a *stateAdapter) Snapshot() (raft.FSMSnapshot, error) { return virtualSnapshot{adapter: a}, nil }

// Restore puts the state of a received checkpoint in place. The reader only carries the
// name of the install, see installReader.
func (a *stateAdapter) Restore(source io.ReadCloser) error {
	name, err := io.ReadAll(io.LimitReader(source, maxFileNameOctets))
	if err != nil {
		return fmt.Errorf("read the install's name: %w", err)
	}
	install, ok := a.installs.take(string(name))
	if !ok {
		return fmt.Errorf("there is no received checkpoint %q", name)
	}
	if install.dir == "" {
		return nil // the state is already there
	}
	// From here on a failure leaves raft and the state in disagreement: it is final.
	err = a.dog.guard("install the received checkpoint", installBound, func() error { return a.install(install) })
	if err != nil {
		<-a.stopping
		return err
	}
	if at, err := readPosition(a.store); err == nil {
		a.applied.advance(at.index)
	}
	a.signals.notify(fsm.Effects{Published: true, Dirty: true})
	return nil
}

func (a *stateAdapter) install(in install) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.store.Restore(in.dir); err != nil {
		return err
	}
	at, err := readPosition(a.store)
	if err != nil {
		return err
	}
	if in.fetched {
		a.installs.fetcher.done()
	}
	if at != in.at && (!in.fetched || at.index < in.at.index || at.term < in.at.term) {
		return fmt.Errorf("the checkpoint was announced for index %d of term %d but holds index %d of term %d",
			in.at.index, in.at.term, at.index, at.term)
	}
	conflict, err := a.log.reconcile(at)
	if err != nil {
		return err
	}
	if conflict {
		return fmt.Errorf("the log had an uncommitted entry of another term at index %d, where a checkpoint was installed; it is removed, start the node again", at.index)
	}
	return nil
}
