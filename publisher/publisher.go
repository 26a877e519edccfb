// Package publisher holds the leader's loops: one turns names whose publication is
// outdated into zone publications, the other lets time-driven work happen by ticks. Both
// go on from the replicated state, so a new leader needs nothing from the old one.
package publisher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/internal/pause"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// minInterval spaces publications under load; an idle publisher publishes at once.
	minInterval = 50 * time.Millisecond
	// recheckInterval is how often dirty names are looked for without a signal.
	recheckInterval = time.Second
	// proposeTimeout bounds the wait for a publication to be applied.
	proposeTimeout = 10 * time.Second
)

// proposer puts a command into the log and waits for its result. Only the leader's can.
type proposer interface {
	Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error)
}

// viewer opens a consistent view of this node's applied state.
type viewer interface {
	View(fn func(tx *store.ReadTx) error) error
}

// Publisher publishes what is dirty while its node leads.
type Publisher struct {
	proposer proposer
	viewer   viewer
	keys     keyring
	logger   *slog.Logger
	sweeps   map[registry.DomainName]*sweep
	alarms   *Alarms
}

// New returns a publisher over this node's proposer, state and keys.
func New(p proposer, v viewer, keys keyring, logger *slog.Logger) *Publisher {
	return &Publisher{proposer: p, viewer: v, keys: keys, logger: logger, sweeps: make(map[registry.DomainName]*sweep), alarms: &Alarms{}}
}

// ReportTo has the publisher raise its alarms there.
func (p *Publisher) ReportTo(alarms *Alarms) { p.alarms = alarms }

// Run publishes until ctx is done; dirty signals that names became dirty.
func (p *Publisher) Run(ctx context.Context, dirty <-chan struct{}) error {
	recheck := time.NewTicker(recheckInterval)
	defer recheck.Stop()
	defer p.alarms.reset()
	for {
		started := time.Now()
		published, more, err := p.publishAll(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			p.logger.Warn("publication failed, trying again", "error", err)
		}
		if published || err != nil {
			if pause.For(ctx, minInterval-time.Since(started)) != nil {
				return nil
			}
		}
		if published || more && err == nil {
			continue // more may have become dirty meanwhile, or a sweep goes on
		}
		select {
		case <-ctx.Done():
			return nil
		case <-dirty:
		case <-recheck.C:
		}
	}
}

// Settle publishes until nothing is left to publish. It is for a caller that has the node to itself.
func (p *Publisher) Settle(ctx context.Context) error {
	for {
		published, more, err := p.publishAll(ctx)
		if err != nil || !published && !more {
			return err
		}
	}
}

// publishAll makes one publication for every zone that has something to publish and says whether it did and
// whether more may follow at once.
func (p *Publisher) publishAll(ctx context.Context) (published, more bool, err error) {
	var commands []*fsmpb.ZonePublish
	var holds []*fsmpb.ZoneHold
	var errs []error // of one zone; the others go on
	err = p.viewer.View(func(tx *store.ReadTx) error {
		for _, tld := range tx.TLDs() {
			c, again, err := p.compute(ctx, tx, tld)
			more = more || again
			p.report(tld.Name, err)
			if held, is := errors.AsType[*heldError](err); is {
				delete(p.sweeps, tld.Name)
				if held.hold != nil {
					holds = append(holds, held.hold)
				}
				continue // an operator has the word
			}
			if errors.Is(err, errNoKeyYet) {
				continue // it is on its way
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("compute the publication of %s: %w", tld.Name, err))
				continue
			}
			if c != nil {
				commands = append(commands, c)
			}
		}
		return nil
	})
	if err != nil {
		return false, false, fmt.Errorf("compute publications: %w", err)
	}
	for _, hold := range holds {
		errs = append(errs, p.hold(ctx, hold))
	}
	for _, c := range commands {
		errs = append(errs, p.propose(ctx, c))
	}
	return len(commands) > 0, more, errors.Join(errs...)
}

// compute makes the publication of a zone, nil if there is nothing to publish.
func (p *Publisher) compute(ctx context.Context, tx *store.ReadTx, tld *registry.TLD) (publication *fsmpb.ZonePublish, more bool, err error) {
	if err := isHeld(tx, tld); err != nil {
		return nil, false, err
	}
	keys, err := p.keys.Keys(tx, tld)
	if err != nil {
		return nil, false, err
	}
	return compute(ctx, tx, tld, keys, p.sweeps)
}

// report raises or lowers the alarm of a zone.
func (p *Publisher) report(tld registry.DomainName, err error) {
	switch {
	case err == nil:
		if p.alarms.clear(tld) {
			p.logger.Info("the zone can be published again", "tld", tld)
		}
	case p.alarms.set(tld, err.Error(), time.Now()) && !errors.Is(err, errNoKeyYet):
		p.logger.Error("the zone is not published; the last publication stays in force", "tld", tld, "reason", err)
	}
}

// hold has the cluster stop publishing a zone.
func (p *Publisher) hold(ctx context.Context, hold *fsmpb.ZoneHold) error {
	result, err := p.send(ctx, &fsmpb.Command{Body: &fsmpb.Command_ZoneHold{ZoneHold: hold}})
	if err == nil {
		err = fsm.ResultError(result)
	}
	if err != nil && !errors.Is(err, registry.CodeConflict) {
		return fmt.Errorf("hold the zone %s: %w", hold.GetTld(), err)
	}
	return nil
}

func (p *Publisher) send(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, proposeTimeout)
	defer cancel()
	command.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "publisher"}
	return p.proposer.Propose(ctx, command)
}

func (p *Publisher) propose(ctx context.Context, c *fsmpb.ZonePublish) error {
	result, err := p.send(ctx, &fsmpb.Command{Body: &fsmpb.Command_ZonePublish{ZonePublish: c}})
	if err != nil {
		delete(p.sweeps, registry.DomainName(c.GetTld())) // its steps may be lost: begin anew
		return fmt.Errorf("propose serial %d of %s: %w", c.GetSerial(), c.GetTld(), err)
	}
	err = fsm.ResultError(result)
	if err != nil {
		delete(p.sweeps, registry.DomainName(c.GetTld()))
	}
	if err != nil && !errors.Is(err, registry.CodeConflict) {
		return fmt.Errorf("publish serial %d of %s: %w", c.GetSerial(), c.GetTld(), err)
	}
	return nil // after a conflict the next round builds on the newer serial
}
