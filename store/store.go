// Package store is the on-disk state of a node: typed tables and indexes over Pebble. The
// Raft log is the durable log, so commits here are not synced; every batch carries the
// applied index, and a crash leaves a prefix of the applied batches. Only fsm writes.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable/block"
)

// Sizes of Pebble's parts, for nodes of a few gigabytes.
const (
	blockCacheBytes    = 256 << 20
	memTableBytes      = 64 << 20
	memTableStopWrites = 4
	// l0CompactionThreshold is how many of the newest tables may lie over one another before
	// they are merged with what is below. Names come in no order, so that each merge writes
	// most of the level below anew, however much is added: the more at once, the fewer merges. Bloom
	// filters keep what a read pays for it small. Writes wait only at l0StopWrites, which
	// leaves time for a merge under load.
	l0CompactionThreshold = 8
	l0StopWrites          = 32
	bloomBitsPerKey       = 10
	// indexBlockBytes keeps the index of a table in one block: a second level would cost every
	// read a block more.
	indexBlockBytes = 256 << 10
	// lBaseMaxBytes is how large the first level below the newest tables may grow before
	// there is another: each level is one more place where a read must look and a row is
	// written once more.
	lBaseMaxBytes = 512 << 20
	// tableFileBytes is about the size of a table file.
	tableFileBytes = 32 << 20
)

// Names inside the store's folder. stateNew exists only while a restore is being swapped
// in: its presence is the promise that it is complete.
const (
	stateDirName    = "state"
	stateNewDirName = "state.new"
	stateOldDirName = "state.old"
)

// Fault is a storage failure or corrupted row. A node that meets one must stop: typed
// methods panic with it, View turns it into an error, and Update lets it through.
type Fault struct {
	Op  string
	Err error
}

// Error names the operation and the cause.
func (f *Fault) Error() string { return fmt.Sprintf("store: %s: %v", f.Op, f.Err) }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

func fault(op string, err error) *Fault { return &Fault{Op: op, Err: located(err)} }

// Store is the state of one node. Views may run at any time and concurrently; Update is
// for the one goroutine that applies the log.
type Store struct {
	baseDir string
	faults  faultReporter

	// dbMu is held for reading by everyone who uses db and for writing while Restore
	// replaces it.
	dbMu sync.RWMutex
	db   *pebble.DB
	long longViews

	// updateMu serialises Update and Restore.
	updateMu sync.Mutex
	// hash is the state hash as of the last committed Update, memory what transactions know
	// without asking the disk; owned by updateMu.
	hash   StateHash
	memory *memory
	// What follows is replaced with db; replaced is closed then.
	dirty    *dirtyNames
	requests *requestIndex
	filter   *keyFilter
	replaced chan struct{}
	// registrarsVersion is RegistrarsVersion.
	registrarsVersion atomic.Uint64
}

// Open opens or creates the state in baseDir and finishes a restore that a crash cut off.
func Open(baseDir string) (*Store, error) {
	if err := os.MkdirAll(baseDir, 0o700); err != nil {
		return nil, fmt.Errorf("create state folder: %w", err)
	}
	if err := finishSwap(baseDir); err != nil {
		return nil, fmt.Errorf("finish an interrupted restore in %s: %w", baseDir, err)
	}
	s := &Store{baseDir: baseDir}
	if err := s.openDB(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) openDB() error {
	cache := pebble.NewCache(blockCacheBytes)
	defer cache.Unref()
	opts := &pebble.Options{
		Cache:                       cache,
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: memTableStopWrites,
		L0CompactionThreshold:       l0CompactionThreshold,
		L0StopWritesThreshold:       l0StopWrites,
		LBaseMaxBytes:               lBaseMaxBytes,
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      quietLogger{faults: &s.faults},
		EventListener:               s.faults.listener(),
	}
	for i := range opts.TargetFileSizes {
		opts.TargetFileSizes[i] = tableFileBytes
	}
	// What is new is written again soon: only the last level, where nearly everything ends up,
	// is compressed.
	opts.ApplyCompressionSettings(func() pebble.DBCompressionSettings {
		settings := pebble.DBCompressionNone
		settings.Levels[len(settings.Levels)-1] = block.SnappyCompression
		return settings
	})
	for i := range opts.Levels {
		opts.Levels[i].IndexBlockSize = indexBlockBytes
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBitsPerKey)
	}
	db, err := pebble.Open(filepath.Join(s.baseDir, stateDirName), opts)
	if err != nil {
		return fmt.Errorf("open state in %s: %w", s.baseDir, err)
	}
	s.db = db
	if err := catchFault(s.prepare); err != nil {
		s.db = nil
		return errors.Join(err, db.Close())
	}
	return nil
}

