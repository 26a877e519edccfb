package raftnode

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/raft"
)

const (
	// segmentBytes is when the next segment is begun: large, so that there are few files for
	// a gigabyte of log, small, so that what a truncation leaves behind is small beside it.
	segmentBytes = 64 << 20
	// keptBufferBytes is what the buffer for encoding may keep between appends.
	keptBufferBytes = 4 << 20
	segmentSuffix   = ".log"
)

// segmentLog keeps the entries of the log in files that are appended to, with one sync for
// each append. An entry is checked whenever it is read.
type segmentLog struct {
	dir   string
	limit int64 // size at which the next segment is begun
	// writing is held while the files are changed.
	writing sync.Mutex
	buffer  []byte

	// mu guards what follows; it is not held while the disk is waited for, except by reads.
	mu       sync.RWMutex
	segments []*segment // contiguous; only the last one is appended to
	first    uint64     // the first entry that counts, 0 if there are none
}

// segment is one file.
type segment struct {
	base    uint64 // index of the first entry
	file    *os.File
	offsets []uint32
	end     int64
}

func (s *segment) next() uint64 { return s.base + uint64(len(s.offsets)) }

func segmentPath(dir string, base uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", base, segmentSuffix))
}

// openSegments opens the log in dir. What a crash left of a batch that was never synced is cut
// off, unless the log is for reading only.
func openSegments(dir string, readOnly bool) (*segmentLog, error) {
	bases, err := listSegments(dir)
	if err != nil {
		return nil, err
	}
	l := &segmentLog{dir: dir, limit: segmentBytes}
	for i, base := range bases {
		if err := l.load(base, i == len(bases)-1, readOnly); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	if len(l.segments) > 0 {
		l.first = l.loadFirst()
	}
	return l, nil
}

func listSegments(dir string) (bases []uint64, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	for _, f := range files {
		digits, ok := strings.CutSuffix(f.Name(), segmentSuffix)
		if !ok {
			continue
		}
		base, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || base == 0 || segmentPath(dir, base) != filepath.Join(dir, f.Name()) {
			return nil, fmt.Errorf("open the log: %s is no file of a log", filepath.Join(dir, f.Name()))
		}
		bases = append(bases, base)
	}
	slices.Sort(bases)
	return bases, nil
}

func (l *segmentLog) load(base uint64, newest, readOnly bool) (err error) {
	path := segmentPath(l.dir, base)
	if n := len(l.segments); n > 0 && l.segments[n-1].next() != base {
		return logDamage(l.segments[n-1].next(), l.dir, fmt.Errorf("%w: it is missing between its neighbours", errDamagedEntry))
	}
	mode := os.O_RDWR
	if readOnly {
		mode = os.O_RDONLY
	}
	file, err := os.OpenFile(path, mode, 0)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	content, err := readWhole(file)
	if err != nil {
		return fmt.Errorf("read the log %s: %w", path, err)
	}
	if newest && (len(content) < segmentHead || len(strings.Trim(string(content), "\x00")) == 0) {
		if readOnly { // begun and never written to
			return file.Close()
		}
		return errors.Join(file.Close(), os.Remove(path), syncDir(l.dir))
	}
	if err := checkSegmentHead(content, base); err != nil {
		return logDamage(base, path, err)
	}
	found, err := scanRecords(content, base, newest)
	s := &segment{base: base, file: file, offsets: found.offsets, end: int64(found.end)}
	if err != nil {
		return logDamage(s.next(), path, err)
	}
	if newest && !readOnly {
		// What was written but not synced before the process ended is used from now on.
		if found.torn {
			err = file.Truncate(s.end)
		}
		if err := errors.Join(err, file.Sync()); err != nil {
			return fmt.Errorf("bring the log %s in order: %w", path, err)
		}
	}
	l.segments = append(l.segments, s)
	return nil
}

func readWhole(file *os.File) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > math.MaxUint32 {
		return nil, fmt.Errorf("%d octets are too many", info.Size())
	}
	content := make([]byte, info.Size())
	_, err = io.ReadFull(file, content)
	return content, err
}

// logDamage is the error for a stored entry that is not what was written.
func logDamage(index uint64, path string, err error) error {
	return fmt.Errorf("log entry %d in %s: %w; rebuild the node from its peers with `cadastre node rebuild`", index, path, err)
}

// Close closes the files.
func (l *segmentLog) Close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, s := range l.segments {
		errs = append(errs, s.file.Close())
	}
	l.segments, l.first = nil, 0
	return errors.Join(errs...)
}

