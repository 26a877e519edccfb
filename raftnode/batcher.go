package raftnode

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// maxEnvelopeBytes is when an entry is full: large enough to make the cost of an
	// entry small beside its content, small enough for 1024 of them in a message.
	maxEnvelopeBytes = 256 << 10
	// maxCommandBytes bounds a single command, which then has an entry of its own.
	maxCommandBytes = 8 << 20
	// maxQueuedCommands is what may wait; at thousands of commands a second it is a
	// second or two, past which a refusal serves the client better.
	maxQueuedCommands = 8192
	// maxEntriesInFlight bounds entries handed to raft and not yet applied, and with them
	// memory; it is also what raft can take into one append.
	maxEntriesInFlight = 64
	// batchWindow is how long commands are gathered while earlier entries are in flight.
	batchWindow = 2 * time.Millisecond
	// enqueueTimeout bounds handing an entry to raft's main thread.
	enqueueTimeout = 2 * time.Second
	// proposeTimeout applies to callers who bring no deadline.
	proposeTimeout = 10 * time.Second
	// drainTimeout is how long stopping waits for entries in flight.
	drainTimeout = 2 * time.Second
)

// States of a proposal. Whoever moves it away from waiting decides what the caller hears.
const (
	proposalWaiting int32 = iota
	proposalTaken
	proposalAbandoned
)

type proposal struct {
	command *fsmpb.Command
	bytes   int
	state   atomic.Int32
	done    chan struct{}
	result  *fsmpb.Result // set before done is closed
	err     error
}

func (p *proposal) finish(result *fsmpb.Result, err error) {
	p.result, p.err = result, err
	close(p.done)
}

// applier is the part of raft that the batcher needs.
type applier interface {
	Apply(data []byte, timeout time.Duration) raft.ApplyFuture
}

// batcher packs commands that arrive together into one entry. A command that comes alone
// goes at once; while entries are in flight others gather, so that the size of the batches
// follows the load.
type batcher struct {
	now      func() time.Time
	classify func(error) error
	queue    chan *proposal
	slots    chan struct{} // one token for each entry in flight
	landed   chan struct{} // a signal that an entry is no longer in flight
	stopping <-chan struct{}

	carry *proposal // did not fit into the last entry; owned by run

	stats *nodeStats

	refusing atomic.Bool // no new commands, ahead of stopping
	held     int         // slots that drain has taken; owned by the goroutine of Run
}

func newBatcher(now func() time.Time, classify func(error) error, stopping <-chan struct{}) *batcher {
	return &batcher{
		now:      now,
		classify: classify,
		queue:    make(chan *proposal, maxQueuedCommands),
		slots:    make(chan struct{}, maxEntriesInFlight),
		landed:   make(chan struct{}, 1),
		stats:    newNodeStats(),
		stopping: stopping,
	}
}

// Propose replicates the command and returns what applying it answered; a refusal by the
// rules is a result. Errors: *NotLeaderError, registry.CodeUnavailable and
// registry.CodeOverloaded mean that this call did nothing, registry.CodeOutcomeUnknown that
// it may have, or may yet. Without a deadline in ctx it waits ten seconds at most. The
// command must not change afterwards.
func (n *Node) Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	return n.Submit(command)(ctx)
}

// Submit hands the command over to be replicated and returns at once; wait returns what Propose
// does, and must be called. Commands that are submitted one after the other may share an entry.
func (n *Node) Submit(command *fsmpb.Command) (wait func(ctx context.Context) (*fsmpb.Result, error)) {
	p, err := n.submit(command)
	if err != nil {
		return func(context.Context) (*fsmpb.Result, error) { return n.keptResult(command, err) }
	}
	return func(ctx context.Context) (*fsmpb.Result, error) { return n.batcher.await(ctx, p) }
}

func (n *Node) submit(command *fsmpb.Command) (*proposal, error) {
	r, err := n.leading()
	if err != nil {
		return nil, err
	}
	if err := n.levels.check(command); err != nil {
		return nil, err
	}
	if err := n.admission.admit(command, r.CommitIndex()); err != nil {
		return nil, &refusedError{err}
	}
	return n.batcher.submit(command)
}

// refusedError is a refusal by the admission, which a kept result goes before.
type refusedError struct{ error }

func (e *refusedError) Unwrap() error { return e.error }

// keptResult returns, where the admission refused a command, the result of an earlier attempt
// of the same request, so that its caller learns it also while no commands are taken; else the
// error.
func (n *Node) keptResult(command *fsmpb.Command, err error) (*fsmpb.Result, error) {
	refused, isRefused := errors.AsType[*refusedError](err)
	if !isRefused {
		return nil, err
	}
	refusal := refused.error
	id := fsm.RequestID(command)
	if id.Origin == "" {
		return nil, refusal
	}
	var row []byte
	err = n.cfg.Store.View(func(tx *store.ReadTx) error {
		row, _ = tx.Result(id)
		return nil
	})
	if err != nil || row == nil {
		return nil, refusal // a state that cannot be read ends the node elsewhere
	}
	kept := &fsmpb.Result{}
	if err := proto.Unmarshal(row, kept); err != nil {
		return nil, outcomeUnknown(fmt.Errorf("decode a kept result: %w", err))
	}
	return kept, nil
}

