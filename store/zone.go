package store

import (
	"bytes"
	"slices"
	"time"

	"cadastre/registry"
)

// journalWindow is how many publications a zone's journal keeps; a reader that is further
// behind loads the zone anew.
const journalWindow = 8192

// OwnerRecords is the published content of one owner name: complete uncompressed resource
// records one after another, none if the owner is gone.
type OwnerRecords struct {
	Owner registry.DomainName
	RRs   []byte
	// Before is what was published at the owner until then; only in publications.
	Before []byte
	// ChainKey is the owner's place in the zone's denial chain, if it has or had one. With NSEC3, RRs
	// are the record of that hash and the owner is no name of the zone proper; with Unchain, a name
	// leaves a chain of NSEC records.
	ChainKey       []byte
	NSEC3, Unchain bool
	// ResignAt is when the first signature is to be renewed; zero: never.
	ResignAt time.Time
}

// Publication is one step of a zone from one serial to the next.
type Publication struct {
	Number uint64 // counts from 1 without gaps
	Serial uint32
	Owners []OwnerRecords
}

// ZoneState is how far a zone is published; the zero value means never.
type ZoneState struct {
	Serial       uint32
	Publications uint64
	// SignedAs is the fingerprint of how all of it is signed; "" where it is not.
	SignedAs string
}

// cutKey splits a key at its first separator.
func cutKey(what string, rest []byte) (head, tail string) {
	a, b, ok := bytes.Cut(rest, []byte{separator})
	if !ok {
		corrupt(what, errRow)
	}
	return string(a), string(b)
}

// MarkDirty notes that what is published at owner may be outdated as of the current entry.
func (tx *Tx) MarkDirty(tld, owner registry.DomainName) {
	tx.set(tableDirty.key().str(string(tld)).tail(string(owner)), uintRow(tx.at.Index))
}

// Dirty returns up to limit owners of the zone whose publication may be outdated, by
// name; if there are more, those that have waited longest. It may know of some that became so after the view.
func (tx *ReadTx) Dirty(tld registry.DomainName, limit int) []registry.DomainName {
	prefix := string(tableDirty.key().str(string(tld)))
	var owners []registry.DomainName
	for _, k := range tx.dirty.list(prefix, limit) {
		owners = append(owners, registry.DomainName(k[len(prefix):]))
	}
	slices.Sort(owners)
	return owners
}

// HasDirty says whether any zone has something to publish.
func (tx *ReadTx) HasDirty() bool { return len(tx.dirty.list("", 1)) > 0 }

// Clean forgets that owner is dirty unless it became so after readIndex.
func (tx *Tx) Clean(tld, owner registry.DomainName, readIndex uint64) {
	k := tableDirty.key().str(string(tld)).tail(string(owner))
	if value, ok := tx.get(k); ok && decodeUint("dirty name", value) <= readIndex {
		tx.del(k)
	}
}

// ZoneState returns how far the zone is published.
func (tx *ReadTx) ZoneState(tld registry.DomainName) ZoneState {
	var z ZoneState
	value, ok := tx.get(tableZoneState.key().tail(string(tld)))
	if !ok {
		return z
	}
	decodeRow("zone state", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				z.Serial = uint32(d.val)
			case 2:
				z.Publications = d.val
			case 3:
				z.SignedAs = d.str()
			default:
				d.unknown()
			}
		}
	})
	return z
}

// Published returns what is published at owner.
func (tx *ReadTx) Published(tld, owner registry.DomainName) ([]byte, bool) {
	return tx.get(tableZone.key().str(string(tld)).tail(string(owner)))
}

// EachPublished calls fn for every published owner of the zone until it returns false.
func (tx *ReadTx) EachPublished(tld registry.DomainName, fn func(OwnerRecords) bool) {
	tx.scan(tableZone.key().str(string(tld)), nil, func(rest, value []byte) bool {
		return fn(OwnerRecords{Owner: registry.DomainName(rest), RRs: value})
	})
}

// Publish puts the owners into the zone under the serial and adds a journal row. signedAs says how the
// whole zone is signed from now on. It counts the delegations that enter and leave the zone.
func (tx *Tx) Publish(tld registry.DomainName, serial uint32, signedAs string, owners []OwnerRecords) (added, removed uint64) {
	z := tx.ZoneState(tld)
	z.Serial, z.Publications, z.SignedAs = serial, z.Publications+1, signedAs
	octets := usualRowOctets
	for i := range owners { // what was published before is seldom there
		octets += len(owners[i].Owner) + len(owners[i].RRs) + 16
	}
	row := encoder{b: make([]byte, 0, octets)}
	row.uint(1, uint64(serial))
	for i := range owners {
		o := &owners[i]
		k := tableZone.key().str(string(tld)).tail(string(o.Owner))
		if o.NSEC3 {
			k = tableZoneChain.key().str(string(tld)).bytes(o.ChainKey)
		}
		if tx.FeatureLevel() >= registry.LevelLifecycle {
			o.Before, _ = tx.get(k)
		}
		if !o.NSEC3 && o.Owner != tld {
			switch was, is := IsDelegation(o.Before), IsDelegation(o.RRs); {
			case is && !was:
				added++
			case was && !is:
				removed++
			}
		}
		row.msg(2, func(e *encoder) { e.ownerRecords(o) })
		tx.putChain(tld, o)
		switch {
		case o.NSEC3:
		case len(o.RRs) == 0:
			tx.del(k)
		default:
			tx.set(k, o.RRs)
		}
	}
	tx.insert(tableJournal.key().str(string(tld)).uint(z.Publications), row.b)
	if z.Publications > journalWindow {
		tx.del(tableJournal.key().str(string(tld)).uint(z.Publications - journalWindow))
	}
	var e encoder
	e.uint(1, uint64(z.Serial))
	e.uint(2, z.Publications)
	e.str(3, z.SignedAs)
	tx.set(tableZoneState.key().tail(string(tld)), e.b)
	return added, removed
}

func (e *encoder) ownerRecords(o *OwnerRecords) {
	e.str(1, string(o.Owner))
	e.bytes(2, o.RRs)
	e.bytes(3, o.Before)
	e.bool(4, o.NSEC3)
	if o.NSEC3 {
		e.bytes(5, o.ChainKey)
	}
}

// Journal returns the publications after number after, oldest first, and whether the
// journal reaches back that far.
func (tx *ReadTx) Journal(tld registry.DomainName, after uint64) ([]Publication, bool) {
	want := after + 1
	var pubs []Publication
	prefix := tableJournal.key().str(string(tld))
	start := tableJournal.key().str(string(tld)).uint(want)
	tx.scan(prefix, start, func(rest, value []byte) bool {
		p := decodePublication(value)
		p.Number = decodeUint("journal", rest)
		if p.Number != want {
			return false
		}
		want++
		pubs = append(pubs, p)
		return true
	})
	return pubs, want-1 == tx.ZoneState(tld).Publications
}

func decodePublication(value []byte) Publication {
	var p Publication
	decodeRow("journal", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				p.Serial = uint32(d.val)
			case 2:
				p.Owners = append(p.Owners, d.ownerRecords())
			default:
				d.unknown()
			}
		}
	})
	return p
}

func (d *decoder) ownerRecords() OwnerRecords {
	var o OwnerRecords
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				o.Owner = registry.DomainName(d.str())
			case 2:
				o.RRs = d.bytes()
			case 3:
				o.Before = d.bytes()
			case 4:
				o.NSEC3 = d.bool()
			case 5:
				o.ChainKey = d.bytes()
			default:
				d.unknown()
			}
		}
	})
	return o
}
