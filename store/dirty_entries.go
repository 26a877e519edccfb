package store

import "slices"

// From registry.LevelLeanRows on the names that await publication are kept on disk as one row
// for each entry that made some dirty, without those that are clean or became dirty again
// since: a row for each name would be written and deleted again within a fraction of a second.
// Rows from before go when their names become clean or dirty again.

// dirtyEntries says which names became dirty last in which entry: the rest of their keys in
// tableDirty, sorted. It changes as entries are applied, ahead of the commit.
type dirtyEntries map[uint64][]string

// foldDirty brings the rows on disk up to date with the names that the entry has made dirty
// or clean.
func (tx *Tx) foldDirty() {
	m := tx.memory
	if len(m.changedDirty) == 0 {
		return
	}
	if !tx.lean {
		m.changed = append(m.changed, m.changedDirty...)
		m.changedDirty = m.changedDirty[:0]
		return
	}
	gone := map[uint64]map[string]bool{}
	var come []string
	for _, at := range m.changedDirty {
		row := &m.rows[at]
		name := row.key[1:]
		row.inMemory = !row.dropped
		if row.hashed {
			since := decodeUint("dirty name", row.before)
			if _, isPacked := slices.BinarySearch(m.dirtyEntries[since], name); !isPacked {
				tx.hash.remove(row.key, row.before)
				row.inMemory, row.dropped = false, true
			} else {
				if gone[since] == nil {
					gone[since] = map[string]bool{}
				}
				gone[since][name] = true
			}
		}
		row.hashed, row.before, row.isChanged = !row.deleted, row.value, false
		if !row.deleted {
			come = append(come, name)
		}
	}
	m.changedDirty = m.changedDirty[:0]
	for index, names := range gone {
		m.dirtyEntries[index] = slices.DeleteFunc(m.dirtyEntries[index], func(name string) bool { return names[name] })
		if len(m.dirtyEntries[index]) == 0 {
			delete(m.dirtyEntries, index)
			tx.del(tableDirtyEntry.key().uint(index))
			continue
		}
		tx.set(tableDirtyEntry.key().uint(index), encodeDirtyEntry(m.dirtyEntries[index]))
	}
	if len(come) > 0 {
		slices.Sort(come)
		m.dirtyEntries[tx.at.Index] = come
		tx.insert(tableDirtyEntry.key().uint(tx.at.Index), encodeDirtyEntry(come))
	}
}

func encodeDirtyEntry(names []string) []byte {
	octets := 0
	for _, name := range names {
		octets += len(name) + 2
	}
	e := encoder{b: make([]byte, 0, octets)}
	for _, name := range names {
		e.elem(1, []byte(name))
	}
	return e.b
}

func decodeDirtyEntry(value []byte) []string {
	var names []string
	decodeRow("dirty names of an entry", value, func(d *decoder) {
		for d.next() {
			if d.num != 1 {
				d.unknown()
				return
			}
			names = append(names, d.str())
		}
	})
	return names
}

// loadDirty reads what is dirty into memory.
func loadDirty(tx *ReadTx) (*dirtyNames, dirtyEntries) {
	names, entries := newDirtyNames(), dirtyEntries{}
	tx.scan(tableDirty.key(), nil, func(rest, value []byte) bool {
		names.committed([]keptRow{{key: string(tableDirty.key().bytes(rest)), value: value}})
		return true
	})
	tx.scan(tableDirtyEntry.key(), nil, func(rest, value []byte) bool {
		index := decodeUint("dirty names of an entry", rest)
		entries[index] = decodeDirtyEntry(value)
		rows := make([]keptRow, 0, len(entries[index]))
		for _, name := range entries[index] {
			rows = append(rows, keptRow{key: string(tableDirty.key().tail(name)), value: uintRow(index)})
		}
		names.committed(rows)
		return true
	})
	return names, entries
}
