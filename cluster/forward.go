package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

const (
	// DefaultHold is how long a command or a read is held while there is no leader: several
	// elections, and less than the patience of an EPP client.
	DefaultHold = 30 * time.Second
	// proposeAttemptTimeout bounds one call to the leader. A commit takes milliseconds; a
	// leader that needs longer than this is asked again with the same request id.
	proposeAttemptTimeout = 5 * time.Second
	// readAttemptTimeout bounds one read-index call. It is one round trip to the voters.
	readAttemptTimeout = time.Second
	// The pauses between attempts, each with up to as much again in jitter. A change of the
	// leader ends a pause early.
	minRetryPause = 10 * time.Millisecond
	maxRetryPause = 500 * time.Millisecond
)

// ForwarderConfig says what a Forwarder works with.
type ForwarderConfig struct {
	NodeID string
	// BootEpoch tells this run of the node from its earlier ones: its start time in Unix
	// nanoseconds.
	BootEpoch uint64
	Raft      Raft
	Peers     *Peers
	// Hold is how long a call waits for a leader; 0 means DefaultHold.
	Hold time.Duration
}

// Forwarder brings commands and read-index requests to the leader, wherever it is, and
// retries until there is an answer. Commands keep their request id across retries, so that
// the state executes each once. Run must be running.
type Forwarder struct {
	nodeID    string
	bootEpoch uint64
	raft      proposer
	peers     *Peers
	hold      time.Duration
	watch     *leaderWatch
	counter   atomic.Uint64
	rounds    rounds
	proposals proposals
	fresh     knownFresh
}

// NewForwarder returns a Forwarder that is not running yet.
func NewForwarder(cfg ForwarderConfig) *Forwarder {
	hold := cfg.Hold
	if hold == 0 {
		hold = DefaultHold
	}
	return &Forwarder{
		nodeID: cfg.NodeID, bootEpoch: cfg.BootEpoch, raft: cfg.Raft, peers: cfg.Peers, hold: hold,
		watch:  newLeaderWatch(cfg.Raft.Leader),
		rounds: rounds{wake: make(chan struct{}, readRoundWorkers)}, proposals: proposals{wake: make(chan struct{}, proposeWorkers)},
		fresh: knownFresh{start: time.Now()},
	}
}

// Run watches the leader, carries commands to it and runs the shared rounds of Linearizable
// until ctx ends.
func (f *Forwarder) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { f.watch.run(ctx) })
	for range readRoundWorkers {
		wg.Go(func() { f.rounds.work(ctx, f.ReadIndex) })
	}
	for range proposeWorkers {
		wg.Go(func() { f.proposals.work(ctx, f.send) })
	}
	wg.Wait()
	f.rounds.close()
	f.proposals.close()
	return nil
}

// Propose commits the command through the leader and returns what applying it answered; a
// refusal by the rules is a Result. If the command has no request id it is given one, so
// that a caller may propose the same command again. The error is a *registry.Error:
// CodeUnavailable if no leader was found and nothing was done, at once CodeOverloaded if the
// leader takes no commands, CodeOutcomeUnknown if an attempt may have been or may still be
// applied. A command that needs a higher feature level than the
// cluster has is refused with CodeFeatureLevel.
func (f *Forwarder) Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	if command.RequestId == nil {
		command.RequestId = &fsmpb.RequestID{
			OriginNode: f.nodeID, BootEpoch: f.bootEpoch, Counter: f.counter.Add(1),
		}
	}
	if err := f.raft.CheckLevel(command); err != nil {
		return nil, err
	}
	return retry(ctx, f, proposeAttemptTimeout, func(ctx context.Context, leaderID string) (*fsmpb.Result, error) {
		if leaderID == f.nodeID {
			return f.raft.Propose(ctx, command)
		}
		return f.proposals.propose(ctx, leaderID, command)
	})
}

// send makes one call with commands for the leader, unless another one is known by now.
func (f *Forwarder) send(ctx context.Context, leaderID string, commands []*fsmpb.Command) []outcomeOf {
	current, since := f.watch.current()
	if current != "" && current != leaderID {
		return allFailed(commands, &registry.Error{Code: registry.CodeUnavailable, Reason: "another node leads now"})
	}
	outcomes, err := attemptOnce(ctx, since, false, proposeAttemptTimeout, leaderID, func(ctx context.Context, leaderID string) ([]outcomeOf, error) {
		return f.peers.Propose(ctx, leaderID, commands)
	})
	if err != nil {
		return allFailed(commands, err)
	}
	return outcomes
}

