package store

import "github.com/cockroachdb/pebble/v2"

// maxHotRows bounds the rows kept in memory between transactions: some thousand
// registrars with their balances, the TLDs and a few dozen single rows.
const maxHotRows = 16384

// hotRows are rows that nearly every command reads, as of the last commit. Only the
// goroutine that applies the log uses them.
type hotRows map[string][]byte

// isHot says whether the table's rows are few and read all the time.
func isHot(t table) bool {
	return t == tableMeta || t == tableRegistrar || t == tableTLD || t == tableBalance
}

// memory is what a transaction knows without asking the disk: its own writes, what the
// current command has read, and the hot rows.
type memory struct {
	db      *pebble.DB
	hot     hotRows
	pending map[string]stagedWrite // kept writes of this transaction
	seen    map[string]stagedWrite // reads of the current command
}

func newMemory(db *pebble.DB, hot hotRows) *memory {
	return &memory{db: db, hot: hot, pending: map[string]stagedWrite{}, seen: map[string]stagedWrite{}}
}

func (m *memory) get(k []byte) ([]byte, bool) {
	if w, ok := m.pending[string(k)]; ok {
		return w.value, !w.deleted
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
func (m *memory) put(k []byte, w stagedWrite) { m.pending[string(k)] = w }

// endCommand forgets what the command read, so that memory stays small in long batches.
func (m *memory) endCommand() { clear(m.seen) }

// committed brings the hot rows up to date with the transaction's writes.
func (m *memory) committed() {
	for k, w := range m.pending {
		if !isHot(table(k[0])) {
			continue
		}
		_, known := m.hot[k]
		switch {
		case w.deleted:
			delete(m.hot, k)
		case known || len(m.hot) < maxHotRows:
			m.hot[k] = w.value
		}
	}
}
