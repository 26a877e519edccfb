package store

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// tableZoneGuard has a row for each zone: what its publications are measured by. Zone → ZoneGuard.
const tableZoneGuard table = 0xA5

// ZoneGuard is what decides whether a zone may be published and whether it may cease to be signed.
type ZoneGuard struct {
	// Delegations is how many are published, if IsCounted: a zone that was published before they were counted has no
	// count until the publisher gives it.
	Delegations uint64
	IsCounted   bool
	// WindowAt is when the present span of counting began, WindowBase how many delegations there were, Removed how many
	// left since.
	WindowAt            time.Time
	WindowBase, Removed uint64
	// HeldAt is since when the zone is not published; zero: it is. Limit is why.
	HeldAt time.Time
	Limit  string
	// ReleasedUntil is until when no limit counts.
	ReleasedUntil time.Time
	// DSGoneAt is when the parent was said to point to no key any more; zero: it may.
	DSGoneAt time.Time
}

// ZoneGuard returns the zone's row, zero if there is none.
func (tx *ReadTx) ZoneGuard(tld registry.DomainName) ZoneGuard {
	var g ZoneGuard
	value, ok := tx.get(tableZoneGuard.key().tail(string(tld)))
	if !ok {
		return g
	}
	decodeRow("zone guard", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				g.Delegations = d.val
			case 2:
				g.IsCounted = d.bool()
			case 3:
				g.WindowAt = d.time()
			case 4:
				g.WindowBase = d.val
			case 5:
				g.Removed = d.val
			case 6:
				g.HeldAt = d.time()
			case 7:
				g.Limit = d.str()
			case 8:
				g.ReleasedUntil = d.time()
			case 9:
				g.DSGoneAt = d.time()
			default:
				d.unknown()
			}
		}
	})
	return g
}

// PutZoneGuard writes the zone's row.
func (tx *Tx) PutZoneGuard(tld registry.DomainName, g *ZoneGuard) {
	var e encoder
	e.uint(1, g.Delegations)
	e.bool(2, g.IsCounted)
	e.time(3, g.WindowAt)
	e.uint(4, g.WindowBase)
	e.uint(5, g.Removed)
	e.time(6, g.HeldAt)
	e.str(7, g.Limit)
	e.time(8, g.ReleasedUntil)
	e.time(9, g.DSGoneAt)
	tx.set(tableZoneGuard.key().tail(string(tld)), e.b)
}

// IsDelegation says whether published records of an owner below the apex hold NS records.
func IsDelegation(rrs []byte) bool {
	const (
		rrtypeNS   = 2
		fixedBytes = 10 // type, class, TTL and length
	)
	for at := 0; at < len(rrs); {
		for at < len(rrs) && rrs[at] != 0 {
			at += 1 + int(rrs[at])
		}
		at++
		if at+fixedBytes > len(rrs) {
			return false
		}
		if rrs[at] == 0 && rrs[at+1] == rrtypeNS {
			return true
		}
		at += fixedBytes + int(rrs[at+8])<<8 + int(rrs[at+9])
	}
	return false
}

// Fields of a TLD's row about what a publication may take away.
const (
	fieldPolicyMaxRemoved        protowire.Number = 220
	fieldPolicyMaxRemovedPercent protowire.Number = 221
)

func (e *encoder) policyPublication(p *registry.TLDPolicy) {
	e.uint(fieldPolicyMaxRemoved, uint64(p.MaxRemovedDelegations))
	e.uint(fieldPolicyMaxRemovedPercent, uint64(p.MaxRemovedPercent))
}
