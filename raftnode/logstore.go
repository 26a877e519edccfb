package raftnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"

	"cadastre/store"
)

// logLockWait is how long opening the log waits for another process to let go of it.
const logLockWait = 5 * time.Second

// truncationPiece is how many entries one transaction removes. Appends wait meanwhile, and
// a long retention that is shortened must not look like a hung disk.
const truncationPiece = 8192

// maxLogEntries is far more than any log holds; bounds further apart are damage, not a log.
const maxLogEntries = 1 << 32

// logStore is the durable log and raft's few durable variables (term and vote). Writes go
// through the watchdog; recent entries are answered from memory.
type logStore struct {
	path  string
	bolt  *raftboltdb.BoltStore
	dog   *watchdog
	cache *entryCache
	sizes logSizes
	// sealedFrom is the index from which on every entry has a checksum.
	sealedFrom uint64
	// isStableChecked says that every durable variable has a checked copy.
	isStableChecked bool
	stats           *nodeStats
}

func openLogStore(path string, dog *watchdog) (*logStore, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the log's folder: %w", err)
	}
	bolt, err := raftboltdb.New(raftboltdb.Options{
		Path: path,
		BoltOptions: &bbolt.Options{
			Timeout: logLockWait,
			// Without these two every append rewrites the list of free pages, which is
			// long after a truncation.
			NoFreelistSync: true,
			FreelistType:   bbolt.FreelistMapType,
		},
		MsgpackUseNewTimeFormat: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open the log %s: %w", path, err)
	}
	l := &logStore{path: path, bolt: bolt, dog: dog, cache: newEntryCache(), stats: newNodeStats()}
	if err := errors.Join(l.loadSealedFrom(), l.loadStable()); err != nil {
		return nil, errors.Join(err, bolt.Close())
	}
	return l, nil
}

// HasState says whether dir holds a log or st holds a state, that is, whether a cluster
// was bootstrapped or joined here. It may not be called while a node is open on dir.
func HasState(dir string, st *store.Store) (bool, error) {
	applied, err := readPosition(st)
	if err != nil {
		return false, err
	}
	if applied.index > 0 {
		return true, nil
	}
	path := (&Config{Dir: dir}).logPath()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	bolt, err := raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{ReadOnly: true, Timeout: logLockWait}})
	if err != nil {
		return false, fmt.Errorf("open the log %s: %w", path, err)
	}
	has, err := raft.HasExistingState(bolt, bolt, raft.NewDiscardSnapshotStore())
	return has, errors.Join(err, bolt.Close())
}

func (l *logStore) Close() error { return l.bolt.Close() }

// FirstIndex returns the first index in the log, 0 if it is empty.
func (l *logStore) FirstIndex() (uint64, error) { return l.bolt.FirstIndex() }

// LastIndex returns the last index in the log, 0 if it is empty.
func (l *logStore) LastIndex() (uint64, error) { return l.bolt.LastIndex() }

// GetLog reads the entry at index, or returns raft.ErrLogNotFound.
func (l *logStore) GetLog(index uint64, out *raft.Log) error {
	if l.cache.get(index, out) {
		return nil
	}
	err := l.read(index, out)
	if err != nil && !errors.Is(err, raft.ErrLogNotFound) {
		l.dog.fail(err) // before anyone gets it, least of all another node
	}
	return err
}

// StoreLog appends one entry.
func (l *logStore) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends entries and returns when they are durable.
func (l *logStore) StoreLogs(entries []*raft.Log) error {
	stored, pointers := make([]raft.Log, len(entries)), make([]*raft.Log, len(entries))
	for i, entry := range entries {
		stored[i] = sealed(entry)
		pointers[i] = &stored[i]
	}
	began := time.Now()
	err := l.dog.guard("append to the log", logWriteBound, func() error {
		return guardPages(func() error { return l.bolt.StoreLogs(pointers) })
	})
	if err != nil {
		return err
	}
	l.stats.appendLog.Since(began)
	l.cache.put(entries)
	for _, entry := range entries {
		l.sizes.put(entry.Index, len(entry.Data)+len(entry.Extensions))
	}
	return nil
}

// DeleteRange removes the entries from first to last, both included.
func (l *logStore) DeleteRange(first, last uint64) error {
	l.cache.drop(first, last)
	if err := l.deletePieces(first, last); err != nil {
		return err
	}
	l.sizes.drop(first, last) // last, so that who finds the log small finds its new beginning
	return nil
}

