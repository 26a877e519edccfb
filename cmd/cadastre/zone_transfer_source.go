package main

import (
	"context"

	"cadastre/dnsedge"
	"cadastre/registry"
	"cadastre/store"
)

// zoneTransferSource opens published zones for transfers.
type zoneTransferSource struct{ store *store.Store }

// Snapshot calls fn with one state of the zone.
func (s *zoneTransferSource) Snapshot(ctx context.Context, tld string, fn func(context.Context, dnsedge.Snapshot) error) error {
	name := registry.DomainName(tld)
	return s.store.LongView(ctx, func(ctx context.Context, tx *store.ReadTx) error {
		state := tx.ZoneState(name)
		if _, found := tx.TLD(name); !found || state.Publications == 0 {
			return dnsedge.ErrNoZone
		}
		return fn(ctx, &zoneSnapshot{ctx: ctx, tx: tx, tld: name, state: state})
	})
}

// zoneSnapshot is a published zone in one state of the store.
type zoneSnapshot struct {
	ctx   context.Context
	tx    *store.ReadTx
	tld   registry.DomainName
	state store.ZoneState
}

// Serial is the serial of the last publication.
func (z *zoneSnapshot) Serial() uint32 { return z.state.Serial }

// Apex returns the records at the apex.
func (z *zoneSnapshot) Apex() []byte {
	rrs, _ := z.tx.Published(z.tld, z.tld)
	return rrs
}

// EachOwner calls fn for the records of every name, then for those of the NSEC3 chain.
func (z *zoneSnapshot) EachOwner(fn func(rrs []byte) error) error {
	var failed error
	each := func(rrs []byte) bool {
		if failed = z.ctx.Err(); failed == nil {
			failed = fn(rrs)
		}
		return failed == nil
	}
	z.tx.EachPublished(z.tld, func(o store.OwnerRecords) bool { return each(o.RRs) })
	if failed == nil {
		z.tx.EachNSEC3(z.tld, each)
	}
	return failed
}

// Changes calls fn for each change since a serial. As in zoneSource, a serial tells the number of its publication.
func (z *zoneSnapshot) Changes(from uint32, fn func(dnsedge.Change) error) (bool, error) {
	steps := uint64(z.state.Serial - from)
	if steps >= z.state.Publications {
		return false, nil
	}
	var failed error
	reaches := z.tx.EachPublication(z.tld, z.state.Publications-steps, func(p store.Publication) bool {
		for i := range p.Owners {
			o := &p.Owners[i]
			c := dnsedge.Change{Key: string(o.Owner), Before: o.Before, After: o.RRs}
			if o.NSEC3 {
				c.Key = "\x00" + string(o.ChainKey) // no name begins like that
			}
			if failed = fn(c); failed != nil {
				return false
			}
		}
		failed = z.ctx.Err()
		return failed == nil
	})
	return reaches, failed
}