// ReadIndex returns an index such that a state that has applied it holds everything that
// was acknowledged before the call. The error is a *registry.Error of CodeUnavailable.
func (f *Forwarder) ReadIndex(ctx context.Context) (uint64, error) {
	index, err := retry(ctx, f, readAttemptTimeout, func(ctx context.Context, leaderID string) (uint64, error) {
		if leaderID == f.nodeID {
			return f.raft.ReadIndex(ctx)
		}
		return f.peers.ReadIndex(ctx, leaderID)
	})
	// A read changes nothing, so its outcome is never in doubt.
	if re, ok := errors.AsType[*registry.Error](err); ok && re.Code == registry.CodeOutcomeUnknown {
		err = &registry.Error{Code: registry.CodeUnavailable, Reason: re.Reason, Err: re.Err}
	}
	return index, err
}

// onLeader runs call with the leader's id until it gets an answer, holding while there is
// no leader.
func (f *Forwarder) onLeader(ctx context.Context, attempt time.Duration, call func(context.Context, string) error) error {
	_, err := retry(ctx, f, attempt, func(ctx context.Context, leaderID string) (struct{}, error) {
		return struct{}{}, call(ctx, leaderID)
	})
	return err
}

// retry calls once with the leader's id until it succeeds, fails for good, or time is up.
func retry[T any](ctx context.Context, f *Forwarder, attempt time.Duration, once func(context.Context, string) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, f.hold)
	defer cancel()
	var (
		none    T
		maybe   bool // an attempt may have been applied
		lastErr error
	)
	pause := minRetryPause
	for ctx.Err() == nil {
		leaderID, since := f.watch.current()
		if leaderID == "" {
			f.watch.wait(ctx, since, leaderPollInterval)
			continue
		}
		value, err := attemptOnce(ctx, since, leaderID == f.nodeID, attempt, leaderID, once)
		if err == nil {
			return value, nil
		}
		switch classify(err) {
		case outcomeFinal:
			return none, err
		case outcomeRefused:
			if !maybe {
				return none, err
			}
		case outcomeMaybe:
			maybe = true
		}
		lastErr = err
		f.watch.wait(ctx, since, pause+rand.N(pause))
		pause = min(2*pause, maxRetryPause)
	}
	return none, gaveUp(maybe, errors.Join(lastErr, ctx.Err()))
}

// attemptOnce runs one call. A call to another node also ends when a new leader is known.
func attemptOnce[T any](ctx context.Context, since *era, local bool, limit time.Duration, leaderID string,
	once func(context.Context, string) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if !local {
		stop := context.AfterFunc(since.ctx, cancel)
		defer stop()
	}
	return once(ctx, leaderID)
}

type outcome int

const (
	outcomeNothing outcome = iota // nothing was done: try again
	outcomeMaybe                  // it may have been done: try again with the same request id
	outcomeFinal                  // an answer: do not try again
	// outcomeRefused is an answer for a new command. If an earlier attempt may have been
	// applied it is none: the leader answers such a request from its state, in time.
	outcomeRefused
)

// classify says what an error of one attempt means for the next.
func classify(err error) outcome {
	if _, ok := asNotLeader(err); ok {
		return outcomeNothing
	}
	if _, ok := errors.AsType[*notConnectedError](err); ok {
		return outcomeNothing
	}
	if re, ok := errors.AsType[*registry.Error](err); ok {
		switch re.Code {
		case registry.CodeUnavailable:
			return outcomeNothing
		case registry.CodeOutcomeUnknown:
			return outcomeMaybe
		case registry.CodeOverloaded:
			return outcomeRefused
		default:
			return outcomeFinal
		}
	}
	return outcomeMaybe
}

func gaveUp(maybe bool, cause error) error {
	if maybe {
		return &registry.Error{Code: registry.CodeOutcomeUnknown,
			Reason: "the leader could not be reached for an answer; the command may or may not have been done", Err: cause}
	}
	return &registry.Error{Code: registry.CodeUnavailable, Reason: "no leader could be reached; nothing was done", Err: cause}
}
