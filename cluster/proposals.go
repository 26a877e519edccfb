package cluster

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

const (
	// proposeWorkers is how many calls to the leader are under way at once: more than one,
	// so that a command seldom waits for the answer to those before it; few, so that under
	// load each call carries many commands, for a call costs more than a command.
	proposeWorkers = 4
	// maxForwardedCommands and maxForwardedBytes bound one call well below what a message
	// may hold.
	maxForwardedCommands = 512
	maxForwardedBytes    = maxMessageBytes / 2
	// maxWaitingProposals bounds what waits for a call; at thousands of commands a second it
	// is a second or two, past which a refusal serves the client better.
	maxWaitingProposals = 8192
)

// outcomeOf is what became of one command.
type outcomeOf struct {
	result *fsmpb.Result
	err    error
}

// forwarded is a command on its way to the leader.
type forwarded struct {
	command   *fsmpb.Command
	leaderID  string
	bytes     int
	done      chan struct{}
	outcomeOf // set before done is closed
}

// proposals gathers the commands that go to the leader together.
type proposals struct {
	wake chan struct{} // something waits; capacity proposeWorkers

	mu      sync.Mutex
	waiting []*forwarded
	closed  bool
}

// propose has the command carried to the leader and waits for what became of it. As long as
// it was not sent its error says that nothing was done.
func (ps *proposals) propose(ctx context.Context, leaderID string, command *fsmpb.Command) (*fsmpb.Result, error) {
	p := &forwarded{command: command, leaderID: leaderID, bytes: proto.Size(command), done: make(chan struct{})}
	if err := ps.add(p); err != nil {
		return nil, err
	}
	select {
	case <-p.done:
		return p.result, p.err
	case <-ctx.Done():
	}
	if ps.remove(p) {
		return nil, &registry.Error{Code: registry.CodeUnavailable, Reason: "the command could not be sent to the leader in time", Err: context.Cause(ctx)}
	}
	return nil, context.Cause(ctx)
}

func (ps *proposals) add(p *forwarded) error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.closed {
		return errStopping()
	}
	if len(ps.waiting) >= maxWaitingProposals {
		return &registry.Error{Code: registry.CodeOverloaded, Reason: "too many commands are waiting; nothing was done, try again later"}
	}
	ps.waiting = append(ps.waiting, p)
	ps.signal()
	return nil
}

func (ps *proposals) signal() {
	select {
	case ps.wake <- struct{}{}:
	default: // as many signals wait as there are workers: each of them will look
	}
}

// remove takes p back if it was not sent yet.
func (ps *proposals) remove(p *forwarded) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	i := slices.Index(ps.waiting, p)
	if i < 0 {
		return false
	}
	ps.waiting = slices.Delete(ps.waiting, i, i+1)
	return true
}

// take returns the commands of the next call, all for the same leader; none if none wait.
func (ps *proposals) take() []*forwarded {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	n, size := 0, 0
	for n < min(len(ps.waiting), maxForwardedCommands) {
		p := ps.waiting[n]
		if n > 0 && (size+p.bytes > maxForwardedBytes || p.leaderID != ps.waiting[0].leaderID) {
			break
		}
		size += p.bytes
		n++
	}
	batch := slices.Clone(ps.waiting[:n])
	ps.waiting = slices.Delete(ps.waiting, 0, n)
	if len(ps.waiting) > 0 {
		ps.signal()
	}
	return batch
}

// work makes calls until ctx ends. send returns an outcome for each command.
func (ps *proposals) work(ctx context.Context, send func(ctx context.Context, leaderID string, commands []*fsmpb.Command) []outcomeOf) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ps.wake:
		}
		batch := ps.take()
		if len(batch) == 0 {
			continue
		}
		commands := make([]*fsmpb.Command, len(batch))
		for i, p := range batch {
			commands[i] = p.command
		}
		for i, outcome := range send(ctx, batch[0].leaderID, commands) {
			batch[i].outcomeOf = outcome
			close(batch[i].done)
		}
	}
}

// close fails what waits and all that comes later. It runs when no worker is left.
func (ps *proposals) close() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.closed = true
	for _, p := range ps.waiting {
		p.err = errStopping()
		close(p.done)
	}
	ps.waiting = nil
}

// allFailed gives every one of the commands the same error.
func allFailed(commands []*fsmpb.Command, err error) []outcomeOf {
	outcomes := make([]outcomeOf, len(commands))
	for i := range outcomes {
		outcomes[i].err = err
	}
	return outcomes
}
