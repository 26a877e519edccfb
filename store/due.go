package store

import (
	"time"

	"cadastre/registry"
)

// Due is something that time makes happen to a domain.
type Due struct {
	At     time.Time
	Domain registry.DomainName
}

func dueKey(at time.Time, name registry.DomainName) key {
	return tableDue.key().uint(uint64(at.UnixMilli())).tail(string(name))
}

// DueUntil returns up to limit items due at or before the given time, earliest first.
func (tx *ReadTx) DueUntil(until time.Time, limit int) []Due {
	var due []Due
	bound := uint64(until.UnixMilli())
	tx.scan(tableDue.key(), nil, func(rest, _ []byte) bool {
		if len(rest) < 8 {
			corrupt("due row", errRow)
		}
		at := decodeUint("due row", rest[:8])
		if at > bound || len(due) == limit {
			return false
		}
		due = append(due, Due{At: time.UnixMilli(int64(at)).UTC(), Domain: registry.DomainName(rest[8:])})
		return true
	})
	return due
}

// DueNow says whether anything is due at registry time.
func (tx *ReadTx) DueNow() bool { return len(tx.DueUntil(tx.Now(), 1)) > 0 }
