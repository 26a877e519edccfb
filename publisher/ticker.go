package publisher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// tickCheckInterval is how often the leader looks whether something is due.
	tickCheckInterval = 200 * time.Millisecond
	// tickInterval is the longest time between ticks, which carry the state hash.
	tickInterval = 5 * time.Second
)

// Ticker proposes ticks while its node leads.
type Ticker struct {
	proposer proposer
	viewer   viewer
	now      func() time.Time
	logger   *slog.Logger
}

// NewTicker returns a ticker; now is the node's clock.
func NewTicker(p proposer, v viewer, now func() time.Time, logger *slog.Logger) *Ticker {
	return &Ticker{proposer: p, viewer: v, now: now, logger: logger}
}

// Run ticks until ctx is done: at once while work is due, else every tickInterval. dirty
// is signalled by commands that may have made something due, such as a moved clock.
func (t *Ticker) Run(ctx context.Context) error {
	check := time.NewTicker(tickCheckInterval)
	defer check.Stop()
	var last time.Time
	for {
		more := false
		due, tick, err := t.prepare()
		if err == nil && (due || t.now().Sub(last) >= tickInterval) {
			last = t.now()
			more, err = t.propose(ctx, tick)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			t.logger.Warn("tick failed, trying again", "error", err)
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-check.C:
		}
	}
}

// prepare says whether anything is due and makes the tick that would do it.
func (t *Ticker) prepare() (due bool, tick *fsmpb.Tick, err error) {
	err = t.viewer.View(func(tx *store.ReadTx) error {
		now := tx.Now()
		if tx.ClockMode() == registry.ClockSystem {
			now = t.now()
		}
		due = len(tx.DueUntil(now, 1)) > 0 || tx.HasWork()
		index, _ := tx.Applied()
		tick = &fsmpb.Tick{HashIndex: index, Hash: tx.StateHash()}
		return nil
	})
	if err != nil {
		return false, nil, fmt.Errorf("look for due work: %w", err)
	}
	return due, tick, nil
}

func (t *Ticker) propose(ctx context.Context, tick *fsmpb.Tick) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, proposeTimeout)
	defer cancel()
	result, err := t.proposer.Propose(ctx, &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "ticker"},
		Body:  &fsmpb.Command_Tick{Tick: tick},
	})
	if err != nil {
		return false, fmt.Errorf("propose a tick: %w", err)
	}
	if err := fsm.ResultError(result); err != nil {
		return false, errors.Join(errors.New("a tick was refused"), err)
	}
	return result.GetMoreDue(), nil
}