func (l *logStore) deletePieces(first, last uint64) error {
	end, err := l.bolt.LastIndex()
	if err != nil {
		return fmt.Errorf("read the log's last index: %w", err)
	}
	// A crash between two pieces must leave a log without a hole: a suffix goes from its
	// end, a prefix from its beginning.
	fromEnd := last >= end
	if start, err := l.bolt.FirstIndex(); err == nil {
		first = max(first, start)
	}
	last = min(last, end)
	for first <= last && end > 0 {
		low, high := first, min(last, first+truncationPiece-1)
		if fromEnd {
			low, high = max(first, last-min(last, truncationPiece-1)), last
		}
		err := l.dog.guard("truncate the log", logWriteBound, func() error { return l.bolt.DeleteRange(low, high) })
		if err != nil {
			return err
		}
		if fromEnd && low == first {
			return nil
		}
		if fromEnd {
			last = low - 1
		} else {
			first = high + 1
		}
	}
	return nil
}

// Set stores a durable variable of raft.
func (l *logStore) Set(key, value []byte) error { return l.writeVariable(key, value) }

// Get reads a durable variable; the error text "not found" is raft's convention. A damaged
// one ends the node.
func (l *logStore) Get(key []byte) ([]byte, error) {
	value, err := l.readVariable(key)
	if err != nil && !errors.Is(err, raftboltdb.ErrKeyNotFound) {
		l.dog.fail(err) // before it can be voted or led with
	}
	return value, err
}

// SetUint64 stores a durable number of raft.
func (l *logStore) SetUint64(key []byte, value uint64) error {
	return l.writeVariable(key, binary.BigEndian.AppendUint64(nil, value))
}

// GetUint64 reads a durable number of raft.
func (l *logStore) GetUint64(key []byte) (uint64, error) {
	value, err := l.Get(key)
	if err != nil {
		return 0, err
	}
	if len(value) != 8 {
		err = l.variableDamage(key, fmt.Errorf("%w: it has %d octets, not 8", errDamagedVariable, len(value)))
		l.dog.fail(err)
		return 0, err
	}
	return binary.BigEndian.Uint64(value), nil
}

// reconcile makes the log agree with a state that is at the given position, after the state
// was replaced by a checkpoint or when a node starts. Entries that the checkpoint overtook
// may be a stale suffix that was never committed: kept, they would be sent to others by a
// later leader, and one in the checkpoint's own place makes replication to this node
// impossible. It returns conflict if such an entry of another term was at the position;
// raft still has it in memory then, so that a running node must be restarted.
func (l *logStore) reconcile(at position) (conflict bool, err error) {
	first, err := l.bolt.FirstIndex()
	if err != nil {
		return false, fmt.Errorf("read the log's first index: %w", err)
	}
	last, err := l.bolt.LastIndex()
	if err != nil {
		return false, fmt.Errorf("read the log's last index: %w", err)
	}
	switch {
	case last == 0 || at.index == 0 || first == at.index+1:
		return false, nil
	case first > at.index+1:
		return false, fmt.Errorf("the log begins at index %d but the state ends at %d: entries between them are missing", first, at.index)
	case last < at.index:
		return false, l.DeleteRange(first, last)
	}
	var entry raft.Log
	if err := l.GetLog(at.index, &entry); err != nil {
		return false, fmt.Errorf("read log entry %d, where the state ends: %w", at.index, err)
	}
	if entry.Term == at.term {
		return false, nil
	}
	return true, l.DeleteRange(first, last)
}

// visibleUpTo returns the highest index, at most upTo and at least floor, whose entry
// reaches the state machine. Entries that raft makes for itself never do, so that nobody
// may wait for their index to be applied. Only for committed indexes.
func (l *logStore) visibleUpTo(upTo, floor uint64) (uint64, error) {
	for index := upTo; index > floor; index-- {
		var entry raft.Log
		if err := l.GetLog(index, &entry); err != nil {
			return 0, fmt.Errorf("read committed log entry %d: %w", index, err)
		}
		if entry.Type == raft.LogCommand || entry.Type == raft.LogConfiguration {
			return index, nil
		}
	}
	return floor, nil
}
