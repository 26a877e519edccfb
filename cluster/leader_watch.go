package cluster

import (
	"context"
	"errors"
	"sync"
	"time"
)

// leaderPollInterval is how often the local Raft node is asked who leads: the cost is one
// atomic read, and calls to a dead leader are given up this soon after an election.
const leaderPollInterval = 10 * time.Millisecond

// errLeaderChanged is the cause with which a call to an old leader is cancelled.
var errLeaderChanged = errors.New("another node leads now")

// leaderWatch knows the current leader and tells when it changes.
type leaderWatch struct {
	leader func() (id, address string)

	mu  sync.Mutex
	id  string // the last leader known
	era *era
}

// era is the time during which one leader is known. Its context ends with it.
type era struct {
	ctx context.Context
	end context.CancelCauseFunc
}

func newLeaderWatch(leader func() (id, address string)) *leaderWatch {
	return &leaderWatch{leader: leader, era: newEra()}
}

func newEra() *era {
	ctx, end := context.WithCancelCause(context.Background())
	return &era{ctx: ctx, end: end}
}

// current returns the leader known now ("" if none) and the era of the last one known. The
// era outlives a moment without a leader: as long as nobody else was elected, calls to the
// old leader may still succeed.
func (w *leaderWatch) current() (id string, since *era) {
	id, _ = w.leader()
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != "" && id != w.id {
		w.era.end(errLeaderChanged)
		w.id, w.era = id, newEra()
	}
	return id, w.era
}

// run notices changes until ctx ends.
func (w *leaderWatch) run(ctx context.Context) {
	ticker := time.NewTicker(leaderPollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.current()
		}
	}
}

// wait returns when another leader than that of since is known, after the pause, or when
// ctx ends.
func (w *leaderWatch) wait(ctx context.Context, since *era, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-since.ctx.Done():
	case <-timer.C:
	}
}
