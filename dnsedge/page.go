package dnsedge

import (
	"encoding/binary"
)

// A page is an immutable, pointer-free block with the nodes of one hash bucket:
//
//	count(2), count tags(2 each), count offsets(4 each), then per node:
//	children(uvarint) keylen(1) key records
//
// A key is the owner's lower-case wire name without the apex and without the root octet; the apex has the empty key.
// Tags are 16 bits of the key's hash, so that a miss reads one cache line. All integers are big-endian.
type page []byte

// node is one name of the zone: an owner, or an empty non-terminal, which has children and no records.
type node struct {
	children uint32 // nodes directly below
	rrs      records
}

// item is a node on its way into a page.
type item struct {
	dest int // index of the page
	tag  uint16
	key  []byte
	node
}

// size is what the item takes up in a page besides tag and offset.
func (it *item) size() int {
	n := 2 + len(it.key) + len(it.rrs)
	for c := it.children; c >= 0x80; c >>= 7 {
		n++
	}
	return n
}

const (
	pageHead   = 2
	pageTag    = 2
	pageOffset = 4
)

func (p page) count() int {
	if len(p) == 0 {
		return 0
	}
	return int(binary.BigEndian.Uint16(p))
}

// entry returns the i-th node and its key; both alias the page.
func (p page) entry(i, count int) (key []byte, n node) {
	offsets := p[pageHead+pageTag*count:]
	start, end := int(binary.BigEndian.Uint32(offsets[pageOffset*i:])), len(p)
	if i+1 < count {
		end = int(binary.BigEndian.Uint32(offsets[pageOffset*(i+1):]))
	}
	body := p[start:end:end]
	children, n0 := uint64(body[0]), 1
	if children >= 0x80 {
		children, n0 = binary.Uvarint(body)
	}
	keyEnd := n0 + 1 + int(body[n0])
	return body[n0+1 : keyEnd], node{children: uint32(children), rrs: records(body[keyEnd:])}
}

func (p page) tag(i int) uint16 {
	return binary.BigEndian.Uint16(p[pageHead+pageTag*i:])
}

// find looks the key up.
func (p page) find(tag uint16, key []byte) (node, bool) {
	count := p.count()
	for i := range count {
		if p.tag(i) != tag {
			continue
		}
		if k, n := p.entry(i, count); string(k) == string(key) {
			return n, true
		}
	}
	return node{}, false
}

// makePage lays the items out in one block of exactly the size that they need.
func makePage(items []item) page {
	if len(items) == 0 {
		return nil
	}
	start := pageHead + (pageTag+pageOffset)*len(items)
	size := start
	for i := range items {
		size += items[i].size()
	}
	p := make(page, 0, size)
	p = binary.BigEndian.AppendUint16(p, uint16(len(items)))
	for i := range items {
		p = binary.BigEndian.AppendUint16(p, items[i].tag)
	}
	for i := range items {
		p = binary.BigEndian.AppendUint32(p, uint32(start))
		start += items[i].size()
	}
	for i := range items {
		it := &items[i]
		p = binary.AppendUvarint(p, uint64(it.children))
		p = append(p, byte(len(it.key)))
		p = append(p, it.key...)
		p = append(p, it.rrs...)
	}
	return p
}
