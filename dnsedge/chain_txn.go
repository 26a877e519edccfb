package dnsedge

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// maxChainClasses bounds the kinds of NSEC3 records: lists of types times keys times TTLs. A zone loaded anew
	// begins again.
	maxChainClasses = 1 << 14
	// maxChainPageOctets is about the most that one change makes anew.
	maxChainPageOctets = 2 * chainPageMean * 128
	// nsec3Params are the octets of an NSEC3 RDATA before its next hash: SHA-1, flags, no iterations, no salt, length.
	nsec3Params = 6
)

// chainChange is a record of the chain on its way into a page; no body removes it.
type chainChange struct {
	hash nameHash
	body []byte
}

// chainTxn gathers changes to a chain. The base stays as it is.
type chainTxn struct {
	base    *chain
	classes []*chainClass
	byKey   map[string]int // classes by their content
	changes []chainChange
}

func newChainTxn(base *chain) *chainTxn {
	x := &chainTxn{base: base, classes: base.classes, byKey: make(map[string]int, len(base.classes))}
	for i, k := range base.classes {
		x.byKey[k.key()] = i
	}
	return x
}

func (k *chainClass) key() string {
	b := binary.BigEndian.AppendUint32(nil, k.ttl)
	b = binary.BigEndian.AppendUint16(b, uint16(len(k.tail)))
	b = append(append(b, k.head...), k.tail...)
	for i := range k.sigs {
		s := &k.sigs[i]
		b = binary.BigEndian.AppendUint32(b, s.ttl)
		b = append(append(b, s.head[:]...), s.tag[:]...)
		b = binary.BigEndian.AppendUint16(b, uint16(s.bytes))
	}
	return string(b)
}

// parseHashLabel reads the first label of an NSEC3 owner name.
func parseHashLabel(label string) (hash nameHash, err error) {
	n, err := base32.HexEncoding.WithPadding(base32.NoPadding).Decode(hash[:], []byte(strings.ToUpper(label)))
	if err != nil || n != hashOctets {
		return hash, fmt.Errorf("%q is no SHA-1 hash in base32hex (RFC 5155 section 3)", label)
	}
	return hash, nil
}

// set replaces the record of a hash by the NSEC3 record with signatures that rrs holds, in stored form but as records of
// the owner; none removes it.
func (x *chainTxn) set(hash nameHash, rrs records) error {
	if len(rrs) == 0 {
		x.changes = append(x.changes, chainChange{hash: hash})
		return nil
	}
	k := &chainClass{}
	var next, sigs []byte
	for len(rrs) > 0 {
		rtype, ttl, rdata, rest := rrs.next()
		switch {
		case rtype == typeNSEC3 && next == nil:
			k.ttl, next = ttl, rdata[nsec3Params:nsec3Params+hashOctets]
			k.head, k.tail = slices.Clone(rdata[:nsec3Params]), slices.Clone(rdata[nsec3Params+hashOctets:])
		case rtype == typeRRSIG && covers(rdata, typeNSEC3):
			s := chainSig{ttl: ttl, head: [8]byte(rdata), tag: [2]byte(rdata[sigHead-2:]), bytes: len(rdata) - sigHead}
			k.sigs = append(k.sigs, s)
			sigs = append(append(sigs, rdata[8:8+sigTimes]...), rdata[sigHead:]...)
		default:
			return fmt.Errorf("a record of type %d in the NSEC3 chain, or a second one", rtype)
		}
		rrs = rest
	}
	if next == nil {
		return errors.New("signatures in the NSEC3 chain without their record")
	}
	class, err := x.class(k)
	if err != nil {
		return err
	}
	body := make([]byte, 0, chainBodyHead+len(sigs))
	body = binary.BigEndian.AppendUint16(body, class)
	body = append(append(body, next...), sigs...)
	x.changes = append(x.changes, chainChange{hash: hash, body: body})
	return nil
}

