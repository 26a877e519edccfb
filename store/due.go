package store

import (
	"slices"
	"time"

	"cadastre/registry"
)

// Due is something that time makes happen to a domain or, where one of the others is set, to
// that.
type Due struct {
	At          time.Time
	Domain      registry.DomainName
	Contact     registry.ContactID // in the form of its key
	Maintenance string
}

func dueKey(at time.Time, name registry.DomainName) key {
	return tableDue.key().uint(uint64(at.UnixMilli())).tail(string(name))
}

func dueContactKey(at time.Time, id registry.ContactID) key {
	return tableDueContact.key().uint(uint64(at.UnixMilli())).tail(id.Key())
}

// DueUntil returns up to limit items due at or before the given time, earliest first and of
// the same instant domains first, then contacts.
func (tx *ReadTx) DueUntil(until time.Time, limit int) []Due {
	due := make([]Due, 0, 2)
	tx.scanDue(tableDue, until, limit, func(at time.Time, name string) {
		due = append(due, Due{At: at, Domain: registry.DomainName(name)})
	})
	domains := len(due)
	tx.scanDue(tableDueContact, until, limit, func(at time.Time, id string) {
		due = append(due, Due{At: at, Contact: registry.ContactID(id)})
	})
	contacts := len(due) - domains
	tx.scanDue(tableDueMaint, until, limit, func(at time.Time, id string) {
		due = append(due, Due{At: at, Maintenance: id})
	})
	if len(due) > max(domains, contacts) {
		slices.SortStableFunc(due, func(a, b Due) int { return a.At.Compare(b.At) })
	}
	return due[:min(limit, len(due))]
}

// scanDue calls fn for up to limit rows of a table of due items, earliest first.
func (tx *ReadTx) scanDue(t table, until time.Time, limit int, fn func(at time.Time, rest string)) {
	bound, seen := uint64(until.UnixMilli()), 0
	tx.scan(t.key(), nil, func(rest, _ []byte) bool {
		if len(rest) < 8 {
			corrupt("due row", errRow)
		}
		at := decodeUint("due row", rest[:8])
		if at > bound || seen == limit {
			return false
		}
		fn(time.UnixMilli(int64(at)).UTC(), string(rest[8:]))
		seen++
		return true
	})
}

// DueNow says whether a tick has something to do at registry time.
func (tx *ReadTx) DueNow() bool { return len(tx.DueUntil(tx.Now(), 1)) > 0 || tx.HasWork() }
