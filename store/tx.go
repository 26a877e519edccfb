package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Consistency says how fresh a read must be.
type Consistency uint8

// The levels. Linearizable sees every command acknowledged anywhere before the read began;
// Local reads whatever this node has applied.
const (
	Local Consistency = iota
	Linearizable
)

// source is what a ReadTx reads from: a snapshot, or the database while entries are applied.
type source interface {
	Get(key []byte) ([]byte, io.Closer, error)
	NewIter(*pebble.IterOptions) (*pebble.Iterator, error)
}

// ReadTx reads one consistent state. Its methods panic with a *Fault when the storage
// fails or a row is corrupt; Store.View turns that into an error.
type ReadTx struct {
	source source
	// staged holds the writes of the command being applied.
	staged staged
	// memory answers reads while entries are applied; nil in a view.
	memory *memory
	// dirty is what awaits publication, at least as new as the view.
	dirty *dirtyNames
	// requests leads to kept results; nil where none are looked for.
	requests *requestIndex
	// filter knows of many keys that they are not there, which counts if it was full when the
	// view began: it lacks what was deleted before.
	filter     *keyFilter
	isFiltered bool
}

func newReadTx(src source) *ReadTx { return &ReadTx{source: src} }

// get returns the row's value, which must not be changed, and whether the row is there.
func (tx *ReadTx) get(k key) ([]byte, bool) {
	if w := tx.staged.find(k); w != nil {
		return w.value, !w.deleted
	}
	return tx.getBase(k)
}

// getBase is get without the writes of the current command.
func (tx *ReadTx) getBase(k []byte) ([]byte, bool) {
	if tx.memory != nil {
		return tx.memory.get(k)
	}
	if tx.isFiltered && tx.filter.excludes(k) {
		return nil, false
	}
	return read(tx.source, k)
}

func read(src source, k []byte) ([]byte, bool) {
	value, closer, err := src.Get(bytes.Clone(k)) // a copy, so that keys made for reads from memory need no allocation
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false
	}
	if err != nil {
		panic(fault("read", err))
	}
	out := bytes.Clone(value)
	if out == nil {
		out = []byte{}
	}
	if err := closer.Close(); err != nil {
		panic(fault("read", err))
	}
	return out, true
}

func (tx *ReadTx) has(k key) bool {
	_, ok := tx.get(k)
	return ok
}

// scan calls fn for the rows whose key begins with prefix, in key order, beginning at
// start (nil: the first), until fn returns false. rest is the key after prefix.
func (tx *ReadTx) scan(prefix, start key, fn func(rest, value []byte) bool) {
	lower := []byte(prefix)
	if start != nil {
		lower = start
	}
	iter, err := tx.source.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: prefixEnd(prefix)})
	if err != nil {
		panic(fault("scan", err))
	}
	defer func() {
		if err := iter.Close(); err != nil {
			panic(fault("scan", err))
		}
	}()
	unwritten := tx.unwrittenIn(lower, prefix)
	valid := iter.First()
	for valid || len(unwritten) > 0 {
		var k, v []byte
		switch {
		case len(unwritten) > 0 && (!valid || unwritten[0] <= string(iter.Key())):
			if valid && unwritten[0] == string(iter.Key()) {
				valid = iter.Next()
			}
			k = []byte(unwritten[0])
			value, found := tx.get(k)
			unwritten = unwritten[1:]
			if !found {
				continue
			}
			v = value
		default:
			k, v = bytes.Clone(iter.Key()), bytes.Clone(iter.Value())
			valid = iter.Next()
		}
		if !fn(k[len(prefix):], v) {
			return
		}
	}
	if err := iter.Error(); err != nil {
		panic(fault("scan", err))
	}
}

