package dnsedge

import (
	"bytes"
	"encoding/binary"
)

const (
	base32HexDigits = "0123456789abcdefghijklmnopqrstuv"
	hashLabelOctets = 32 // a hash in base32hex
	// maxLinks bounds the NSEC3 records of a proof: closest encloser, next closer name, wildcard.
	maxLinks = 3
)

// denyName proves that a name does not exist and that no wildcard stands in for it. The label of the question at
// missing is the first, from the apex down, that no name of the zone has.
func (m *message) denyName(q *question, missing int) bool {
	switch {
	case !m.dnssec:
		return true
	case m.zone.denial == deniesNSEC:
		return m.denyNameNSEC(q, missing)
	}
	for i := missing + 1; i < m.apexLabel; i++ { // RFC 5155 section 7.2.1: the closest encloser that has a record
		name := q.name[q.labels[i]:q.nameLen]
		hash := hashName(name)
		if encloser, match := m.zone.chain.find(&hash); match {
			hash = hashWildcard(name)
			wildcard, _ := m.zone.chain.find(&hash)
			return m.nsec3(encloser) && m.nsec3(wildcard) && m.denyNext(q, i-1)
		}
	}
	return m.knownLink(m.zone.apexLink, m.zone.apexProof) && m.knownLink(m.zone.wildLink, m.zone.wildProof) && m.denyNext(q, m.apexLabel-1)
}

// denyNext covers the next closer name, which begins at a label of the question.
func (m *message) denyNext(q *question, i int) bool {
	hash := m.hashAt(q, i)
	l, _ := m.zone.chain.find(&hash)
	return m.nsec3(l)
}

// hashAt is the hash of the name from the question's label at i on.
func (m *message) hashAt(q *question, i int) nameHash {
	if m.hashed == i+1 {
		return m.hash
	}
	return hashName(q.name[q.labels[i]:q.nameLen])
}

// lookUp finds the name right below the apex. Nearly all questions of a TLD need it, and with NSEC3 the record at or before its hash
// too, and both are far apart in memory: the second is on its way while the first is waited for.
func (m *message) lookUp(q *question, i int) (node, bool) {
	t := m.zone.names
	key := q.name[q.labels[i]:m.apexAt]
	h := t.hash(key)
	p := t.page(address(h, t.pages))
	if m.dnssec && m.zone.denial == deniesNSEC3 {
		m.hash, m.hashed = hashName(q.name[q.labels[i]:q.nameLen]), i+1
		m.warm = m.zone.chain.touch(&m.hash)
	}
	return p.find(tagOf(h), key)
}

func hashWildcard(name []byte) nameHash {
	var b [2 + maxNameOctets]byte
	b[0], b[1] = 1, '*'
	return hashName(b[:2+copy(b[2:], name)])
}

// denyType proves that the name from the question's label at i on, which exists with the records of n, lacks the type
// asked for, or, at a cut, that the cut has no DS.
func (m *message) denyType(q *question, i int, n node) bool {
	switch {
	case !m.dnssec:
		return true
	case m.zone.denial == deniesNSEC:
		return m.denyTypeNSEC(q, i, n)
	case i == m.apexLabel:
		return m.knownLink(m.zone.apexLink, m.zone.apexProof)
	}
	hash := m.hashAt(q, i)
	l, match := m.zone.chain.find(&hash)
	if match {
		return m.nsec3(l)
	}
	// With opt-out: the closest encloser that has a record, and the record that covers the name below it (RFC 5155
	// sections 7.2.4 and 7.2.7).
	for i++; i < m.apexLabel; i++ {
		hash = hashName(q.name[q.labels[i]:q.nameLen])
		above, match := m.zone.chain.find(&hash)
		if match {
			return m.nsec3(above) && m.nsec3(l)
		}
		l = above
	}
	return m.knownLink(m.zone.apexLink, m.zone.apexProof) && m.nsec3(l)
}

