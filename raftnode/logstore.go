package raftnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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

// maxLogEntries is far more than any log holds; bounds further apart are damage, not a log.
const maxLogEntries = 1 << 32

// entryStore keeps the entries of the log. What it returns from append is durable, and what it
// reads is checked.
type entryStore interface {
	// bounds returns the first and last index, zeros if there are no entries.
	bounds() (first, last uint64, err error)
	// read returns raft.ErrLogNotFound, or an error that names the entry and the file.
	read(index uint64, out *raft.Log) error
	append(entries []*raft.Log) error
	// deleteRange removes the beginning or the end of the log, or all of it.
	deleteRange(first, last uint64) error
	bytes() (uint64, error)
}

// logStore is the durable log and raft's few durable variables (term and vote), which stay in
// a file of bbolt. Writes go through the watchdog; recent entries are answered from memory.
type logStore struct {
	path    string
	bolt    *raftboltdb.BoltStore
	entries entryStore
	dog     *watchdog
	cache   *entryCache
	sizes   logSizes
	// isStableChecked says that every durable variable has a checked copy.
	isStableChecked bool
	stats           *nodeStats
}

func boltOptions(path string, readOnly bool) raftboltdb.Options {
	return raftboltdb.Options{
		Path: path,
		BoltOptions: &bbolt.Options{
			Timeout:  logLockWait,
			ReadOnly: readOnly,
			// Without these two every append rewrites the list of free pages, which is
			// long after a truncation.
			NoFreelistSync: true,
			FreelistType:   bbolt.FreelistMapType,
		},
		MsgpackUseNewTimeFormat: true,
	}
}

// openLogStore opens the log at path. With segmented its entries are kept in segments, and
// those in an older log are moved there; what is in segments already stays there in any case.
func openLogStore(path string, dog *watchdog, segmented bool) (*logStore, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the log's folder: %w", err)
	}
	bolt, err := raftboltdb.New(boltOptions(path, false))
	if err != nil {
		return nil, fmt.Errorf("open the log %s: %w", path, err)
	}
	l := &logStore{path: path, bolt: bolt, dog: dog, cache: newEntryCache(), stats: newNodeStats()}
	if err = l.loadStable(); err == nil {
		err = l.openEntries(segmented)
	}
	if err != nil {
		return nil, errors.Join(err, bolt.Close())
	}
	return l, nil
}

func (l *logStore) openEntries(segmented bool) error {
	dir := segmentDir(l.path)
	exists, err := segmentsExist(dir)
	if err != nil {
		return err
	}
	if !exists {
		old := &boltEntries{path: l.path, bolt: l.bolt, dog: l.dog}
		if err := old.loadSealedFrom(); err != nil {
			return err
		}
		if !segmented {
			l.entries = old
			return nil
		}
		if err := l.dog.guard("move the log to segments", moveBound, func() error { return moveToSegments(old, dir) }); err != nil {
			return err
		}
	}
	if err := l.dog.guard("close the older log", moveBound, func() error { return closeOlderLog(l.bolt) }); err != nil {
		return err
	}
	segments, err := openSegments(dir, false)
	if err == nil {
		l.entries = segments
	}
	return err
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
	l, err := openVariables(path)
	if err != nil {
		return false, err
	}
	term, err := readTerm(l)
	if err != nil || term > 0 { // reading the entries takes longer
		return term > 0, errors.Join(err, l.Close())
	}
	var last uint64
	if err = l.openEntriesForReading(); err == nil {
		_, last, err = l.entries.bounds()
	}
	return last > 0, errors.Join(err, l.Close())
}

// Close closes the files.
func (l *logStore) Close() error {
	var err error
	if closer, ok := l.entries.(io.Closer); ok {
		err = closer.Close()
	}
	return errors.Join(err, l.bolt.Close())
}

// FirstIndex returns the first index in the log, 0 if it is empty.
func (l *logStore) FirstIndex() (uint64, error) {
	first, _, err := l.entries.bounds()
	return first, err
}

// LastIndex returns the last index in the log, 0 if it is empty.
func (l *logStore) LastIndex() (uint64, error) {
	_, last, err := l.entries.bounds()
	return last, err
}

// GetLog reads the entry at index, or returns raft.ErrLogNotFound.
func (l *logStore) GetLog(index uint64, out *raft.Log) error {
	if l.cache.get(index, out) {
		return nil
	}
	err := l.entries.read(index, out)
	if err != nil && !errors.Is(err, raft.ErrLogNotFound) {
		l.dog.fail(err) // before anyone gets it, least of all another node
	}
	return err
}

// StoreLog appends one entry.
func (l *logStore) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends entries and returns when they are durable.
func (l *logStore) StoreLogs(entries []*raft.Log) error {
	began := time.Now()
	err := l.dog.guard("append to the log", logWriteBound, func() error { return l.entries.append(entries) })
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
	remove := func() error { return l.entries.deleteRange(first, last) }
	if _, inPieces := l.entries.(*boltEntries); !inPieces { // bbolt takes long, and is watched piece by piece
		whole := remove
		remove = func() error { return l.dog.guard("truncate the log", logWriteBound, whole) }
	}
	if err := remove(); err != nil {
		return err
	}
	l.sizes.drop(first, last) // last, so that who finds the log small finds its new beginning
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
	first, last, err := l.entries.bounds()
	if err != nil {
		return false, err
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
