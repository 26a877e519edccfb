package dnsedge

import (
	"hash/maphash"
	"math/bits"
)

const (
	nodesPerPage = 16  // mean fill: small enough to copy cheaply on update, large enough to spread the slice header
	pagesPerDir  = 256 // a directory of 6 KiB is what one touched page costs on top of itself
)

// dir is the second level of a table.
type dir [pagesPerDir]page

// table is an immutable hash table from keys to nodes, grown by linear hashing: the number of pages follows the number
// of nodes one by one, so no update ever rebuilds the whole table. The hash is seeded per process, since names are
// chosen by strangers.
type table struct {
	seed  maphash.Seed
	dirs  []*dir
	pages int // buckets in use, at least one
	nodes int
	// octets of all pages, and of those made since they were last moved together
	octets, loose int
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed(), dirs: []*dir{new(dir)}, pages: 1}
}

func (t *table) hash(key []byte) uint64 { return maphash.Bytes(t.seed, key) }

func tagOf(hash uint64) uint16 { return uint16(hash >> 48) }

// address maps a hash to its bucket among the given number of pages: the low bits, with one bit fewer where the bucket
// that they name does not exist yet.
func address(hash uint64, pages int) int {
	mask := uint64(1)<<bits.Len(uint(pages)) - 1
	a := hash & mask
	if a >= uint64(pages) {
		a = hash & (mask >> 1)
	}
	return int(a)
}

func (t *table) page(i int) page { return t.dirs[i/pagesPerDir][i%pagesPerDir] }

// find looks a key up; the node aliases the table.
func (t *table) find(key []byte) (node, bool) {
	h := t.hash(key)
	return t.page(address(h, t.pages)).find(tagOf(h), key)
}

// all calls fn for every node, in no particular order, until it returns false.
func (t *table) all(fn func(key []byte, n node) bool) {
	for i := range t.pages {
		p := t.page(i)
		count := p.count()
		for j := range count {
			if k, n := p.entry(j, count); !fn(k, n) {
				return
			}
		}
	}
}