// nsec3 adds a record of the chain with its signatures, unless it is there.
func (m *message) nsec3(l link) bool {
	if len(l.body) == 0 {
		return true
	}
	if m.noted(l) {
		return true
	}
	k := m.zone.chain.class(l)
	at := len(m.out)
	m.out = append(m.out, hashLabelOctets)
	m.out = appendHash(m.out, l.hash)
	m.pointer(m.apexOff)
	m.fixed(typeNSEC3, k.ttl, len(k.head)+hashOctets+len(k.tail))
	m.out = k.rdata(m.out, l)
	m.counts[authority]++
	sigs := l.body[chainBodyHead:]
	for i := range k.sigs {
		s := &k.sigs[i]
		// An owner past the reach of a pointer cannot be: proofs stand near the start of a message.
		m.pointer(at)
		m.fixed(typeRRSIG, s.ttl, sigHead+len(m.zone.apex)+s.bytes)
		m.out = append(m.out, s.head[:]...)
		m.out = append(m.out, sigs[:sigTimes]...)
		m.out = append(m.out, s.tag[:]...)
		m.out = append(m.out, m.zone.apex...)
		m.out = append(m.out, sigs[sigTimes:sigTimes+s.bytes]...)
		sigs = sigs[sigTimes+s.bytes:]
		m.counts[authority]++
	}
	return len(m.out) <= m.limit
}

// noted says whether a record of the chain is in the message and notes that it will be.
func (m *message) noted(l link) bool {
	for _, hash := range m.links[:m.nlinks] {
		if bytes.Equal(hash, l.hash) {
			return true
		}
	}
	m.links[m.nlinks] = l.hash
	m.nlinks++
	return false
}

// fixed appends what stands between owner and RDATA.
func (m *message) fixed(rtype uint16, ttl uint32, rdlen int) {
	m.out = append(m.out, byte(rtype>>8), byte(rtype), 0, byte(classIN),
		byte(ttl>>24), byte(ttl>>16), byte(ttl>>8), byte(ttl), byte(rdlen>>8), byte(rdlen))
}

// appendHash appends a hash in lower-case base32hex: five octets make eight digits.
func appendHash(dst, hash []byte) []byte {
	for ; len(hash) >= 5; hash = hash[5:] {
		v := uint64(hash[0])<<32 | uint64(binary.BigEndian.Uint32(hash[1:]))
		dst = append(dst, base32HexDigits[v>>35&31], base32HexDigits[v>>30&31], base32HexDigits[v>>25&31], base32HexDigits[v>>20&31],
			base32HexDigits[v>>15&31], base32HexDigits[v>>10&31], base32HexDigits[v>>5&31], base32HexDigits[v&31])
	}
	return dst
}

// denyNameNSEC covers the name and the wildcard of its closest encloser (RFC 4035 section 3.1.3.2).
func (m *message) denyNameNSEC(q *question, missing int) bool {
	at, _ := m.zone.order.find(q.name[:m.apexAt])
	if !m.nsec(at) {
		return false
	}
	encloser := q.name[m.apexAt:m.apexAt]
	if missing+1 < m.apexLabel {
		encloser = q.name[q.labels[missing+1]:m.apexAt]
	}
	var b [2 + maxNameOctets]byte
	b[0], b[1] = 1, '*'
	wildcard, _ := m.zone.order.find(b[:2+copy(b[2:], encloser)])
	return bytes.Equal(at, wildcard) || m.nsec(wildcard)
}

// denyTypeNSEC shows the name's own NSEC record or, for an empty name, the one that covers it.
func (m *message) denyTypeNSEC(q *question, i int, n node) bool {
	if len(n.rrs.rrset(typeNSEC)) > 0 {
		off := m.apexAt
		if i < m.apexLabel {
			off = int(q.labels[i])
		}
		return m.set(authority, headerOctets+off, nil, n.rrs, typeNSEC)
	}
	at, _ := m.zone.order.find(q.name[q.labels[i]:m.apexAt])
	return m.nsec(at)
}

// nsec adds the NSEC record of the name at a key with its signatures.
func (m *message) nsec(key []byte) bool {
	n, ok := m.zone.names.find(key)
	if !ok {
		return true
	}
	var b [maxNameOctets]byte
	owner := append(append(b[:0], key...), m.zone.apex...)
	return m.set(authority, 0, owner, n.rrs, typeNSEC)
}
