package raftnode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/hashicorp/raft"
)

// A segment begins with segmentHead octets: segmentMark, the index of its first entry and the
// CRC-32C of both. Records follow one another, an entry each, big endian:
//
//	 0  recordMark
//	 4  octets of data
//	 8  octets of extensions
//	12  index
//	20  term
//	28  time of appending, Unix nanoseconds
//	36  place in its batch, from 0: what was written and synced together
//	40  type, then three zeros
//	44  CRC-32C of data and extensions
//	48  CRC-32C of the 48 octets before
//	52  data, extensions
const (
	segmentMark = "CADRLOG\x01"
	segmentHead = 20
	recordMark  = "eNt\x01"
	recordHead  = 52
	// maxRecordBytes is far above what an entry holds: a command has 8 MiB at most, other
	// entries an envelope of many.
	maxRecordBytes = 64 << 20
	// sectorBytes is what a disk writes whole or not at all.
	sectorBytes = 512
)

// record is what the head of a stored entry says.
type record struct {
	data, extensions uint32
	index, term      uint64
	appendedAt       int64
	place            uint32
	kind             byte
	sum              uint32
}

func (h *record) bytes() int { return recordHead + int(h.data) + int(h.extensions) }

func castagnoli(p []byte) uint32 { return crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)) }

func appendSegmentHead(b []byte, base uint64) []byte {
	start := len(b)
	b = append(b, segmentMark...)
	b = binary.BigEndian.AppendUint64(b, base)
	return binary.BigEndian.AppendUint32(b, castagnoli(b[start:]))
}

func checkSegmentHead(b []byte, base uint64) error {
	if len(b) < segmentHead || !bytes.Equal(b[:segmentHead], appendSegmentHead(nil, base)) {
		return fmt.Errorf("%w: the head of the file is not that of a log from entry %d on", errDamagedEntry, base)
	}
	return nil
}

// appendRecord encodes an entry. place is its place in the batch.
func appendRecord(b []byte, entry *raft.Log, place int) []byte {
	start := len(b)
	b = append(b, recordMark...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(entry.Data)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(entry.Extensions)))
	b = binary.BigEndian.AppendUint64(b, entry.Index)
	b = binary.BigEndian.AppendUint64(b, entry.Term)
	var appendedAt int64
	if !entry.AppendedAt.IsZero() {
		appendedAt = entry.AppendedAt.UnixNano()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(appendedAt))
	b = binary.BigEndian.AppendUint32(b, uint32(place))
	b = append(b, byte(entry.Type), 0, 0, 0)
	table := crc32.MakeTable(crc32.Castagnoli)
	b = binary.BigEndian.AppendUint32(b, crc32.Update(crc32.Checksum(entry.Data, table), table, entry.Extensions))
	b = binary.BigEndian.AppendUint32(b, castagnoli(b[start:]))
	b = append(b, entry.Data...)
	return append(b, entry.Extensions...)
}

// parseHead reads the head of a record; ok is false if it is not one.
func parseHead(b []byte) (h record, ok bool) {
	if len(b) < recordHead || string(b[:4]) != recordMark || binary.BigEndian.Uint32(b[48:]) != castagnoli(b[:48]) {
		return record{}, false
	}
	h = record{
		data: binary.BigEndian.Uint32(b[4:]), extensions: binary.BigEndian.Uint32(b[8:]),
		index: binary.BigEndian.Uint64(b[12:]), term: binary.BigEndian.Uint64(b[20:]),
		appendedAt: int64(binary.BigEndian.Uint64(b[28:])), place: binary.BigEndian.Uint32(b[36:]),
		kind: b[40], sum: binary.BigEndian.Uint32(b[44:]),
	}
	return h, uint64(h.data)+uint64(h.extensions) <= maxRecordBytes
}

// decodeRecord reads the whole record of the entry at index, which may keep b.
func decodeRecord(b []byte, index uint64, out *raft.Log) error {
	h, ok := parseHead(b)
	switch {
	case !ok:
		return fmt.Errorf("%w: the checksum of its head does not match", errDamagedEntry)
	case h.index != index:
		return fmt.Errorf("%w: it says that it is entry %d", errDamagedEntry, h.index)
	case len(b) != h.bytes():
		return fmt.Errorf("%w: its length is wrong", errDamagedEntry)
	case h.sum != castagnoli(b[recordHead:]):
		return fmt.Errorf("%w: its checksum does not match", errDamagedEntry)
	}
	end := recordHead + int(h.data)
	*out = raft.Log{Index: h.index, Term: h.term, Type: raft.LogType(h.kind), Data: b[recordHead:end:end]}
	if h.extensions > 0 {
		out.Extensions = b[end:]
	}
	if h.appendedAt != 0 {
		out.AppendedAt = time.Unix(0, h.appendedAt)
	}
	return nil
}

// scanned is what a segment holds.
type scanned struct {
	offsets []uint32 // where the record of each entry begins
	end     int      // behind the last one
	torn    bool     // what follows end is the rest of a batch that was never synced
}

// scanRecords finds the records of a segment whose first entry is base. Content is looked at
// only in the newest segment, where the last batch may have been cut off by a crash; all is
// checked when it is read.
func scanRecords(b []byte, base uint64, newest bool) (s scanned, err error) {
	s.end = segmentHead
	for s.end < len(b) {
		index := base + uint64(len(s.offsets))
		h, ok := parseHead(b[s.end:])
		whole := ok && h.index == index && s.end+h.bytes() <= len(b)
		if !whole || newest && h.sum != castagnoli(b[s.end+recordHead:s.end+h.bytes()]) {
			switch {
			case newest && isTorn(b[s.end:], s.end, index):
				s.torn = true
				return s, nil
			case !whole:
				return s, fmt.Errorf("%w: its head does not match its checksum or place", errDamagedEntry)
			}
		}
		s.offsets = append(s.offsets, uint32(s.end))
		s.end += h.bytes()
	}
	return s, nil
}

// isTorn says whether what is left of a segment, which begins at offset with the damaged
// record of the entry at index, can be the rest of a batch that a crash cut off, and so was
// never acknowledged. Then the file ends too early, or a sector was never written and is
// zero; and no batch follows, since the next is only written when the one before is on disk.
func isTorn(rest []byte, offset int, index uint64) bool {
	for at := 1; ; at++ {
		next := bytes.Index(rest[at:], []byte(recordMark))
		if next < 0 {
			break
		}
		at += next
		if h, ok := parseHead(rest[at:]); ok && h.index > index && h.index-uint64(h.place) > index {
			return false
		}
	}
	h, ok := parseHead(rest)
	switch {
	case ok && h.index != index: // another's record, and whole
		return false
	case len(rest) < recordHead, ok && h.bytes() > len(rest):
		return true
	}
	for from := 0; from < len(rest); {
		to := min(len(rest), from+sectorBytes-(offset+from)%sectorBytes)
		if len(bytes.Trim(rest[from:to], "\x00")) == 0 {
			return true
		}
		from = to
	}
	return false
}