// unwrittenIn returns the keys from lower on that begin with prefix and were written by this
// transaction, sorted.
func (tx *ReadTx) unwrittenIn(lower, prefix []byte) []string {
	if tx.memory == nil {
		return nil
	}
	var keys []string
	add := func(k string) {
		if k >= string(lower) && strings.HasPrefix(k, string(prefix)) {
			keys = append(keys, k)
		}
	}
	for i := range tx.staged.writes {
		add(tx.staged.writes[i].key)
	}
	for _, at := range tx.memory.byTable[prefix[0]] {
		add(tx.memory.rows[at].key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Tx is the transaction in which log entries are applied. The writes of one command are
// staged and then kept or dropped as a whole, so a refused command leaves nothing behind.
// What is kept is written at the end of the transaction, each row once.
type Tx struct {
	ReadTx
	hash  StateHash
	at    Position
	cause Cause
	// lean says that the entry is applied at registry.LevelLeanRows or above: it is the level
	// before the entry that counts.
	lean bool
	// packs says the same of registry.LevelPackedRows.
	packs bool
	// results are those of the entry's requests so far; resultsAt is their time.
	results   []keptResult
	resultsAt time.Time
}

func newTx(db *pebble.DB, hash StateHash, m *memory, requests *requestIndex) *Tx {
	m.begin()
	return &Tx{ReadTx: ReadTx{source: db, memory: m, requests: requests}, hash: hash}
}

// set writes a row.
func (tx *Tx) set(k key, value []byte) { tx.staged.put(k, value, stagedWrite{}) }

// insert writes a row whose key is used for the first time ever, such as one made from the
// entry's index, which saves looking for an older one.
func (tx *Tx) insert(k key, value []byte) { tx.staged.put(k, value, stagedWrite{fresh: true}) }

// del removes a row; removing an absent one does nothing.
func (tx *Tx) del(k key) { tx.staged.put(k, nil, stagedWrite{deleted: true}) }

// Keep makes what the current command staged part of the transaction.
func (tx *Tx) Keep() {
	for i := range tx.staged.writes {
		tx.memory.put(&tx.staged.writes[i])
	}
	tx.memory.packed.keep()
	tx.Drop()
}

// Drop forgets what the current command staged.
func (tx *Tx) Drop() {
	tx.staged.clear()
	tx.memory.packed.drop()
	tx.memory.endCommand()
}

// foldHash brings the state hash up to date with the rows that changed since it was called
// last. Nodes put entries together into transactions differently, so that it must be called
// at the same places of the log everywhere: at the end of each entry.
func (tx *Tx) foldHash() {
	for _, at := range tx.memory.changed {
		row := &tx.memory.rows[at]
		if row.hashed {
			tx.hash.remove(row.key, row.before)
		}
		row.hashed = !row.deleted
		if row.hashed {
			tx.hash.add(row.key, row.value)
			row.before = row.value
		}
		row.isChanged = false
	}
	tx.memory.changed = tx.memory.changed[:0]
}

// writeTo puts the rows of the transaction into the batch, in the order of their keys,
// which makes inserting them cheaper.
func (tx *Tx) writeTo(batch *pebble.Batch) {
	rows := tx.memory.rows
	order := make([]sortedRow, len(rows))
	for i := range rows {
		order[i] = sortedRow{head: keyHead(rows[i].key), at: i}
	}
	slices.SortFunc(order, func(a, b sortedRow) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return strings.Compare(rows[a.at].key, rows[b.at].key)
	})
	for _, o := range order {
		row := &rows[o.at]
		switch {
		case row.inMemory: // see foldDirty
		case row.dropped:
			if err := batch.Delete([]byte(row.key), nil); err != nil {
				panic(fault("write", err))
			}
		case !row.deleted:
			op := batch.SetDeferred(len(row.key), len(row.value))
			copy(op.Key, row.key)
			copy(op.Value, row.value)
			if err := op.Finish(); err != nil {
				panic(fault("write", err))
			}
		case !row.isNew: // a row that comes and goes within the transaction leaves no trace
			if err := batch.Delete([]byte(row.key), nil); err != nil {
				panic(fault("write", err))
			}
		}
	}
}

// sortedRow is the place of a row with the beginning of its key, by which most rows are
// told apart at once.
type sortedRow struct {
	head uint64
	at   int
}

// keyHead returns the first eight octets of a key as a number of the same order.
func keyHead(k string) uint64 {
	var head [8]byte
	copy(head[:], k)
	return binary.BigEndian.Uint64(head[:])
}

// corrupt panics because a row cannot be what this program wrote.
func corrupt(what string, err error) {
	panic(fault("decode "+what, fmt.Errorf("the row is corrupt: %w", err)))
}
