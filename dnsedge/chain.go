package dnsedge

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the one hash of RFC 5155
	"encoding/binary"
	"math/bits"
)

const (
	hashOctets    = sha1.Size
	chainDirBits  = 10 // of a hash choose the directory
	chainDirs     = 1 << chainDirBits
	chainPageMean = 16 // records in a page, in the mean after it was split; at most twice as many before
)

// nameHash is the hash of a name in an NSEC3 chain.
type nameHash [hashOctets]byte

// hashName hashes a lower-case wire name without salt and further iterations (RFC 9276 section 3.1).
func hashName(wire []byte) nameHash { return sha1.Sum(wire) } //nolint:gosec // see above

// chain is an immutable NSEC3 chain. Hashes are evenly spread, so their first bits choose a directory and a page of it.
// What most records have in common is kept once in a class.
type chain struct {
	dirs    [chainDirs]*chainDir
	classes []*chainClass // only ever appended to, so that chains share it
	records int
	// octets of all pages, and of those made since they were last moved together
	octets, loose int
}

// chainDir holds the pages of all hashes with the same first bits; their number is a power of two.
type chainDir struct {
	pages   []chainPage
	records int
}

func (d *chainDir) octets() (n int) {
	for _, p := range d.pages {
		n += len(p)
	}
	return n
}

// chainPage is a pointer-free block of records in the order of their hashes:
//
//	count(2), hashes(20 each), offsets(4 each), then per record:
//	class(2) next(20), per signature: expiration(4) inception(4) signature
type chainPage []byte

// chainClass is what many NSEC3 records have in common.
type chainClass struct {
	ttl  uint32
	head []byte // RDATA up to the next hash
	tail []byte // RDATA after it: the types
	sigs []chainSig
}

// chainSig is the constant part of a signature.
type chainSig struct {
	ttl   uint32
	head  [8]byte // type covered, algorithm, labels, original TTL
	tag   [2]byte
	bytes int // of the signature itself
}

const (
	chainPageHead = 2
	chainOffset   = 4
	sigTimes      = 8              // expiration and inception
	chainBodyHead = 2 + hashOctets // class and next
)

// link is one record of the chain; the zero value is none. It aliases a page.
type link struct {
	hash []byte
	body []byte
}

func (p chainPage) count() int {
	if len(p) == 0 {
		return 0
	}
	return int(binary.BigEndian.Uint16(p))
}

func (p chainPage) hash(i int) []byte {
	at := chainPageHead + hashOctets*i
	return p[at : at+hashOctets : at+hashOctets]
}

func (p chainPage) link(i, count int) link {
	offsets := p[chainPageHead+hashOctets*count:]
	start, end := int(binary.BigEndian.Uint32(offsets[chainOffset*i:])), len(p)
	if i+1 < count {
		end = int(binary.BigEndian.Uint32(offsets[chainOffset*(i+1):]))
	}
	return link{hash: p.hash(i), body: p[start:end:end]}
}

// search returns the last record that is not after the hash, -1 if there is none. Hashes are evenly spread, so it begins where the hash
// should be: most of a page is never touched. skip is how many bits all hashes of the page have in common.
func (p chainPage) search(hash *nameHash, skip, count int) (i int, match bool) {
	key := binary.BigEndian.Uint64(hash[:])
	guess, _ := bits.Mul64(key<<skip, uint64(count))
	i = int(guess)
	for i < count-1 && !p.after(i, key, hash) {
		i++
	}
	if count == 0 {
		return -1, false
	}
	for i >= 0 && p.after(i, key, hash) {
		i--
	}
	return i, i >= 0 && bytes.Equal(p.hash(i), hash[:])
}

// after says whether the record is after the hash, which begins with key.
func (p chainPage) after(i int, key uint64, hash *nameHash) bool {
	at := p[chainPageHead+hashOctets*i:]
	if first := binary.BigEndian.Uint64(at); first != key {
		return first > key
	}
	return bytes.Compare(at[:hashOctets], hash[:]) > 0
}

// bits is how many bits all hashes of a page have in common.
func (d *chainDir) bits() int { return chainDirBits + bits.Len(uint(len(d.pages)-1)) }

// page tells which page of a directory a hash belongs to.
func (d *chainDir) page(hash *nameHash) int {
	return int(binary.BigEndian.Uint64(hash[:]) << chainDirBits >> (64 - bits.Len(uint(len(d.pages)-1))))
}

// touch begins to fetch from memory what find will want. The result means nothing; it keeps the reads from being left out.
func (c *chain) touch(hash *nameHash) byte {
	d := c.dirs[chainDirOf(hash)]
	if d == nil {
		return 0
	}
	p := d.pages[d.page(hash)]
	if len(p) == 0 {
		return 0
	}
	// Near the middle of the hashes of a page with the mean number of them, and its head.
	return p[0] + p[min(len(p)-1, chainPageHead+hashOctets*chainPageMean/2)]
}

func chainDirOf(hash *nameHash) int {
	return int(binary.BigEndian.Uint64(hash[:]) >> (64 - chainDirBits))
}

// find returns the record of the hash, or else the one before it, which covers it; the last is before the first. The
// chain must not be empty.
func (c *chain) find(hash *nameHash) (l link, match bool) {
	at := chainDirOf(hash)
	if d := c.dirs[at]; d != nil {
		first := d.page(hash)
		p := d.pages[first]
		count := p.count()
		if i, match := p.search(hash, d.bits(), count); i >= 0 {
			return p.link(i, count), match
		}
		if l, ok := d.last(first); ok {
			return l, false
		}
	}
	for i := 1; i <= chainDirs; i++ {
		if d := c.dirs[(at-i+chainDirs)%chainDirs]; d != nil {
			if l, ok := d.last(len(d.pages)); ok {
				return l, false
			}
		}
	}
	return link{}, false
}

// last returns the last record of the pages before the given one.
func (d *chainDir) last(before int) (link, bool) {
	for i := before - 1; i >= 0; i-- {
		if count := d.pages[i].count(); count > 0 {
			return d.pages[i].link(count-1, count), true
		}
	}
	return link{}, false
}

// all calls fn for every record in the order of the hashes until it returns false.
func (c *chain) all(fn func(link) bool) {
	for _, d := range c.dirs {
		if d == nil {
			continue
		}
		for _, p := range d.pages {
			count := p.count()
			for i := range count {
				if !fn(p.link(i, count)) {
					return
				}
			}
		}
	}
}

func (c *chain) class(l link) *chainClass { return c.classes[binary.BigEndian.Uint16(l.body)] }

// next is the hash of the record's successor as the record says.
func (l link) next() []byte { return l.body[2:chainBodyHead] }

// rdata appends the NSEC3 record's RDATA.
func (k *chainClass) rdata(dst []byte, l link) []byte {
	dst = append(dst, k.head...)
	dst = append(dst, l.next()...)
	return append(dst, k.tail...)
}
