package dnsedge

import (
	"context"
	"errors"
	"fmt"
)

// ZoneState names a published zone and its present serial.
type ZoneState struct {
	TLD    string
	Serial uint32
}

// Publication is one step of a zone's journal: the owners that changed, the apex with its new SOA among them.
type Publication struct {
	Serial uint32
	Owners []Owner
}

// Source is where the published zones come from. Each call reads one consistent state; the state may move on between
// calls.
type Source interface {
	// Zones lists the zones that are published now.
	Zones(ctx context.Context) ([]ZoneState, error)
	// Load calls fn for every owner of a zone, stops at its first error and returns it, and returns the serial that
	// the owners belong to. The owner's RRs are valid only during the call.
	Load(ctx context.Context, tld string, fn func(Owner) error) (serial uint32, err error)
	// Changes returns the publications after the given serial in order. It returns false if the journal does not reach
	// back that far.
	Changes(ctx context.Context, tld string, from uint32) (changes []Publication, ok bool, err error)
}

// refresh returns the view brought up to what the source publishes. A zone that cannot be brought up stays as it was
// (and is not served if it never was); the errors of all such zones are joined.
func refresh(ctx context.Context, source Source, view *View) (*View, error) {
	states, err := source.Zones(ctx)
	if err != nil {
		return view, fmt.Errorf("list published zones: %w", err)
	}
	var errs []error
	published := make(map[string]bool, len(states))
	for _, state := range states {
		published[state.TLD] = true
		zone := view.Zone(state.TLD)
		if zone != nil && zone.serial == state.Serial {
			continue
		}
		next, err := follow(ctx, source, zone, state.TLD)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		view = view.with(next)
	}
	for _, zone := range view.zones {
		if !published[zone.tld] {
			view = view.without(zone.tld)
		}
	}
	return view, errors.Join(errs...)
}

// follow brings one zone up to date: by the journal if that reaches and fits, else by loading it anew.
func follow(ctx context.Context, source Source, zone *Zone, tld string) (*Zone, error) {
	var journalErr error
	if zone != nil {
		var next *Zone
		if next, journalErr = applyJournal(ctx, source, zone); next != nil {
			return next, nil
		}
	}
	var serial uint32
	next, err := BuildZone(tld, func(add func(Owner) error) (err error) {
		serial, err = source.Load(ctx, tld, add)
		return err
	})
	if err == nil && next.serial != serial {
		err = fmt.Errorf("load zone %s: SOA has serial %d, the publication %d", tld, next.serial, serial)
	}
	if err != nil {
		return nil, errors.Join(journalErr, err)
	}
	return next, nil
}

// applyJournal returns nil without error if the journal does not lead on from the zone's serial.
func applyJournal(ctx context.Context, source Source, zone *Zone) (*Zone, error) {
	changes, ok, err := source.Changes(ctx, zone.tld, zone.serial)
	if err != nil {
		return nil, fmt.Errorf("read changes of zone %s since serial %d: %w", zone.tld, zone.serial, err)
	}
	if !ok || len(changes) == 0 {
		return nil, nil
	}
	var owners []Owner
	for _, c := range changes {
		owners = append(owners, c.Owners...)
	}
	next, err := zone.Apply(owners)
	if err != nil {
		return nil, err
	}
	if want := changes[len(changes)-1].Serial; next.serial != want {
		return nil, fmt.Errorf("apply changes to zone %s: SOA has serial %d, the publication %d", zone.tld, next.serial, want)
	}
	return next, nil
}
