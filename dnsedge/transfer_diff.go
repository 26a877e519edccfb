package dnsedge

import (
	"encoding/binary"
	"errors"
)

const (
	// maxDiffOctets bounds what the changes of one incremental transfer may take up; more goes as a whole zone.
	maxDiffOctets = 32 << 20
	// diffEntryOctets is what an entry takes besides its records and key.
	diffEntryOctets = 128
	// uncompressedFactor is how much longer records may be in a snapshot than in a compressed message.
	uncompressedFactor = 4
)

var (
	errDiffTooLarge = errors.New("the difference is larger than an incremental transfer may be")
	errOldJournal   = errors.New("the journal does not say what was published before")
)

// diff is the net difference between two serials.
type diff struct {
	oldSOA  []byte
	entries []*diffEntry
	byKey   map[string]*diffEntry
	octets  int
	limit   int
}

type diffEntry struct{ before, after []byte }

// newDiff condenses all changes since a serial (RFC 1995 section 5). It returns false if the journal does not reach
// back that far or too much has changed.
func newDiff(z Snapshot, from uint32, limit int) (*diff, bool, error) {
	d := &diff{byKey: make(map[string]*diffEntry), limit: limit}
	reaches, err := z.Changes(from, d.add)
	if errors.Is(err, errDiffTooLarge) || errors.Is(err, errOldJournal) {
		return nil, false, nil
	}
	if err != nil || !reaches || d.oldSOA == nil {
		return nil, false, err
	}
	return d, true, nil
}

func (d *diff) add(c Change) error {
	if soa := soaOf(c.After); soa != nil {
		// Every publication has the apex with its SOA, and a zone has only one beginning.
		before := soaOf(c.Before)
		if before == nil {
			return errOldJournal
		}
		if d.oldSOA == nil {
			d.oldSOA = before
		}
	}
	e := d.byKey[c.Key]
	if e == nil {
		e = &diffEntry{before: c.Before}
		d.byKey[c.Key] = e
		d.entries = append(d.entries, e)
		d.octets += diffEntryOctets + 2*len(c.Key) + len(c.Before)
	}
	d.octets += len(c.After) - len(e.after)
	e.after = c.After
	if d.octets > d.limit {
		return errDiffTooLarge
	}
	return nil
}

// each calls fn for the records of an entry that are in a and not in b, but for the SOA.
func eachOnlyIn(a, b []byte, fn func(rr []byte) error) error {
	for len(a) > 0 {
		rr, rest := splitRecord(a)
		if a = rest; recordType(rr) == typeSOA || hasRecord(b, rr) {
			continue
		}
		if err := fn(rr); err != nil {
			return err
		}
	}
	return nil
}

// removed and added call fn for the records of one half of the difference.
func (d *diff) removed(fn func(rr []byte) error) error {
	for _, e := range d.entries {
		if err := eachOnlyIn(e.before, e.after, fn); err != nil {
			return err
		}
	}
	return nil
}

func (d *diff) added(fn func(rr []byte) error) error {
	for _, e := range d.entries {
		if err := eachOnlyIn(e.after, e.before, fn); err != nil {
			return err
		}
	}
	return nil
}

// splitRecord splits off the first of uncompressed records; what is malformed is one record, which packing refuses.
func splitRecord(rrs []byte) (rr, rest []byte) {
	n, err := nameLen(rrs)
	if err != nil || len(rrs) < n+wireRecHead {
		return rrs, nil
	}
	end := n + wireRecHead + int(binary.BigEndian.Uint16(rrs[n+8:]))
	if end > len(rrs) {
		return rrs, nil
	}
	return rrs[:end], rrs[end:]
}

func recordType(rr []byte) uint16 {
	n, err := nameLen(rr)
	if err != nil || len(rr) < n+2 {
		return 0
	}
	return binary.BigEndian.Uint16(rr[n:])
}

func hasRecord(rrs, rr []byte) bool {
	for len(rrs) > 0 {
		one, rest := splitRecord(rrs)
		if string(one) == string(rr) {
			return true
		}
		rrs = rest
	}
	return false
}

// soaOf returns the SOA among records, nil if there is none.
func soaOf(rrs []byte) []byte {
	for len(rrs) > 0 {
		rr, rest := splitRecord(rrs)
		if recordType(rr) == typeSOA {
			return rr
		}
		rrs = rest
	}
	return nil
}
