package raftnode

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"cadastre/registry"
	"cadastre/store"
)

const (
	// moveBound is how long the entries of an older log may take to be moved, once: a gigabyte
	// on a slow disk.
	moveBound = 5 * time.Minute
	// movedAtOnceBytes is how much of an older log is in memory at a time.
	movedAtOnceBytes = 16 << 20
)

// segmentDir is the folder of the segments that belong to the log at path.
func segmentDir(path string) string { return filepath.Join(filepath.Dir(path), "log") }

// wantsSegments says whether a node with this state keeps its log, at path, in segments: a new
// one, and one whose cluster is at a level from which no older program comes back to its data.
func wantsSegments(st *store.Store, path string) (wants bool, err error) {
	_, missing := os.Stat(path)
	err = st.View(func(tx *store.ReadTx) error {
		index, _ := tx.Applied()
		wants = index == 0 && errors.Is(missing, fs.ErrNotExist) || index > 0 && tx.FeatureLevel() >= registry.LevelSegmentedLog
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read the feature level: %w", err)
	}
	return wants, nil
}

// moveToSegments copies the entries of an older log to a new folder of segments, which gets
// its name when it is complete. Repeated after a crash it begins anew.
func moveToSegments(old *boltEntries, dir string) error {
	staging := dir + ".new"
	if err := recreateDir(staging); err != nil {
		return err
	}
	segments, err := openSegments(staging, false)
	if err != nil {
		return err
	}
	first, last, err := old.bounds()
	if err == nil && last > 0 && !isClosedLog(first, last) {
		err = copyEntries(old, segments, first, last)
	}
	if err := errors.Join(err, segments.Close()); err != nil {
		return err
	}
	if err := errors.Join(syncDir(staging), os.Rename(staging, dir)); err != nil {
		return fmt.Errorf("put the new log in place: %w", err)
	}
	return syncDir(filepath.Dir(dir))
}

func copyEntries(old *boltEntries, segments *segmentLog, first, last uint64) error {
	if last-first > maxLogEntries {
		return fmt.Errorf("read the bounds of the log %s: %w: an index is out of bounds", old.path, errDamagedEntry)
	}
	var batch []*raft.Log
	size := 0
	for index := first; index <= last; index++ {
		entry := &raft.Log{}
		err := old.read(index, entry)
		if errors.Is(err, raft.ErrLogNotFound) {
			err = logDamage(index, old.path, fmt.Errorf("%w: it is missing between its neighbours", errDamagedEntry))
		}
		if err != nil {
			return err
		}
		batch, size = append(batch, entry), size+len(entry.Data)+recordHead
		if size < movedAtOnceBytes && index < last {
			continue
		}
		if err := segments.append(batch); err != nil {
			return fmt.Errorf("copy the log: %w", err)
		}
		batch, size = nil, 0
	}
	return nil
}

// A log that was moved holds two entries as far apart as no log's are, which programs that
// know nothing of segments refuse: to them an empty log would look like one of a node that has
// acknowledged nothing.
const (
	closedFirst uint64 = 1
	closedLast  uint64 = math.MaxUint64
)

func isClosedLog(first, last uint64) bool { return first == closedFirst && last == closedLast }

// closeOlderLog empties the log in bbolt, whose entries are in segments, and closes it to older
// programs.
func closeOlderLog(bolt *raftboltdb.BoltStore) error {
	old := &boltEntries{bolt: bolt, dog: &watchdog{fatal: func(error) {}}}
	first, last, err := old.bounds()
	if err != nil || isClosedLog(first, last) {
		return err
	}
	// The mark comes before the entries go, so that at no time the log looks like an empty one.
	if err := bolt.StoreLogs([]*raft.Log{{Index: closedLast}, {Index: closedFirst}}); err != nil {
		return err
	}
	if last == 0 || last == closedLast {
		last = closedLast - 1
	}
	return bolt.DeleteRange(closedFirst+1, last)
}

// openForReading opens the log at path, changing nothing.
func openForReading(path string) (*logStore, error) {
	l, err := openVariables(path)
	if err != nil {
		return nil, err
	}
	if err := l.openEntriesForReading(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// openVariables opens only raft's variables, for reading.
func openVariables(path string) (*logStore, error) {
	bolt, err := raftboltdb.New(boltOptions(path, true))
	if err != nil {
		return nil, fmt.Errorf("open the log %s: %w", path, err)
	}
	return &logStore{path: path, bolt: bolt, dog: &watchdog{fatal: func(error) {}}, cache: newEntryCache(), stats: newNodeStats()}, nil
}

func (l *logStore) openEntriesForReading() error {
	dir := segmentDir(l.path)
	exists, err := segmentsExist(dir)
	if err != nil {
		return err
	}
	if exists {
		segments, err := openSegments(dir, true)
		if err == nil {
			l.entries = segments
		}
		return err
	}
	old := &boltEntries{path: l.path, bolt: l.bolt, dog: l.dog}
	if _, err := l.bolt.Get([]byte(sealedFromKey)); errors.Is(err, raftboltdb.ErrKeyNotFound) {
		old.sealedFrom = math.MaxUint64 // the note is written when a node next opens the log
	} else if err := old.loadSealedFrom(); err != nil {
		return err
	}
	l.entries = old
	return nil
}
