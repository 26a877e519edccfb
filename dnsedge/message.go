package dnsedge

import "encoding/binary"

const (
	// maxTargets bounds the positions kept for name compression. A referral to 13 servers under different names
	// needs about 40; beyond the bound names are written in full.
	maxTargets = 48
	// maxQuestionTargets leaves room for others where the question is a name of many labels.
	maxQuestionTargets = 8
	// maxPointer is the largest offset that a compression pointer can hold (RFC 1035 section 4.1.4).
	maxPointer = 1<<14 - 1

	optOctets = 11 // an OPT record without options
)

// section indexes message.counts.
type section int

const (
	answer section = iota
	authority
	additional
)

// message is a reply under construction.
type message struct {
	out     []byte
	limit   int // octets that out may reach, room for the OPT already taken off
	counts  [3]uint16
	n       int // targets in use
	targets [maxTargets]target

	// Set once the zone is known.
	zone      *Zone
	apexAt    int // offset of the apex in the question's name, and apexOff in the message
	apexOff   int
	apexLabel int  // index of its first label
	dnssec    bool // signatures and proofs are wanted and there
	// What the hash of the name from a label of the question on is; hashed is the label's index and one, 0 while none is known.
	hash   nameHash
	hashed int
	warm   byte
	nlinks int // NSEC3 records in use
	links  [maxLinks][]byte
	trace  *[]int // if not nil, notes where compression pointers are
}

// target is a place in the message that a compression pointer may name.
type target struct {
	off  uint16
	size uint8 // octets of the uncompressed name there, with root octet
}

// mark is a state of the message to fall back to.
type mark struct {
	size, n int
	counts  [3]uint16
}

func (m *message) mark() mark { return mark{len(m.out), m.n, m.counts} }

func (m *message) reset(k mark) { m.out, m.n, m.counts = m.out[:k.size], k.n, k.counts }

// addTarget remembers a name at an offset for later pointers.
func (m *message) addTarget(off, size int) {
	if m.n < maxTargets && off <= maxPointer && size > 1 {
		m.targets[m.n] = target{uint16(off), uint8(size)}
		m.n++
	}
}

// addQuestion remembers the last labels of the question's name.
func (m *message) addQuestion(q *question) {
	for i := max(0, q.nlabels-maxQuestionTargets); i < q.nlabels; i++ {
		at := int(q.labels[i])
		m.addTarget(headerOctets+at, q.nameLen-at)
	}
}

// name appends a lower-case uncompressed wire name, its longest known suffix as a pointer.
func (m *message) name(wire []byte) {
	for len(wire) > 1 {
		for i := range m.n {
			if t := m.targets[i]; int(t.size) == len(wire) && m.sameName(int(t.off), wire) {
				m.pointer(int(t.off))
				return
			}
		}
		m.addTarget(len(m.out), len(wire))
		n := 1 + int(wire[0])
		m.out = append(m.out, wire[:n]...)
		wire = wire[n:]
	}
	m.out = append(m.out, 0)
}

// sameName compares the name at an offset of the message, which this package wrote, with a wire name.
func (m *message) sameName(off int, wire []byte) bool {
	for {
		c := m.out[off]
		if c >= 0xC0 {
			off = int(binary.BigEndian.Uint16(m.out[off:]) & maxPointer)
			continue
		}
		n := 1 + int(c)
		if n > len(wire) || !equalFold(m.out[off:off+n], wire[:n]) {
			return false
		}
		if c == 0 {
			return true
		}
		off, wire = off+n, wire[n:]
	}
}

// owner appends an owner name: a pointer to an offset, or a name.
func (m *message) owner(off int, name []byte) {
	if off > 0 {
		m.pointer(off)
		return
	}
	m.name(name)
}

// pointer appends a compression pointer.
func (m *message) pointer(off int) {
	if m.trace != nil {
		*m.trace = append(*m.trace, len(m.out))
	}
	m.out = append(m.out, 0xC0|byte(off>>8), byte(off))
}

// rrset appends the records with their owner given as an offset of the message, or as a name if the offset is 0. If they do
// not fit as a whole, it leaves the message as it was and returns false.
func (m *message) rrset(s section, ownerOff int, ownerName []byte, rrs records) bool {
	before := m.mark()
	for len(rrs) > 0 {
		rtype, ttl, rdata, rest := rrs.next()
		if !m.record(s, ownerOff, ownerName, rtype, ttl, rdata) {
			m.reset(before)
			return false
		}
		rrs = rest
	}
	return true
}

// set adds the records of one type from an owner's, with their signatures if wanted.
func (m *message) set(s section, ownerOff int, ownerName []byte, rrs records, rtype uint16) bool {
	return m.rrset(s, ownerOff, ownerName, rrs.rrset(rtype)) && m.sigs(s, ownerOff, ownerName, rrs, rtype, ^uint32(0))
}

// sigs adds the signatures of one type, with a TTL of at most maxTTL.
func (m *message) sigs(s section, ownerOff int, ownerName []byte, rrs records, rtype uint16, maxTTL uint32) bool {
	if !m.dnssec {
		return true
	}
	for rest := rrs.signatures(); len(rest) > 0; {
		var ttl uint32
		var rdata []byte
		_, ttl, rdata, rest = rest.next()
		if covers(rdata, rtype) && !m.record(s, ownerOff, ownerName, typeRRSIG, min(ttl, maxTTL), rdata) {
			return false
		}
	}
	return true
}

// record appends one record; when it returns false, the end of the message is undefined.
func (m *message) record(s section, ownerOff int, ownerName []byte, rtype uint16, ttl uint32, rdata []byte) bool {
	m.owner(ownerOff, ownerName)
	m.out = binary.BigEndian.AppendUint16(m.out, rtype)
	m.out = binary.BigEndian.AppendUint16(m.out, classIN)
	m.out = binary.BigEndian.AppendUint32(m.out, ttl)
	at := len(m.out)
	m.out = append(m.out, 0, 0)
	switch rtype { // RFC 3597 section 4: only types of RFC 1035 may be compressed
	case typeNS, typeCNAME:
		m.name(rdata)
	case typeSOA:
		// Both names end before the numbers; the first one ends at its root octet.
		first, err := nameLen(rdata)
		if err != nil {
			return false
		}
		m.name(rdata[:first])
		m.name(rdata[first : len(rdata)-soaNumbers])
		m.out = append(m.out, rdata[len(rdata)-soaNumbers:]...)
	case typeRRSIG: // the signer's name was left out
		m.out = append(m.out, rdata[:sigHead]...)
		m.out = append(m.out, m.zone.apex...)
		m.out = append(m.out, rdata[sigHead:]...)
	default:
		if len(m.out)+len(rdata) > m.limit {
			return false
		}
		m.out = append(m.out, rdata...)
	}
	binary.BigEndian.PutUint16(m.out[at:], uint16(len(m.out)-at-2))
	m.counts[s]++
	return len(m.out) <= m.limit
}

// opt appends the OPT record without options and returns where its RDLENGTH is; room for it was kept.
func (m *message) opt(rcode uint16, dnssecOK bool) int {
	flags := byte(0)
	if dnssecOK {
		flags = 1 << 7
	}
	m.out = append(m.out, 0, 0, byte(typeOPT), byte(maxUDPOctets>>8), byte(maxUDPOctets&0xFF), byte(rcode>>4), 0, flags, 0, 0, 0)
	m.counts[additional]++
	return len(m.out) - 2
}
