package store

import "sync"

// staleOrderSlack is how many keys of clean names may stay in the order beyond as many as
// are dirty, before it is made anew.
const staleOrderSlack = 1024

// dirtyNames holds the rows of tableDirty in memory. The table is a queue: its rows come
// and go, and what is deleted lies in the way of every scan until it is compacted. It is as
// long as what was changed since the last publication, of which twenty a second take a
// thousand names each.
type dirtyNames struct {
	mu    sync.RWMutex
	since map[string]uint64 // row key → the index since which the name is dirty
	order []string          // the keys, oldest first; may hold some that are clean by now
}

func newDirtyNames() *dirtyNames { return &dirtyNames{since: map[string]uint64{}} }

// get returns the row.
func (d *dirtyNames) get(k []byte) ([]byte, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	index, ok := d.since[string(k)]
	if !ok {
		return nil, false
	}
	return uintRow(index), true
}

// list returns up to limit keys that begin with prefix, oldest first.
func (d *dirtyNames) list(prefix string, limit int) []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var keys []string
	for _, k := range d.order {
		if len(keys) == limit {
			break
		}
		if _, ok := d.since[k]; ok && len(k) >= len(prefix) && k[:len(prefix)] == prefix {
			keys = append(keys, k)
		}
	}
	return keys
}

// committed notes what a transaction has written.
func (d *dirtyNames) committed(rows []keptRow) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range rows {
		row := &rows[i]
		if table(row.key[0]) != tableDirty {
			continue
		}
		if row.deleted {
			delete(d.since, row.key)
			continue
		}
		if _, known := d.since[row.key]; !known {
			d.order = append(d.order, row.key)
		}
		d.since[row.key] = decodeUint("dirty name", row.value)
	}
	if len(d.order) > 2*len(d.since)+staleOrderSlack {
		kept := d.order[:0]
		seen := make(map[string]bool, len(d.since))
		for _, k := range d.order {
			if _, ok := d.since[k]; ok && !seen[k] {
				seen[k] = true
				kept = append(kept, k)
			}
		}
		clear(d.order[len(kept):])
		d.order = kept
	}
}