// prepare reads what is kept in memory.
func (s *Store) prepare() error {
	tx := newReadTx(s.db)
	if err := tx.checkFormat(); err != nil {
		return err
	}
	s.hash = tx.storedHash()
	names, entries := loadDirty(tx)
	s.dirty, s.requests, s.filter = names, &requestIndex{}, newKeyFilter()
	s.memory = newMemory(s.db, names, s.filter)
	if s.replaced != nil {
		close(s.replaced)
	}
	s.replaced = make(chan struct{})
	s.registrarsVersion.Add(1)
	s.requests.load(tx)
	s.memory.load(tx, entries)
	return nil
}

// Close closes the state; views that are still running must have ended.
func (s *Store) Close() error {
	s.updateMu.Lock()
	defer s.updateMu.Unlock()
	defer s.long.end()()
	s.dbMu.Lock()
	defer s.dbMu.Unlock()
	if s.db == nil {
		return nil
	}
	err := s.db.Close()
	s.db = nil
	return err
}

// View runs fn over a consistent snapshot of the applied state. A storage fault inside fn
// comes back as a *Fault error. What fn got from tx stays valid after it returned.
func (s *Store) View(fn func(tx *ReadTx) error) error {
	s.dbMu.RLock()
	defer s.dbMu.RUnlock()
	if s.db == nil {
		return fault("view", errClosed)
	}
	isFiltered := s.filter.full.Load()
	snapshot := s.db.NewSnapshot()
	defer func() { _ = snapshot.Close() }() // a snapshot's Close only releases memory
	tx := newReadTx(snapshot)
	tx.dirty, tx.requests, tx.filter, tx.isFiltered = s.dirty, s.requests, s.filter, isFiltered
	return s.faults.noted(catchFault(func() error { return fn(tx) }))
}

// Update runs fn and commits what it wrote in one batch, unless fn returns an error. It
// panics with a *Fault on a storage failure: the caller must then stop the process.
func (s *Store) Update(fn func(tx *Tx) error) error {
	s.updateMu.Lock()
	defer s.updateMu.Unlock()
	s.dbMu.RLock()
	defer s.dbMu.RUnlock()
	if s.db == nil {
		panic(fault("update", errClosed))
	}
	tx := newTx(s.db, s.hash, s.memory, s.requests)
	if err := fn(tx); err != nil {
		base := newReadTx(s.db)
		_, entries := loadDirty(base)
		s.requests.load(base)
		s.memory.load(base, entries)
		return err
	}
	tx.writeHash()
	batch := s.db.NewBatch()
	defer func() { _ = batch.Close() }() // the batch is committed or abandoned by now
	tx.writeTo(batch)
	if err := batch.Commit(pebble.NoSync); err != nil {
		panic(fault("commit", err))
	}
	if tx.memory.changesRegistrars() {
		s.registrarsVersion.Add(1)
	}
	s.hash = tx.hash
	tx.memory.committed()
	s.dirty.committed(tx.memory.rows)
	return nil
}

// RegistrarsVersion grows whenever the records of registrars, their message queues or the
// feature level change. What a view that began later shows of them stays true as long as it
// is the same.
func (s *Store) RegistrarsVersion() uint64 { return s.registrarsVersion.Load() }

// Flush makes everything applied so far durable.
func (s *Store) Flush() error {
	s.dbMu.RLock()
	defer s.dbMu.RUnlock()
	if s.db == nil {
		return fault("flush", errClosed)
	}
	if err := s.db.LogData(nil, pebble.Sync); err != nil {
		return s.faults.noted(fault("flush", err))
	}
	return nil
}

// Checkpoint writes a durable, self-contained copy of the applied state into dir, which
// must not exist. The applied index of the copy is inside it.
func (s *Store) Checkpoint(dir string) error {
	s.dbMu.RLock()
	defer s.dbMu.RUnlock()
	if s.db == nil {
		return fault("checkpoint", errClosed)
	}
	if err := s.db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
		return fault("checkpoint", err)
	}
	return nil
}

// errClosed is returned when the store is used after Close.
var errClosed = errors.New("the store is closed")

// catchFault runs fn and returns a *Fault that it panicked with as an error.
func catchFault(fn func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Fault:
			err = r
		default:
			panic(r)
		}
	}()
	return fn()
}
