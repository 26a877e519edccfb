package store

import (
	"bytes"

	"cadastre/registry"
)

// AllocationToken returns the allocation token with the given SHA-256.
func (tx *ReadTx) AllocationToken(sha256 []byte) (*registry.AllocationToken, bool) {
	value, ok := tx.get(tableAllocationToken.key().bytes(sha256))
	if !ok {
		return nil, false
	}
	return decodeAllocationToken(sha256, value), true
}

// EachAllocationToken calls fn for all allocation tokens, by hash, until it returns false.
func (tx *ReadTx) EachAllocationToken(fn func(*registry.AllocationToken) bool) {
	tx.scan(tableAllocationToken.key(), nil, func(rest, value []byte) bool {
		return fn(decodeAllocationToken(rest, value))
	})
}

// HasAllocationToken says whether there is a token for that one name, whatever became of it.
func (tx *ReadTx) HasAllocationToken(name registry.DomainName) bool {
	found := false
	tx.scan(tableAllocationTokenName.key().str(string(name)), nil, func(_, _ []byte) bool {
		found = true
		return false
	})
	return found
}

// PutAllocationToken writes a token under its SHA-256. What it is for never changes.
func (tx *Tx) PutAllocationToken(t *registry.AllocationToken) {
	var e encoder
	e.str(1, string(t.Name))
	e.str(2, string(t.TLD))
	e.str(3, string(t.Registrar))
	e.bool(4, t.Unlimited)
	e.time(5, t.ValidFrom)
	e.time(6, t.ValidUntil)
	e.bool(7, t.HasPrice)
	e.int(8, t.PriceMinor)
	e.uint(9, uint64(t.DiscountPercent))
	e.bool(10, t.UnlocksReserved)
	e.time(11, t.CreatedAt)
	e.str(12, t.CreatedBy)
	e.time(13, t.RevokedAt)
	e.uint(14, t.Uses)
	e.time(15, t.LastUsedAt)
	e.str(16, string(t.LastUsedBy))
	e.str(17, string(t.LastUsedFor))
	tx.set(tableAllocationToken.key().bytes(t.SHA256), e.b)
	if t.Name != "" {
		tx.set(tableAllocationTokenName.key().str(string(t.Name)).bytes(t.SHA256), nil)
	}
}

func decodeAllocationToken(sha256, value []byte) *registry.AllocationToken {
	t := &registry.AllocationToken{SHA256: bytes.Clone(sha256)}
	decodeRow("allocation token", value, func(d *decoder) {
		for d.next() {
			d.allocationTokenField(t)
		}
	})
	return t
}

func (d *decoder) allocationTokenField(t *registry.AllocationToken) {
	switch d.num {
	case 1:
		t.Name = registry.DomainName(d.str())
	case 2:
		t.TLD = registry.DomainName(d.str())
	case 3:
		t.Registrar = registry.RegistrarID(d.str())
	case 4:
		t.Unlimited = d.bool()
	case 5:
		t.ValidFrom = d.time()
	case 6:
		t.ValidUntil = d.time()
	case 7:
		t.HasPrice = d.bool()
	case 8:
		t.PriceMinor = d.int()
	case 9:
		t.DiscountPercent = uint32(d.val)
	case 10:
		t.UnlocksReserved = d.bool()
	case 11:
		t.CreatedAt = d.time()
	case 12:
		t.CreatedBy = d.str()
	case 13:
		t.RevokedAt = d.time()
	case 14:
		t.Uses = d.val
	case 15:
		t.LastUsedAt = d.time()
	case 16:
		t.LastUsedBy = registry.RegistrarID(d.str())
	case 17:
		t.LastUsedFor = registry.DomainName(d.str())
	default:
		d.unknown()
	}
}
