package store

import (
	"github.com/cockroachdb/pebble/v2"
)

const (
	// maxHotRows bounds the rows kept in memory between transactions: some thousand
	// registrars with their balances, the TLDs, a few dozen single rows and the hosts named
	// lately. When there are as many, they are gathered anew.
	maxHotRows = 16384
	// maxReusedRows bounds what the memory of a transaction may grow to and still be used
	// again for the next; a usual one holds some hundred rows.
	maxReusedRows = 16384
	// searchedRows is up to how many staged rows or reads of a command are searched one by
	// one, which for few is faster than a map.
	searchedRows = 24
)

// hotRows are rows that nearly every command reads, as of the last commit; nil stands for a
// row that is not there. Only the goroutine that applies the log uses them.
type hotRows map[string][]byte

// isHot says whether the table's rows are few, or some of them, and read all the time.
func isHot(t table) bool {
	switch t {
	case tableMeta, tableRegistrar, tableTLD, tableBalance, tableHost, tableAddGrace, tableZoneState, tablePollQueue, tableDirtyEntry:
		return true
	}
	return false
}

// isMissed says whether rows of the hot table are looked for though they are seldom there.
// Names of hosts are not among them: there is no end of those that do not exist.
func isMissed(t table) bool { return t == tablePollQueue || t == tableAddGrace || t == tableMeta }

// memory is what a transaction knows without asking the disk: its own writes, what the
// current command has read, and the hot rows. It is used again for the next transaction.
type memory struct {
	db      *pebble.DB
	hot     hotRows
	dirty   *dirtyNames
	filter  *keyFilter
	decoded map[string]decodedRow // from hot rows
	pending map[string]int        // key of a kept write → its place in rows
	rows    []keptRow             // kept writes, in the order in which they came
	byTable [256][]int            // the same by table
	changed []int                 // those that the state hash does not know yet
	seen    []seenRow             // reads of the current command
	// dirtyEntries changes as entries are applied, ahead of the commit: a transaction that is
	// not committed makes it anew.
	dirtyEntries dirtyEntries
	changedDirty []int // rows of tableDirty that the entry has changed
	packed       packed
	// oldResults says that rows of tableRequest may be left.
	oldResults bool
}

// keptRow is a row that the transaction writes or deletes.
type keptRow struct {
	key     string
	value   []byte
	before  []byte
	deleted bool
	// isNew: there was no row of this key before the transaction.
	isNew bool
	// hashed: the state hash holds the row with the value before.
	hashed    bool
	isChanged bool
	// inMemory: the row is not written; dropped: it is removed, whatever else it says.
	inMemory, dropped bool
}

// seenRow is what a command has read from disk.
type seenRow struct {
	key   string
	value []byte
	found bool
}

func newMemory(db *pebble.DB, dirty *dirtyNames, filter *keyFilter) *memory {
	return &memory{db: db, filter: filter, hot: hotRows{}, dirty: dirty, decoded: map[string]decodedRow{}, pending: map[string]int{}}
}

// load makes anew what is ahead of the commit.
func (m *memory) load(tx *ReadTx, entries dirtyEntries) {
	m.dirtyEntries, m.oldResults = entries, false
	tx.scan(tableRequestByAge.key(), nil, func(_, _ []byte) bool {
		m.oldResults = true
		return false
	})
}

// begin makes the memory ready for a transaction.
func (m *memory) begin() {
	for i := range m.rows {
		t := m.rows[i].key[0]
		m.byTable[t] = m.byTable[t][:0]
	}
	if len(m.rows) > maxReusedRows {
		m.pending, m.rows, m.byTable = map[string]int{}, nil, [256][]int{}
	}
	clear(m.pending)
	clear(m.rows)
	m.rows, m.changed, m.changedDirty = m.rows[:0], m.changed[:0], m.changedDirty[:0]
	m.packed.clear()
	m.endCommand()
}

func (m *memory) get(k []byte) ([]byte, bool) {
	if at, ok := m.pending[string(k)]; ok {
		row := &m.rows[at]
		return row.value, !row.deleted
	}
	return m.getCommitted(k)
}

// getCommitted is get without the writes of the transaction.
func (m *memory) getCommitted(k []byte) ([]byte, bool) {
	if table(k[0]) == tableDirty {
		return m.dirty.get(k)
	}
	if value, ok := m.hot[string(k)]; ok {
		return value, value != nil
	}
	remembers := len(m.seen) <= searchedRows
	for i := range m.seen {
		if m.seen[i].key == string(k) {
			return m.seen[i].value, m.seen[i].found
		}
	}
	if m.filter.excludes(k) {
		return nil, false
	}
	value, found := read(m.db, k)
	switch {
	case found && isHot(table(k[0])) || isMissed(table(k[0])):
		if len(m.hot) >= maxHotRows {
			clear(m.hot)
		}
		m.hot[string(k)] = value // the row as committed; pending shadows it until the commit
	case remembers:
		m.seen = append(m.seen, seenRow{key: string(k), value: value, found: found})
	}
	return value, found
}

// put notes a write that the transaction keeps.
func (m *memory) put(w *stagedWrite) {
	isLocal := table(w.key[0]) == tableLocal
	at, known := m.pending[w.key]
	if !known {
		row := keptRow{key: w.key}
		if !isLocal {
			var found bool
			if !w.fresh {
				row.before, found = m.getCommitted([]byte(w.key))
			}
			if !found && w.deleted {
				return
			}
			row.isNew, row.hashed = !found, found
			if row.isNew && isFiltered(table(w.key[0])) {
				m.filter.add(w.key)
			}
		}
		at = len(m.rows)
		m.pending[w.key] = at
		m.rows = append(m.rows, row)
		m.byTable[w.key[0]] = append(m.byTable[w.key[0]], at)
	}
	row := &m.rows[at]
	row.value, row.deleted = w.value, w.deleted
	switch {
	case row.isChanged || isLocal:
		return
	case table(w.key[0]) == tableDirty:
		m.changedDirty = append(m.changedDirty, at)
	default:
		m.changed = append(m.changed, at)
	}
	row.isChanged = true
}

// endCommand forgets what the command read, so that memory stays small in long batches.
func (m *memory) endCommand() {
	clear(m.seen)
	m.seen = m.seen[:0]
}

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
	if len(tx.memory.decoded) >= maxHotRows {
		clear(tx.memory.decoded)
	}
	tx.memory.decoded[string(k)] = decodedRow{row: &value[0], value: v}
	return v
}

// changesRegistrars says whether the transaction writes what RegistrarsVersion stands for.
func (m *memory) changesRegistrars() bool {
	if len(m.byTable[tableRegistrar])+len(m.byTable[tablePollQueue]) > 0 {
		return true
	}
	_, changes := m.pending[string(tableMeta.key().tail(metaLevel))]
	return changes
}

// committed brings the hot rows up to date with the transaction's writes.
func (m *memory) committed() {
	for i := range m.rows {
		row := &m.rows[i]
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
