package raftnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// firstNote is the name of the file that says which entries at the beginning of the oldest
// segment do not count any more: the base of that segment, the first entry that counts and the
// CRC-32C of both. Without it, or for another segment, all count, which does no harm: they were
// committed and are in the state.
const firstNote = "first"

// deleteRange removes the entries from first to last, which are the beginning of the log, its
// end, or all of it. A crash meanwhile leaves a log without a hole.
func (l *segmentLog) deleteRange(first, last uint64) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	end := l.last()
	switch {
	case end == 0 || last < l.first || first > end || first > last:
		return nil
	case first <= l.first && last >= end:
		return l.removeAll()
	case first <= l.first:
		return l.cutPrefix(last + 1)
	case last >= end:
		return l.cutSuffix(first)
	}
	return fmt.Errorf("entries %d to %d are in the middle of the log from %d to %d", first, last, l.first, end)
}

// removeAll removes every segment, the newest first. It runs under writing.
func (l *segmentLog) removeAll() error {
	l.mu.Lock()
	gone := l.segments
	l.segments, l.first = nil, 0
	l.mu.Unlock()
	return errors.Join(l.removeFrom(gone, 0), l.dropFirst())
}

// removeFrom removes the files of the segments from the end down to the place given.
func (l *segmentLog) removeFrom(segments []*segment, place int) error {
	for i := len(segments) - 1; i >= place; i-- {
		if err := errors.Join(os.Remove(segments[i].file.Name()), segments[i].file.Close()); err != nil {
			return err
		}
	}
	return syncDir(l.dir)
}

// cutSuffix removes the entries from the index on, which is not the first. It runs under writing.
func (l *segmentLog) cutSuffix(from uint64) error {
	at, ok := l.holding(from)
	if !ok {
		return fmt.Errorf("entry %d is not in the log", from)
	}
	s := l.segments[at]
	l.mu.Lock()
	gone := l.segments[at+1:]
	l.segments = l.segments[: at+1 : at+1]
	s.end = int64(s.offsets[from-s.base])
	s.offsets = s.offsets[:from-s.base]
	l.mu.Unlock()
	if err := l.removeFrom(gone, 0); err != nil {
		return err
	}
	if err := errors.Join(s.file.Truncate(s.end), s.file.Sync()); err != nil {
		return fmt.Errorf("cut off the end of %s: %w", s.file.Name(), err)
	}
	return nil
}

// cutPrefix removes the entries before first, which stays. It runs under writing.
func (l *segmentLog) cutPrefix(first uint64) error {
	at, ok := l.holding(first)
	if !ok {
		return fmt.Errorf("entry %d is not in the log", first)
	}
	if err := l.saveFirst(l.segments[at].base, first); err != nil {
		return err
	}
	l.mu.Lock()
	gone := l.segments[:at:at]
	l.segments, l.first = l.segments[at:], first
	l.mu.Unlock()
	for _, s := range gone { // the oldest first
		if err := errors.Join(os.Remove(s.file.Name()), s.file.Close()); err != nil {
			return err
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return syncDir(l.dir)
}

func encodeFirst(base, first uint64) []byte {
	note := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, base), first)
	return binary.BigEndian.AppendUint32(note, castagnoli(note))
}

func (l *segmentLog) saveFirst(base, first uint64) error {
	path := filepath.Join(l.dir, firstNote)
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(encodeFirst(base, first))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (l *segmentLog) dropFirst() error {
	err := os.Remove(filepath.Join(l.dir, firstNote))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// loadFirst returns the first entry that counts.
func (l *segmentLog) loadFirst() uint64 {
	base := l.segments[0].base
	note, err := os.ReadFile(filepath.Join(l.dir, firstNote))
	if err != nil || len(note) != 20 || binary.BigEndian.Uint64(note) != base {
		return base
	}
	first := binary.BigEndian.Uint64(note[8:])
	if string(note) != string(encodeFirst(base, first)) || first < base || first > l.last() {
		return base
	}
	return first
}
