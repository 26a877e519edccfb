package store

import (
	"time"

	"cadastre/registry"
)

// AuthFailures counts wrong attempts at authorisation information since a time of the
// leaders' clock; the zero value is none.
type AuthFailures struct {
	Count uint32
	Since time.Time
}

func authFailureKey(registrar registry.RegistrarID, object registry.ROID) []byte {
	return key{}.str(string(registrar)).tail(string(object))
}

// AuthFailures returns the attempts of a registrar at an object; no object stands for all
// objects, no registrar for all registrars.
func (tx *ReadTx) AuthFailures(registrar registry.RegistrarID, object registry.ROID) AuthFailures {
	var f AuthFailures
	value, ok := tx.get(tableAuthFailure.key().bytes(authFailureKey(registrar, object)))
	if !ok {
		return f
	}
	decodeRow("authorisation failures", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				f.Count = uint32(d.val)
			case 2:
				f.Since = d.time()
			default:
				d.unknown()
			}
		}
	})
	return f
}

// PutAuthFailures writes a count, which is purged by its Since.
func (tx *Tx) PutAuthFailures(registrar registry.RegistrarID, object registry.ROID, f AuthFailures) {
	k := authFailureKey(registrar, object)
	if old := tx.AuthFailures(registrar, object); !old.Since.Equal(f.Since) {
		if !old.Since.IsZero() {
			tx.del(tableAuthFailureByAge.key().uint(uint64(old.Since.UnixMilli())).bytes(k))
		}
		tx.set(tableAuthFailureByAge.key().uint(uint64(f.Since.UnixMilli())).bytes(k), nil)
	}
	var e encoder
	e.uint(1, uint64(f.Count))
	e.time(2, f.Since)
	tx.set(tableAuthFailure.key().bytes(k), e.b)
}

// PurgeAuthFailures removes up to limit counts that began before the given time and returns
// how many.
func (tx *Tx) PurgeAuthFailures(before time.Time, limit int) int {
	var ages [][]byte
	bound := uint64(max(0, before.UnixMilli()))
	tx.scan(tableAuthFailureByAge.key(), nil, func(rest, _ []byte) bool {
		if len(rest) < 8 {
			corrupt("age of authorisation failures", errRow)
		}
		if decodeUint("age of authorisation failures", rest[:8]) >= bound {
			return false
		}
		ages = append(ages, rest)
		return len(ages) < limit
	})
	for _, rest := range ages {
		tx.del(tableAuthFailureByAge.key().bytes(rest))
		tx.del(tableAuthFailure.key().bytes(rest[8:]))
	}
	return len(ages)
}
