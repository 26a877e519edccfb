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
	"cadastre/zone"
)

const (
	// minInterval spaces publications under load; an idle publisher publishes at once.
	minInterval = 50 * time.Millisecond
	// recheckInterval is how often dirty names are looked for without a signal.
	recheckInterval = time.Second
	// proposeTimeout bounds the wait for a publication to be applied.
	proposeTimeout = 10 * time.Second
	// maxOwners and maxRecordOctets bound one publication, so that its entry stays small
	// beside the commands of registrars.
	maxOwners       = 1000
	maxRecordOctets = 192 << 10
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
	logger   *slog.Logger
}

// New returns a publisher over this node's proposer and state.
func New(p proposer, v viewer, logger *slog.Logger) *Publisher {
	return &Publisher{proposer: p, viewer: v, logger: logger}
}

// Run publishes until ctx is done; dirty signals that names became dirty.
func (p *Publisher) Run(ctx context.Context, dirty <-chan struct{}) error {
	recheck := time.NewTicker(recheckInterval)
	defer recheck.Stop()
	for {
		started := time.Now()
		published, err := p.publishAll(ctx)
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
			if published {
				continue // more may have become dirty meanwhile
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-dirty:
		case <-recheck.C:
		}
	}
}

// publishAll makes one publication for every zone that has dirty names and says whether
// there was any.
func (p *Publisher) publishAll(ctx context.Context) (bool, error) {
	var commands []*fsmpb.ZonePublish
	err := p.viewer.View(func(tx *store.ReadTx) error {
		for _, tld := range tx.TLDs() {
			c, err := compute(tx, tld)
			if err != nil {
				return err
			}
			if c != nil {
				commands = append(commands, c)
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("compute publications: %w", err)
	}
	var errs []error
	for _, c := range commands {
		errs = append(errs, p.propose(ctx, c))
	}
	return len(commands) > 0, errors.Join(errs...)
}

func (p *Publisher) propose(ctx context.Context, c *fsmpb.ZonePublish) error {
	ctx, cancel := context.WithTimeout(ctx, proposeTimeout)
	defer cancel()
	result, err := p.proposer.Propose(ctx, &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "publisher"},
		Body:  &fsmpb.Command_ZonePublish{ZonePublish: c},
	})
	if err != nil {
		return fmt.Errorf("propose serial %d of %s: %w", c.GetSerial(), c.GetTld(), err)
	}
	if err := fsm.ResultError(result); err != nil && !errors.Is(err, registry.CodeConflict) {
		return fmt.Errorf("publish serial %d of %s: %w", c.GetSerial(), c.GetTld(), err)
	}
	return nil // after a conflict the next round builds on the newer serial
}

// compute returns the publication that brings the dirty names of the zone up to date, nil
// if there are none.
func compute(tx *store.ReadTx, tld *registry.TLD) (*fsmpb.ZonePublish, error) {
	owners := tx.Dirty(tld.Name, maxOwners)
	if len(owners) == 0 {
		return nil, nil
	}
	current := tx.ZoneState(tld.Name)
	readIndex, _ := tx.Applied()
	c := &fsmpb.ZonePublish{Tld: string(tld.Name), BaseSerial: current.Serial, Serial: nextSerial(current, tx.Now()), ReadIndex: readIndex}
	apexDirty := false
	size := 0
	for _, owner := range owners {
		if size > maxRecordOctets {
			break
		}
		c.Cleaned = append(c.Cleaned, string(owner))
		if owner == tld.Name {
			apexDirty = true
			continue
		}
		rrs, err := zone.Records(tx, tld, owner, c.GetSerial())
		if err != nil {
			return nil, err
		}
		if published, _ := tx.Published(tld.Name, owner); string(published) != string(rrs) {
			c.Changes = append(c.Changes, &fsmpb.OwnerChange{Owner: string(owner), Rrs: rrs})
			size += len(rrs) + len(owner)
		}
	}
	if len(c.GetChanges()) == 0 && !apexDirty && current.Publications > 0 {
		return c, nil
	}
	apex, err := zone.Records(tx, tld, tld.Name, c.GetSerial())
	if err != nil {
		return nil, err
	}
	c.Changes = append(c.Changes, &fsmpb.OwnerChange{Owner: string(tld.Name), Rrs: apex})
	return c, nil
}

// nextSerial grows by one; a zone begins with the time in seconds, so that a zone that was
// served before under such serials goes on (RFC 1982).
func nextSerial(current store.ZoneState, now time.Time) uint32 {
	if current.Publications == 0 {
		return uint32(now.Unix())
	}
	return current.Serial + 1
}
