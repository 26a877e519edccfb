package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

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

// source is what a ReadTx reads from: a snapshot or an indexed batch.
type source interface {
	Get(key []byte) ([]byte, io.Closer, error)
	NewIter(*pebble.IterOptions) (*pebble.Iterator, error)
}

// ReadTx reads one consistent state. Its methods panic with a *Fault when the storage
// fails or a row is corrupt; Store.View turns that into an error.
type ReadTx struct {
	source source
	// staged holds the writes of the command being applied; nil in a view.
	staged map[string]stagedWrite
	// memory answers reads while entries are applied; nil in a view.
	memory *memory
}

type stagedWrite struct {
	value   []byte
	deleted bool
	fresh   bool // no row of this key has ever been there
}

func newReadTx(src source) *ReadTx { return &ReadTx{source: src} }

// get returns the row's value, which must not be changed, and whether the row is there.
func (tx *ReadTx) get(k key) ([]byte, bool) {
	if w, ok := tx.staged[string(k)]; ok {
		return w.value, !w.deleted
	}
	return tx.getBase(k)
}

// getBase is get without the writes of the current command.
func (tx *ReadTx) getBase(k []byte) ([]byte, bool) {
	if tx.memory != nil {
		return tx.memory.get(k)
	}
	return read(tx.source, k)
}

func read(src source, k []byte) ([]byte, bool) {
	value, closer, err := src.Get(k)
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
	staged := tx.stagedIn(lower, prefix)
	valid := iter.First()
	for valid || len(staged) > 0 {
		var k, v []byte
		switch {
		case len(staged) > 0 && (!valid || staged[0] <= string(iter.Key())):
			if valid && staged[0] == string(iter.Key()) {
				valid = iter.Next()
			}
			w := tx.staged[staged[0]]
			k, v = []byte(staged[0]), w.value
			staged = staged[1:]
			if w.deleted {
				continue
			}
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

// stagedIn returns the staged keys from lower on that begin with prefix, sorted.
func (tx *ReadTx) stagedIn(lower, prefix []byte) []string {
	var keys []string
	for k := range tx.staged {
		if k >= string(lower) && bytes.HasPrefix([]byte(k), prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// Tx is the transaction in which log entries are applied. The writes of one command are
// staged and then kept or dropped as a whole, so a refused command leaves nothing behind.
type Tx struct {
	ReadTx
	batch *pebble.Batch
	hash  StateHash
	at    Position
	cause Cause
}

func newTx(db *pebble.DB, batch *pebble.Batch, hash StateHash, hot hotRows) *Tx {
	return &Tx{
		ReadTx: ReadTx{source: batch, staged: map[string]stagedWrite{}, memory: newMemory(db, hot)},
		batch:  batch,
		hash:   hash,
	}
}

// set writes a row.
func (tx *Tx) set(k key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	tx.staged[string(k)] = stagedWrite{value: value}
}

// insert writes a row whose key is used for the first time ever, such as one made from the
// entry's index, which saves looking for an older one.
func (tx *Tx) insert(k key, value []byte) {
	tx.set(k, value)
	w := tx.staged[string(k)]
	w.fresh = true
	tx.staged[string(k)] = w
}

// del removes a row; removing an absent one does nothing.
func (tx *Tx) del(k key) {
	tx.staged[string(k)] = stagedWrite{deleted: true}
}

// Keep puts what the current command staged into the batch and the state hash.
func (tx *Tx) Keep() {
	for k, w := range tx.staged { // order does not matter: keys are distinct, the hash commutes
		tx.write([]byte(k), w)
	}
	clear(tx.staged)
	tx.memory.endCommand()
}

// Drop forgets what the current command staged.
func (tx *Tx) Drop() {
	clear(tx.staged)
	tx.memory.endCommand()
}

func (tx *Tx) write(k []byte, w stagedWrite) {
	if table(k[0]) != tableLocal {
		if !w.fresh {
			if old, ok := tx.getBase(k); ok {
				tx.hash.remove(k, old)
			} else if w.deleted {
				return
			}
		}
		if !w.deleted {
			tx.hash.add(k, w.value)
		}
	}
	var err error
	if w.deleted {
		err = tx.batch.Delete(k, nil)
	} else {
		err = tx.batch.Set(k, w.value, nil)
	}
	if err != nil {
		panic(fault("write", err))
	}
	tx.memory.put(k, w)
}

// corrupt panics because a row cannot be what this program wrote.
func corrupt(what string, err error) {
	panic(fault("decode "+what, fmt.Errorf("the row is corrupt: %w", err)))
}
