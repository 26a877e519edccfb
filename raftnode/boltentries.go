package raftnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime/debug"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// sealedFromKey is where the log keeps the index from which on every entry has a checksum:
// eight octets, and four of CRC-32C over them.
const sealedFromKey = "EntriesSealedFrom"

// truncationPiece is how many entries one transaction removes. Appends wait meanwhile, and
// a long retention that is shortened must not look like a hung disk.
const truncationPiece = 8192

// boltEntries keeps the entries in the file of bbolt, as programs before feature level
// registry.LevelSegmentedLog do. A node whose cluster is below that level stays with it, so
// that the older program can be put back.
type boltEntries struct {
	path string
	bolt *raftboltdb.BoltStore
	dog  *watchdog
	// sealedFrom is the index from which on every entry has a checksum.
	sealedFrom uint64
}

// guardPages runs fn, which reads mapped pages, and returns what bbolt makes of damaged
// ones: panics, and reads beyond the end of the file.
func guardPages(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if panicked := recovered(func() { err = fn() }); panicked != nil {
		return fmt.Errorf("%w: its page is malformed: %w", errDamagedEntry, panicked)
	}
	return err
}

func (b *boltEntries) read(index uint64, out *raft.Log) error {
	err := guardPages(func() error { return b.bolt.GetLog(index, out) })
	switch {
	case err == nil:
		err = unseal(out, index, b.sealedFrom)
	case errors.Is(err, raft.ErrLogNotFound):
		return err
	case !errors.Is(err, errDamagedEntry):
		err = fmt.Errorf("%w: it cannot be decoded: %w", errDamagedEntry, err)
	}
	if err == nil {
		return nil
	}
	*out = raft.Log{} // nothing of it may be used
	return logDamage(index, b.path, err)
}

// loadSealedFrom finds out from where on entries must have a checksum. A log without the
// note was begun by an older program: what is in it may lack them.
func (b *boltEntries) loadSealedFrom() error {
	table := crc32.MakeTable(crc32.Castagnoli)
	note, err := b.bolt.Get([]byte(sealedFromKey))
	switch {
	case errors.Is(err, raftboltdb.ErrKeyNotFound):
		last, err := b.bolt.LastIndex()
		if err != nil {
			return fmt.Errorf("read the log's last index: %w", err)
		}
		b.sealedFrom = last + 1
		note = binary.BigEndian.AppendUint64(nil, b.sealedFrom)
		note = binary.BigEndian.AppendUint32(note, crc32.Checksum(note, table))
		return b.dog.guard("mark the log", logWriteBound, func() error { return b.bolt.Set([]byte(sealedFromKey), note) })
	case err != nil:
		return fmt.Errorf("read %s of the log %s: %w", sealedFromKey, b.path, err)
	case len(note) != 12 || crc32.Checksum(note[:8], table) != binary.BigEndian.Uint32(note[8:]):
		return fmt.Errorf("the log %s is damaged: its %s does not match its checksum", b.path, sealedFromKey)
	}
	b.sealedFrom = binary.BigEndian.Uint64(note)
	return nil
}

func (b *boltEntries) bounds() (first, last uint64, err error) {
	err = guardPages(func() error {
		if first, err = b.bolt.FirstIndex(); err != nil {
			return err
		}
		last, err = b.bolt.LastIndex()
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read the bounds of the log %s: %w", b.path, err)
	}
	return first, last, nil
}

func (b *boltEntries) append(entries []*raft.Log) error {
	stored, pointers := make([]raft.Log, len(entries)), make([]*raft.Log, len(entries))
	for i, entry := range entries {
		stored[i] = sealed(entry)
		pointers[i] = &stored[i]
	}
	return guardPages(func() error { return b.bolt.StoreLogs(pointers) })
}

func (b *boltEntries) bytes() (uint64, error) {
	info, err := os.Stat(b.path)
	if err != nil {
		return 0, fmt.Errorf("measure the log: %w", err)
	}
	return uint64(info.Size()), nil
}

func (b *boltEntries) deleteRange(first, last uint64) error {
	end, err := b.bolt.LastIndex()
	if err != nil {
		return fmt.Errorf("read the log's last index: %w", err)
	}
	// A crash between two pieces must leave a log without a hole: a suffix goes from its
	// end, a prefix from its beginning.
	fromEnd := last >= end
	if start, err := b.bolt.FirstIndex(); err == nil {
		first = max(first, start)
	}
	last = min(last, end)
	for first <= last && end > 0 {
		low, high := first, min(last, first+truncationPiece-1)
		if fromEnd {
			low, high = max(first, last-min(last, truncationPiece-1)), last
		}
		err := b.dog.guard("truncate the log", logWriteBound, func() error { return b.bolt.DeleteRange(low, high) })
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
