package raftnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime/debug"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// sealedFromKey is where the log keeps the index from which on every entry has a checksum:
// eight octets, and four of CRC-32C over them.
const sealedFromKey = "EntriesSealedFrom"

// guardPages runs fn, which reads mapped pages, and returns what bbolt makes of damaged
// ones: panics, and reads beyond the end of the file.
func guardPages(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if panicked := recovered(func() { err = fn() }); panicked != nil {
		return fmt.Errorf("%w: its page is malformed: %w", errDamagedEntry, panicked)
	}
	return err
}

// read reads the entry at index from the file and checks it. Its errors are
// raft.ErrLogNotFound, or name the entry and the file.
func (l *logStore) read(index uint64, out *raft.Log) error {
	err := guardPages(func() error { return l.bolt.GetLog(index, out) })
	switch {
	case err == nil:
		err = unseal(out, index, l.sealedFrom)
	case errors.Is(err, raft.ErrLogNotFound):
		return err
	case !errors.Is(err, errDamagedEntry):
		err = fmt.Errorf("%w: it cannot be decoded: %w", errDamagedEntry, err)
	}
	if err == nil {
		return nil
	}
	*out = raft.Log{} // nothing of it may be used
	return l.damage(index, err)
}

func (l *logStore) damage(index uint64, err error) error {
	return fmt.Errorf("log entry %d in %s: %w; rebuild the node from its peers with `cadastre node rebuild`", index, l.path, err)
}

// loadSealedFrom finds out from where on entries must have a checksum. A log without the
// note was begun by an older program: what is in it may lack them.
func (l *logStore) loadSealedFrom() error {
	table := crc32.MakeTable(crc32.Castagnoli)
	note, err := l.bolt.Get([]byte(sealedFromKey))
	switch {
	case errors.Is(err, raftboltdb.ErrKeyNotFound):
		last, err := l.bolt.LastIndex()
		if err != nil {
			return fmt.Errorf("read the log's last index: %w", err)
		}
		l.sealedFrom = last + 1
		note = binary.BigEndian.AppendUint64(nil, l.sealedFrom)
		note = binary.BigEndian.AppendUint32(note, crc32.Checksum(note, table))
		return l.dog.guard("mark the log", logWriteBound, func() error { return l.bolt.Set([]byte(sealedFromKey), note) })
	case err != nil:
		return fmt.Errorf("read %s of the log %s: %w", sealedFromKey, l.path, err)
	case len(note) != 12 || crc32.Checksum(note[:8], table) != binary.BigEndian.Uint32(note[8:]):
		return fmt.Errorf("the log %s is damaged: its %s does not match its checksum", l.path, sealedFromKey)
	}
	l.sealedFrom = binary.BigEndian.Uint64(note)
	return nil
}

// verify reads the whole log, so that a node with a damaged one never takes part, and
// learns the sizes of the entries. The log's bounds in entries and octets keep it short.
func (l *logStore) verify() error {
	first, last, err := l.bounds()
	if err != nil {
		return err
	}
	if first == 0 {
		return nil
	}
	for index := first; index <= last; index++ {
		var entry raft.Log
		err := l.read(index, &entry)
		if errors.Is(err, raft.ErrLogNotFound) {
			err = l.damage(index, fmt.Errorf("%w: it is missing between its neighbours", errDamagedEntry))
		}
		if err != nil {
			return err
		}
		l.sizes.put(index, len(entry.Data)+len(entry.Extensions))
	}
	return nil
}

// bounds returns the first and last index.
func (l *logStore) bounds() (first, last uint64, err error) {
	err = guardPages(func() error {
		if first, err = l.bolt.FirstIndex(); err != nil {
			return err
		}
		last, err = l.bolt.LastIndex()
		return err
	})
	if err == nil && last-first > maxLogEntries {
		err = fmt.Errorf("%w: an index is out of bounds", errDamagedEntry)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read the bounds of the log %s: %w", l.path, err)
	}
	return first, last, nil
}
