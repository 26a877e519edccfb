package store

import (
	"bytes"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cadastre/registry"
)

// Rows of signed zones.
const (
	tableZoneChain table = 0xA0 // zone, chain key → NSEC3 record with signatures, or name with an NSEC record
	tableResign    table = 0xA1 // zone, time, kind, owner: signatures to be renewed from then on
	tableResignOf  table = 0xA2 // zone, kind, owner → time of its row in tableResign
)

// The kinds of owners whose signatures are renewed.
const (
	resignName byte = 'n' // an owner name of the zone
	resignHash byte = 'h' // a chain key
)

// ChainRow returns the row of the zone's denial chain at key.
func (tx *ReadTx) ChainRow(tld registry.DomainName, key []byte) ([]byte, bool) {
	return tx.get(tableZoneChain.key().str(string(tld)).bytes(key))
}

// ChainFrom returns the first row of the zone's denial chain at or after key.
func (tx *ReadTx) ChainFrom(tld registry.DomainName, key []byte) (at, row []byte, ok bool) {
	prefix := tableZoneChain.key().str(string(tld))
	tx.scan(prefix, tableZoneChain.key().str(string(tld)).bytes(key), func(rest, value []byte) bool {
		at, row, ok = rest, value, true
		return false
	})
	return at, row, ok
}

// ChainBefore returns the last row of the zone's denial chain before key; nil stands for its end. It is
// for views: rows of the entry being applied are not seen.
func (tx *ReadTx) ChainBefore(tld registry.DomainName, before []byte) (at, row []byte, ok bool) {
	prefix := tableZoneChain.key().str(string(tld))
	upper := prefixEnd(prefix)
	if before != nil {
		upper = tableZoneChain.key().str(string(tld)).bytes(before)
	}
	iter, err := tx.source.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: upper})
	if err != nil {
		panic(fault("scan", err))
	}
	defer func() {
		if err := iter.Close(); err != nil {
			panic(fault("scan", err))
		}
	}()
	if iter.Last() {
		return bytes.Clone(iter.Key()[len(prefix):]), bytes.Clone(iter.Value()), true
	}
	if err := iter.Error(); err != nil {
		panic(fault("scan", err))
	}
	return nil, nil, false
}

// EachChainRow calls fn for the rows of the zone's denial chain from key on until it returns false.
func (tx *ReadTx) EachChainRow(tld registry.DomainName, from []byte, fn func(key, row []byte) bool) {
	tx.scan(tableZoneChain.key().str(string(tld)), tableZoneChain.key().str(string(tld)).bytes(from), fn)
}

// EachPublishedFrom is EachPublished from an owner on.
func (tx *ReadTx) EachPublishedFrom(tld, from registry.DomainName, fn func(OwnerRecords) bool) {
	tx.scan(tableZone.key().str(string(tld)), tableZone.key().str(string(tld)).tail(string(from)), func(rest, value []byte) bool {
		return fn(OwnerRecords{Owner: registry.DomainName(rest), RRs: value})
	})
}

// ResignDue returns up to limit owners and chain keys of the zone with signatures to be renewed by
// until, those due longest first.
func (tx *ReadTx) ResignDue(tld registry.DomainName, until time.Time, limit int) (owners []registry.DomainName, chainKeys [][]byte) {
	bound := uint64(until.UnixMilli())
	seen := 0
	tx.scan(tableResign.key().str(string(tld)), nil, func(rest, _ []byte) bool {
		if len(rest) < 9 {
			corrupt("renewal row", errRow)
		}
		if decodeUint("renewal row", rest[:8]) > bound || seen == limit {
			return false
		}
		seen++
		if rest[8] == resignHash {
			chainKeys = append(chainKeys, rest[9:])
		} else {
			owners = append(owners, registry.DomainName(rest[9:]))
		}
		return true
	})
	return owners, chainKeys
}

// NextResign returns when the next signatures of the zone are to be renewed, zero if it has none.
func (tx *ReadTx) NextResign(tld registry.DomainName) (at time.Time) {
	tx.scan(tableResign.key().str(string(tld)), nil, func(rest, _ []byte) bool {
		if len(rest) < 9 {
			corrupt("renewal row", errRow)
		}
		at = time.UnixMilli(int64(decodeUint("renewal row", rest[:8]))).UTC()
		return false
	})
	return at
}

// putChain brings the denial chain and the renewals in step with an owner of a publication.
func (tx *Tx) putChain(tld registry.DomainName, o *OwnerRecords) {
	if len(o.ChainKey) > 0 {
		k := tableZoneChain.key().str(string(tld)).bytes(o.ChainKey)
		switch {
		case o.Unchain || o.NSEC3 && len(o.RRs) == 0:
			tx.del(k)
		case o.NSEC3:
			tx.set(k, o.RRs)
		default:
			tx.set(k, []byte(o.Owner))
		}
	}
	kind, name := resignName, []byte(o.Owner)
	if o.NSEC3 {
		kind, name = resignHash, o.ChainKey
	}
	of := append(tableResignOf.key().str(string(tld)), kind).bytes(name)
	old, found := tx.get(of)
	var want []byte
	if !o.ResignAt.IsZero() {
		want = uintRow(uint64(o.ResignAt.UnixMilli()))
	}
	if found == (want != nil) && bytes.Equal(old, want) {
		return
	}
	at := func(when []byte) key {
		return append(tableResign.key().str(string(tld)).uint(decodeUint("renewal", when)), kind).bytes(name)
	}
	if found {
		tx.del(at(old))
	}
	if want == nil {
		tx.del(of)
		return
	}
	tx.set(of, want)
	tx.set(at(want), []byte{})
}
