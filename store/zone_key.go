package store

import (
	"cmp"
	"slices"

	"cadastre/registry"
)

// ZoneKeys returns the keys of the zone, the oldest first.
func (tx *ReadTx) ZoneKeys(tld registry.DomainName) []registry.ZoneKey {
	var keys []registry.ZoneKey
	tx.scan(tableZoneKey.key().str(string(tld)), nil, func(_, value []byte) bool {
		keys = append(keys, decodeZoneKey(value))
		return true
	})
	slices.SortStableFunc(keys, func(a, b registry.ZoneKey) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return keys
}

// ZoneKey returns the key of the zone with the id.
func (tx *ReadTx) ZoneKey(tld registry.DomainName, id string) (*registry.ZoneKey, bool) {
	value, ok := tx.get(tableZoneKey.key().str(string(tld)).tail(id))
	if !ok {
		return nil, false
	}
	k := decodeZoneKey(value)
	return &k, true
}

// PutZoneKey writes the public half of a key.
func (tx *Tx) PutZoneKey(k *registry.ZoneKey) {
	var e encoder
	e.str(1, string(k.TLD))
	e.str(2, k.ID)
	e.uint(3, uint64(k.Role))
	e.uint(4, uint64(k.Algorithm))
	e.bytes(5, k.PublicKey)
	e.uint(6, uint64(k.Tag))
	e.uint(7, uint64(k.State))
	e.bool(8, k.Rolling)
	e.str(9, k.Replaces)
	e.bool(10, k.Emergency)
	e.time(11, k.CreatedAt)
	e.time(12, k.StateAt)
	e.time(13, k.ObservedAt)
	e.time(14, k.DSSeenAt)
	tx.set(tableZoneKey.key().str(string(k.TLD)).tail(k.ID), e.b)
}

// DeleteZoneKey forgets a key.
func (tx *Tx) DeleteZoneKey(tld registry.DomainName, id string) {
	tx.del(tableZoneKey.key().str(string(tld)).tail(id))
}

func decodeZoneKey(value []byte) registry.ZoneKey {
	var k registry.ZoneKey
	decodeRow("zone key", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				k.TLD = registry.DomainName(d.str())
			case 2:
				k.ID = d.str()
			case 3:
				k.Role = registry.KeyRole(d.val)
			case 4:
				k.Algorithm = uint8(d.val)
			case 5:
				k.PublicKey = d.bytes()
			case 6:
				k.Tag = uint16(d.val)
			case 7:
				k.State = registry.KeyState(d.val)
			case 8:
				k.Rolling = d.bool()
			case 9:
				k.Replaces = d.str()
			case 10:
				k.Emergency = d.bool()
			default:
				d.zoneKeyTimes(&k)
			}
		}
	})
	return k
}

func (d *decoder) zoneKeyTimes(k *registry.ZoneKey) {
	switch d.num {
	case 11:
		k.CreatedAt = d.time()
	case 12:
		k.StateAt = d.time()
	case 13:
		k.ObservedAt = d.time()
	case 14:
		k.DSSeenAt = d.time()
	default:
		d.unknown()
	}
}
