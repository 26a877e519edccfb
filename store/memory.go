package store

import "github.com/cockroachdb/pebble/v2"

// maxHotRows bounds the rows kept in memory between transactions: some thousand
// registrars with their balances, the TLDs and a few dozen single rows.
const maxHotRows = 16384

// hotRows are rows that nearly every command reads, as of the last commit. Only the
// goroutine that applies the log uses them.
type hotRows map[string][]byte

// isHot says whether the table's rows are few, or some of them, and read all the time.
func isHot(t table) bool {
	return t == tableMeta || t == tableRegistrar || t == tableTLD || t == tableBalance || t == tableHost
}

// memory is what a transaction knows without asking the disk: its own writes, what the
// current command has read, and the hot rows.
type memory struct {
	db      *pebble.DB
	hot     hotRows
	dirty   *dirtyNames
	decoded map[string]decodedRow  // from hot rows
	pending map[string]*keptRow    // kept writes of this transaction
	rows    []*keptRow             // the same in the order in which they came
	byTable map[table][]string     // their keys
	changed []*keptRow             // those that the state hash does not know yet
	seen    map[string]stagedWrite // reads of the current command
}

// keptRow is a row that the transaction writes or deletes.
type keptRow struct {
	key     string
	value   []byte
	deleted bool
	// isNew: there was no row of this key before the transaction.
	isNew bool
	// hashed: the state hash holds the row with the value before.
	hashed    bool
	before    []byte
	isChanged bool
}

func newMemory(db *pebble.DB, hot hotRows, decoded map[string]decodedRow, dirty *dirtyNames) *memory {
	return &memory{db: db, hot: hot, dirty: dirty, decoded: decoded, pending: map[string]*keptRow{}, byTable: map[table][]string{}, seen: map[string]stagedWrite{}}
}

func (m *memory) get(k []byte) ([]byte, bool) {
	if row, ok := m.pending[string(k)]; ok {
		return row.value, !row.deleted
	}
	return m.getCommitted(k)
}

// getCommitted is get without the writes of the transaction.
func (m *memory) getCommitted(k []byte) ([]byte, bool) {
	if table(k[0]) == tableDirty {
		return m.dirty.get(k)
	}
	if w, ok := m.seen[string(k)]; ok {
		return w.value, !w.deleted
	}
	if value, ok := m.hot[string(k)]; ok {
		return value, true
	}
	value, found := read(m.db, k)
	m.seen[string(k)] = stagedWrite{value: value, deleted: !found}
	if found && isHot(table(k[0])) && len(m.hot) < maxHotRows {
		m.hot[string(k)] = value // the row as committed; pending shadows it until the commit
	}
	return value, found
}

// put notes a write that the transaction keeps.
func (m *memory) put(k string, w stagedWrite) {
	row := m.pending[k]
	if row == nil {
		row = &keptRow{key: k}
		if table(k[0]) != tableLocal {
			var found bool
			if !w.fresh {
				row.before, found = m.getCommitted([]byte(k))
			}
			if !found && w.deleted {
				return
			}
			row.isNew, row.hashed = !found, found
		}
		m.pending[k] = row
		m.rows = append(m.rows, row)
		m.byTable[table(k[0])] = append(m.byTable[table(k[0])], k)
	}
	row.value, row.deleted = w.value, w.deleted
	if !row.isChanged && table(k[0]) != tableLocal {
		row.isChanged = true
		m.changed = append(m.changed, row)
	}
}

// endCommand forgets what the command read, so that memory stays small in long batches.
func (m *memory) endCommand() { clear(m.seen) }

// decodedRow is a hot row with what was decoded from it.
type decodedRow struct {
	row   *byte
	value any
}

// decoded returns what decode makes of the row, which the callers must not change; it is
// kept as long as the row stays the same.
func decoded[T any](tx *ReadTx, k key, value []byte, decode func([]byte) T) T {
	if tx.memory == nil || len(value) == 0 {
		return decode(value)
	}
	known, ok := tx.memory.decoded[string(k)]
	if ok && known.row == &value[0] {
		if v, ok := known.value.(T); ok {
			return v
		}
	}
	v := decode(value)
	if len(tx.memory.decoded) < maxHotRows {
		tx.memory.decoded[string(k)] = decodedRow{row: &value[0], value: v}
	}
	return v
}

// committed brings the hot rows up to date with the transaction's writes.
func (m *memory) committed() {
	for _, row := range m.rows {
		if !isHot(table(row.key[0])) {
			continue
		}
		_, known := m.hot[row.key]
		switch {
		case row.deleted:
			delete(m.hot, row.key)
		case known || len(m.hot) < maxHotRows:
			m.hot[row.key] = row.value
		}
	}
}
