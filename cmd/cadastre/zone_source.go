package main

import (
	"context"

	"cadastre/dnsedge"
	"cadastre/registry"
	"cadastre/store"
	"cadastre/zone"
)

// zoneSource shows the published zones of the state to the DNS edge. The state numbers
// publications without gaps and gives each the next serial, so that a serial tells its
// number: as many steps before the last as it lies before the current serial.
type zoneSource struct{ store *store.Store }

// Zones lists the zones that are published now.
func (s *zoneSource) Zones(context.Context) ([]dnsedge.ZoneState, error) {
	var zones []dnsedge.ZoneState
	err := s.store.View(func(tx *store.ReadTx) error {
		for _, tld := range tx.TLDs() {
			if state := tx.ZoneState(tld.Name); state.Publications > 0 {
				zones = append(zones, dnsedge.ZoneState{TLD: string(tld.Name), Serial: state.Serial})
			}
		}
		return nil
	})
	return zones, err
}

// Load calls fn for every owner of the zone and every record of its NSEC3 chain.
func (s *zoneSource) Load(ctx context.Context, tld string, fn func(dnsedge.Owner) error) (serial uint32, err error) {
	err = s.store.View(func(tx *store.ReadTx) error {
		serial = tx.ZoneState(registry.DomainName(tld)).Serial
		var failed error
		tx.EachPublished(registry.DomainName(tld), func(o store.OwnerRecords) bool {
			if failed = ctx.Err(); failed == nil {
				failed = fn(dnsedge.Owner{Name: string(o.Owner), RRs: o.RRs})
			}
			return failed == nil
		})
		if failed == nil {
			failed = loadChain(ctx, tx, registry.DomainName(tld), fn)
		}
		return failed
	})
	return serial, err
}

// loadChain calls fn for the NSEC3 records. Rows of an NSEC chain only name owners that have their records already.
func loadChain(ctx context.Context, tx *store.ReadTx, tld registry.DomainName, fn func(dnsedge.Owner) error) error {
	var failed error
	tx.EachChainRow(tld, []byte{byte(registry.DenialNSEC3)}, func(key, row []byte) bool {
		if key[0] != byte(registry.DenialNSEC3) {
			return false
		}
		if failed = ctx.Err(); failed == nil {
			failed = fn(dnsedge.Owner{Name: string(zone.NSEC3Owner(tld, key[1:])), RRs: row, NSEC3: true})
		}
		return failed == nil
	})
	return failed
}

// Changes returns the publications after the serial from.
func (s *zoneSource) Changes(_ context.Context, tld string, from uint32) (changes []dnsedge.Publication, ok bool, err error) {
	err = s.store.View(func(tx *store.ReadTx) error {
		state := tx.ZoneState(registry.DomainName(tld))
		steps := uint64(state.Serial - from) // serials wrap round (RFC 1982)
		if steps >= state.Publications {
			return nil // another beginning of the zone, or a serial that is not ours
		}
		publications, reaches := tx.Journal(registry.DomainName(tld), state.Publications-steps)
		ok = reaches
		for _, p := range publications {
			changes = append(changes, convertPublication(p))
		}
		return nil
	})
	if err != nil || !ok {
		return nil, false, err
	}
	return changes, true, nil
}

func convertPublication(p store.Publication) dnsedge.Publication {
	out := dnsedge.Publication{Serial: p.Serial, Owners: make([]dnsedge.Owner, 0, len(p.Owners))}
	for _, o := range p.Owners {
		out.Owners = append(out.Owners, dnsedge.Owner{Name: string(o.Owner), RRs: o.RRs, NSEC3: o.NSEC3})
	}
	return out
}