// bounds returns the first and last index, zeros if the log is empty.
func (l *segmentLog) bounds() (first, last uint64, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	last = l.last()
	if last < l.first || last == 0 {
		return 0, 0, nil
	}
	return l.first, last, nil
}

// last returns the last index, 0 if there are no entries. It runs under mu or writing.
func (l *segmentLog) last() uint64 {
	for i := len(l.segments) - 1; i >= 0; i-- {
		if s := l.segments[i]; len(s.offsets) > 0 {
			return s.next() - 1
		}
	}
	return 0
}

// holding returns the place of the segment that holds the entry. It runs under mu or writing.
func (l *segmentLog) holding(index uint64) (at int, ok bool) {
	at, exact := slices.BinarySearchFunc(l.segments, index, func(s *segment, index uint64) int {
		switch {
		case s.base < index:
			return -1
		case s.base > index:
			return 1
		}
		return 0
	})
	if !exact {
		at--
	}
	return at, at >= 0 && index >= l.first && index < l.segments[at].next()
}

// read reads and checks an entry; raft.ErrLogNotFound if there is none.
func (l *segmentLog) read(index uint64, out *raft.Log) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	at, ok := l.holding(index)
	if !ok {
		return raft.ErrLogNotFound
	}
	s := l.segments[at]
	place := int(index - s.base)
	from, to := int64(s.offsets[place]), s.end
	if place+1 < len(s.offsets) {
		to = int64(s.offsets[place+1])
	}
	content := make([]byte, to-from)
	_, err := s.file.ReadAt(content, from)
	if err == nil {
		err = decodeRecord(content, index, out)
	}
	if err != nil {
		*out = raft.Log{} // nothing of it may be used
		return logDamage(index, s.file.Name(), err)
	}
	return nil
}

// append writes the entries, which follow one another, and returns when they are durable. What
// the log holds from the first of them on is replaced; entries from behind the end of the log,
// as after a checkpoint that overtook it, begin the log anew.
func (l *segmentLog) append(entries []*raft.Log) error {
	if len(entries) == 0 {
		return nil
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	begin := entries[0].Index
	last := l.last()
	switch {
	case last == 0 && len(l.segments) == 0, begin == last+1:
	case last == 0, begin > last+1, begin <= l.first:
		if err := l.removeAll(); err != nil {
			return err
		}
		last = 0
	default:
		if err := l.cutSuffix(begin); err != nil {
			return err
		}
	}
	buffer := l.buffer[:0]
	lengths := make([]uint32, len(entries))
	for i, entry := range entries {
		size := len(entry.Data) + len(entry.Extensions)
		if entry.Index != begin+uint64(i) || size > maxRecordBytes {
			return fmt.Errorf("entry %d of %d octets cannot be number %d of those from %d on", entry.Index, size, i, begin)
		}
		before := len(buffer)
		buffer = appendRecord(buffer, entry, i)
		lengths[i] = uint32(len(buffer) - before)
	}
	if cap(buffer) <= keptBufferBytes {
		l.buffer = buffer
	}
	s, err := l.writable(begin, len(buffer))
	if err != nil {
		return err
	}
	if _, err := s.file.WriteAt(buffer, s.end); err != nil {
		return err
	}
	if err := syncData(s.file); err != nil {
		return fmt.Errorf("sync %s: %w", s.file.Name(), err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, length := range lengths {
		s.offsets = append(s.offsets, uint32(s.end))
		s.end += int64(length)
	}
	if last == 0 {
		l.first = begin
	}
	return nil
}

// writable returns the segment for so many octets more, a new one if the last is full.
func (l *segmentLog) writable(begin uint64, octets int) (*segment, error) {
	if n := len(l.segments); n > 0 {
		s := l.segments[n-1]
		if s.next() == begin && (s.end < l.limit && s.end+int64(octets) < math.MaxUint32 || len(s.offsets) == 0) {
			return s, nil
		}
	}
	file, err := os.OpenFile(segmentPath(l.dir, begin), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	head := appendSegmentHead(nil, begin)
	_, err = file.Write(head)
	if err = errors.Join(err, file.Sync(), syncDir(l.dir)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s := &segment{base: begin, file: file, end: int64(len(head))}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segments = append(l.segments, s)
	return s, nil
}

// bytes returns what the files take.
func (l *segmentLog) bytes() (total uint64, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.segments {
		total += uint64(s.end)
	}
	return total, nil
}

// exists says whether there is a log of segments in dir.
func segmentsExist(dir string) (bool, error) {
	_, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