func (x *chainTxn) class(k *chainClass) (uint16, error) {
	key := k.key()
	i, known := x.byKey[key]
	if !known {
		if i = len(x.classes); i == maxChainClasses {
			return 0, fmt.Errorf("more than %d kinds of NSEC3 records", maxChainClasses)
		}
		x.classes = append(slices.Clip(x.classes), k)
		x.byKey[key] = i
	}
	return uint16(i), nil
}

// commit builds the next chain; of several changes of a hash the last counts.
func (x *chainTxn) commit() *chain {
	if len(x.changes) == 0 {
		return x.base
	}
	slices.SortStableFunc(x.changes, func(a, b chainChange) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	next := &chain{dirs: x.base.dirs, classes: x.classes, records: x.base.records, octets: x.base.octets, loose: x.base.loose}
	for rest := x.changes; len(rest) > 0; {
		at, n := chainDirOf(&rest[0].hash), 1
		for n < len(rest) && chainDirOf(&rest[n].hash) == at {
			n++
		}
		old := next.dirs[at]
		if old == nil {
			old = &chainDir{pages: make([]chainPage, 1)}
		}
		next.dirs[at] = old.with(rest[:n])
		next.records += next.dirs[at].records - old.records
		octets := next.dirs[at].octets()
		next.octets += octets - old.octets()
		next.loose += min(octets, n*maxChainPageOctets)
		rest = rest[n:]
	}
	return next
}

// with returns the directory after the changes, which are sorted.
func (d *chainDir) with(changes []chainChange) *chainDir {
	next := &chainDir{pages: slices.Clone(d.pages), records: d.records}
	var merged []chainChange
	for rest := changes; len(rest) > 0; {
		at, n := d.page(&rest[0].hash), 1
		for n < len(rest) && d.page(&rest[n].hash) == at {
			n++
		}
		merged = d.pages[at].merge(merged[:0], rest[:n])
		next.pages[at] = makeChainPage(merged)
		next.records += len(merged) - d.pages[at].count()
		rest = rest[n:]
	}
	if pages := len(next.pages); next.records > 2*chainPageMean*pages {
		next.split()
	}
	return next
}

// split spreads the records over as many pages as they should have.
func (d *chainDir) split() {
	var all []chainChange
	for _, p := range d.pages {
		all = p.merge(all, nil)
	}
	pages := len(d.pages)
	for pages*chainPageMean < d.records {
		pages *= 2
	}
	d.pages = make([]chainPage, pages)
	for rest := all; len(rest) > 0; {
		at, n := d.page(&rest[0].hash), 1
		for n < len(rest) && d.page(&rest[n].hash) == at {
			n++
		}
		d.pages[at] = makeChainPage(rest[:n])
		rest = rest[n:]
	}
}

// merge appends the records of the page as they are after the changes.
func (p chainPage) merge(dst, changes []chainChange) []chainChange {
	count := p.count()
	for i := 0; i < count || len(changes) > 0; {
		order := 1
		if i < count {
			order = -1
			if len(changes) > 0 {
				order = bytes.Compare(p.hash(i), changes[0].hash[:])
			}
		}
		if order < 0 {
			l := p.link(i, count)
			dst = append(dst, chainChange{hash: nameHash(l.hash), body: l.body})
			i++
			continue
		}
		if order == 0 {
			i++
		}
		last := changes[0]
		for len(changes) > 0 && changes[0].hash == last.hash {
			last, changes = changes[0], changes[1:]
		}
		if last.body != nil {
			dst = append(dst, last)
		}
	}
	return dst
}

func makeChainPage(records []chainChange) chainPage {
	if len(records) == 0 {
		return nil
	}
	start := chainPageHead + (hashOctets+chainOffset)*len(records)
	size := start
	for i := range records {
		size += len(records[i].body)
	}
	p := make(chainPage, 0, size)
	p = binary.BigEndian.AppendUint16(p, uint16(len(records)))
	for i := range records {
		p = append(p, records[i].hash[:]...)
	}
	for i := range records {
		p = binary.BigEndian.AppendUint32(p, uint32(start))
		start += len(records[i].body)
	}
	for i := range records {
		p = append(p, records[i].body...)
	}
	return p
}