func (b *batcher) submit(command *fsmpb.Command) (*proposal, error) {
	p := &proposal{command: command, bytes: proto.Size(command), done: make(chan struct{})}
	if p.bytes > maxCommandBytes {
		return nil, &registry.Error{Code: registry.CodeParameterRange, Field: "command",
			Reason: fmt.Sprintf("a command has at most %d octets, this one %d", maxCommandBytes, p.bytes)}
	}
	if b.refusing.Load() {
		return nil, unavailable("the node is stopping", ErrNotRunning)
	}
	select {
	case b.queue <- p:
		return p, nil
	default:
		return nil, overloaded("too many commands are waiting; nothing was done, try again later")
	}
}

// await returns what became of the proposal.
func (b *batcher) await(ctx context.Context, p *proposal) (*fsmpb.Result, error) {
	ctx, cancel := withDefaultTimeout(ctx, proposeTimeout)
	defer cancel()
	select {
	case <-p.done:
		return p.result, p.err
	case <-b.stopping:
		return b.leave(ctx, p, ErrNotRunning)
	case <-ctx.Done():
		return b.leave(ctx, p, context.Cause(ctx))
	}
}

// leave gives up waiting for p. As long as it is still in the queue, nothing was done.
func (b *batcher) leave(ctx context.Context, p *proposal, cause error) (*fsmpb.Result, error) {
	if p.state.CompareAndSwap(proposalWaiting, proposalAbandoned) {
		return nil, unavailable("the command could not be proposed in time", cause)
	}
	if errors.Is(cause, ErrNotRunning) { // what is in flight still lands, or is cut off soon
		select {
		case <-p.done:
			return p.result, p.err
		case <-ctx.Done():
		case <-time.After(drainTimeout):
		}
	}
	return nil, outcomeUnknown(cause)
}

func withDefaultTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// run packs and sends until the node stops.
func (b *batcher) run(target applier) {
	for {
		first := b.carry
		b.carry = nil
		if first == nil {
			select {
			case first = <-b.queue:
			case <-b.stopping:
				return
			}
		}
		batch := b.gather(first)
		select {
		case b.slots <- struct{}{}:
		case <-b.stopping:
			return // not taken: their callers hear that nothing was done
		}
		b.send(target, batch)
	}
}

// gather collects what else goes into the entry that begins with first.
func (b *batcher) gather(first *proposal) []*proposal {
	batch, size := []*proposal{first}, first.bytes
	select {
	case <-b.landed: // of before
	default:
	}
	var window <-chan time.Time
	for size < maxEnvelopeBytes {
		var next *proposal
		select {
		case next = <-b.queue:
		default:
			if len(b.slots) == 0 {
				return batch
			}
			if window == nil {
				timer := time.NewTimer(batchWindow)
				defer timer.Stop()
				window = timer.C
			}
			select {
			case next = <-b.queue:
			case <-b.landed:
				return batch
			case <-window:
				return batch
			case <-b.stopping:
				return batch
			}
		}
		if size+next.bytes > maxEnvelopeBytes {
			b.carry = next
			return batch
		}
		batch = append(batch, next)
		size += next.bytes
	}
	return batch
}

// send hands one entry to raft; a goroutine waits for it to land.
func (b *batcher) send(target applier, batch []*proposal) {
	taken := batch[:0]
	envelope := &fsmpb.Envelope{FormatVersion: fsm.FormatVersion, LeaderTimeMs: b.now().UnixMilli()}
	for _, p := range batch {
		if p.state.CompareAndSwap(proposalWaiting, proposalTaken) {
			taken = append(taken, p)
			envelope.Commands = append(envelope.Commands, p.command)
		}
	}
	if len(taken) == 0 {
		<-b.slots
		return
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(envelope)
	if err != nil {
		<-b.slots
		finishAll(taken, nil, &registry.Error{Code: registry.CodeParameterSyntax, Reason: "the command cannot be encoded", Err: err})
		return
	}
	b.stats.commandsPerEntry.Observe(float64(len(taken)))
	began := time.Now()
	future := target.Apply(data, enqueueTimeout)
	go func() { // joined by drain, which takes the slots back
		if b.land(future, taken) {
			b.stats.commit.Since(began)
		}
		<-b.slots
		signal(b.landed)
	}()
}

// land waits until raft has applied the entry, or has given it up and returns false.
func (b *batcher) land(future raft.ApplyFuture, taken []*proposal) bool {
	if err := future.Error(); err != nil {
		finishAll(taken, nil, b.classify(err))
		return false
	}
	results, err := unwrapResults(future.Response(), len(taken))
	if err != nil {
		err = outcomeUnknown(err)
	}
	finishAll(taken, results, err)
	return true
}

func finishAll(batch []*proposal, results []*fsmpb.Result, err error) {
	for i, p := range batch {
		if err != nil {
			p.finish(nil, err)
			continue
		}
		p.finish(results[i], nil)
	}
}

// drain admits no more commands and waits until no entry is in flight, within timeout, by
// taking every slot for good.
func (b *batcher) drain(timeout time.Duration) {
	b.refusing.Store(true)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for b.held < cap(b.slots) {
		select {
		case b.slots <- struct{}{}:
			b.held++
		case <-timer.C:
			return
		}
	}
}
