package dnsedge

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// orderPageMax is how many names a page of the order holds before it is cut in two.
const orderPageMax = 64

// order is an immutable list of names in canonical order (RFC 4034 section 6.1): the owners of NSEC records. Names are
// keys as in a table.
type order struct {
	pages []orderPage // none is empty
	names int
}

// orderPage is a pointer-free block: count(2), offsets(2 each), keys.
type orderPage []byte

func (p orderPage) count() int { return int(binary.BigEndian.Uint16(p)) }

func (p orderPage) key(i int) []byte {
	count := p.count()
	start, end := int(binary.BigEndian.Uint16(p[2+2*i:])), len(p)
	if i+1 < count {
		end = int(binary.BigEndian.Uint16(p[4+2*i:]))
	}
	return p[start:end:end]
}

// compareCanonical compares two lower-case wire names without root octet label by label from the right.
func compareCanonical(a, b []byte) int {
	var atA, atB [maxLabels]uint8
	i, j := labelOffsets(&atA, a), labelOffsets(&atB, b)
	for i > 0 && j > 0 {
		i, j = i-1, j-1
		la, lb := a[atA[i]:], b[atB[j]:]
		if order := bytes.Compare(la[1:1+int(la[0])], lb[1:1+int(lb[0])]); order != 0 {
			return order
		}
	}
	return i - j
}

func labelOffsets(offsets *[maxLabels]uint8, name []byte) int {
	n := 0
	for at := 0; at < len(name); at += 1 + int(name[at]) {
		offsets[n] = uint8(at)
		n++
	}
	return n
}

// page returns the index of the page that a key belongs to: the last that begins at or before it, or the first.
func (o *order) page(key []byte) int {
	low, high := 0, len(o.pages)
	for high-low > 1 {
		if middle := (low + high) / 2; compareCanonical(o.pages[middle].key(0), key) <= 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// find returns the key itself or else the last before it; the first is the apex, so there is always one unless the
// order is empty.
func (o *order) find(key []byte) (at []byte, match bool) {
	if len(o.pages) == 0 {
		return nil, false
	}
	p := o.pages[o.page(key)]
	low, high := 0, p.count() // the last at or before key is in [low, high)
	for high-low > 1 {
		if middle := (low + high) / 2; compareCanonical(p.key(middle), key) <= 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return p.key(low), bytes.Equal(p.key(low), key)
}

// orderChange adds a name to an order or takes it away.
type orderChange struct {
	key []byte
	add bool
}

// with returns the order after the changes; of several for a name the last counts.
func (o *order) with(changes []orderChange) *order {
	if len(changes) == 0 {
		return o
	}
	slices.SortStableFunc(changes, func(a, b orderChange) int { return compareCanonical(a.key, b.key) })
	next := &order{pages: make([]orderPage, 0, len(o.pages)+1), names: o.names}
	if len(o.pages) == 0 {
		next.put(mergeKeys(nil, changes))
	}
	for i, p := range o.pages {
		n := len(changes)
		if i+1 < len(o.pages) {
			first := o.pages[i+1].key(0)
			n, _ = slices.BinarySearchFunc(changes, first, func(c orderChange, key []byte) int { return compareCanonical(c.key, key) })
		}
		if n == 0 {
			next.pages = append(next.pages, p)
			continue
		}
		keys := mergeKeys(p, changes[:n])
		next.names -= p.count()
		next.put(keys)
		changes = changes[n:]
	}
	return next
}

// put appends pages with the keys.
func (o *order) put(keys [][]byte) {
	o.names += len(keys)
	for len(keys) > 0 {
		n := len(keys)
		if n > orderPageMax {
			n = min(n/2, orderPageMax)
		}
		p := binary.BigEndian.AppendUint16(nil, uint16(n))
		at := 2 + 2*n
		for _, k := range keys[:n] {
			p = binary.BigEndian.AppendUint16(p, uint16(at))
			at += len(k)
		}
		for _, k := range keys[:n] {
			p = append(p, k...)
		}
		o.pages = append(o.pages, slices.Clip(p))
		keys = keys[n:]
	}
}

func mergeKeys(p orderPage, changes []orderChange) [][]byte {
	var keys [][]byte
	count := 0
	if p != nil {
		count = p.count()
	}
	for i := 0; i < count || len(changes) > 0; {
		step := 1
		if i < count {
			step = -1
			if len(changes) > 0 {
				step = compareCanonical(p.key(i), changes[0].key)
			}
		}
		if step < 0 {
			keys = append(keys, p.key(i))
			i++
			continue
		}
		if step == 0 {
			i++
		}
		last := changes[0]
		for len(changes) > 0 && bytes.Equal(changes[0].key, last.key) {
			last, changes = changes[0], changes[1:]
		}
		if last.add {
			keys = append(keys, last.key)
		}
	}
	return keys
}
