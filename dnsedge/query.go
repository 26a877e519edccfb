package dnsedge

import "encoding/binary"

const (
	headerOctets = 12
	maxExtras    = 2 // additional records of a query: OPT and TSIG; nothing else is meaningful
)

// Header bits of octets 2 and 3 (RFC 1035 section 4.1.1).
const (
	bitQR, bitOpcode, bitAA, bitTC, bitRD = 0x80, 0x78, 0x04, 0x02, 0x01
)

// Response codes, IANA registry. A code above 15 needs an OPT record.
const (
	rcodeNoError  uint16 = 0
	rcodeFormErr  uint16 = 1
	rcodeNXDomain uint16 = 3
	rcodeNotImp   uint16 = 4
	rcodeRefused  uint16 = 5
	rcodeBadVers  uint16 = 16
)

// question is what the parser finds in a query.
type question struct {
	name     [maxNameOctets]byte // lower-case wire name
	nameLen  int                 // with root octet
	labels   [maxLabels]uint8    // offset of each label in name
	nlabels  int
	qtype    uint16
	qclass   uint16
	end      int // offset in the query after the question; 0 if it could not be read
	edns     bool
	version  byte
	dnssecOK bool
	udpSize  int
	options  options
}

// parse reads question and additional section. It returns rcodeFormErr for what breaks RFC 1035 or 6891, and fills in as much
// as it could read by then. The query has at least headerOctets.
func (q *question) parse(query []byte) uint16 {
	switch binary.BigEndian.Uint16(query[4:]) {
	case 0: // only for a cookie (RFC 7873 section 5.4)
		q.end = headerOctets
	case 1: // RFC 9619
		if !q.parseQuestion(query) {
			return rcodeFormErr
		}
	default:
		return rcodeFormErr
	}
	answers, authority := binary.BigEndian.Uint16(query[6:]), binary.BigEndian.Uint16(query[8:])
	extras := binary.BigEndian.Uint16(query[10:])
	// An IXFR query carries the client's SOA (RFC 1995 section 3).
	ixfrSOA := authority == 1 && q.qtype == typeIXFR
	if answers != 0 || authority != 0 && !ixfrSOA || extras > maxExtras {
		return rcodeFormErr
	}
	off := q.end
	for i := range int(authority + extras) {
		var ok bool
		if off, ok = q.parseRecord(query, off, i >= int(authority)); !ok {
			return rcodeFormErr
		}
	}
	if off != len(query) || q.end == headerOctets && q.options.cookie == nil { // octets that belong to no section, or nothing asked
		return rcodeFormErr
	}
	return rcodeNoError
}

// parseQuestion reads the first question. Its name is the first of the message, so a compression pointer has nothing to point at.
func (q *question) parseQuestion(query []byte) bool {
	off := headerOctets
	for {
		if off >= len(query) {
			return false
		}
		c := int(query[off])
		at := off - headerOctets
		if c == 0 {
			q.nameLen = at + 1
			break
		}
		// The root octet must still fit into 255.
		if c > maxLabelOctets || at+1+c >= maxNameOctets || off+1+c >= len(query) {
			return false
		}
		q.labels[q.nlabels] = uint8(at)
		q.nlabels++
		q.name[at] = byte(c)
		for i := 1; i <= c; i++ {
			q.name[at+i] = lower(query[off+i])
		}
		off += 1 + c
	}
	off++
	if len(query)-off < 4 {
		return false
	}
	q.qtype, q.qclass = binary.BigEndian.Uint16(query[off:]), binary.BigEndian.Uint16(query[off+2:])
	q.end = off + 4
	return true
}

// parseRecord steps over one record after the question and takes note of an OPT in the additional section.
func (q *question) parseRecord(query []byte, off int, additional bool) (int, bool) {
	start := off
	off, ok := skipName(query, off)
	if !ok || len(query)-off < wireRecHead {
		return 0, false
	}
	rtype, class := binary.BigEndian.Uint16(query[off:]), binary.BigEndian.Uint16(query[off+2:])
	ttl := binary.BigEndian.Uint32(query[off+4:])
	rdlen := int(binary.BigEndian.Uint16(query[off+8:]))
	off += wireRecHead
	if len(query)-off < rdlen {
		return 0, false
	}
	if rtype == typeOPT {
		if !additional || q.edns || query[start] != 0 { // RFC 6891 section 6.1.1: one OPT, owned by the root
			return 0, false
		}
		q.edns = true
		q.udpSize = int(class)
		q.version = byte(ttl >> 16)
		q.dnssecOK = ttl&(1<<15) != 0
		if q.version == 0 && !q.options.parse(query[off:off+rdlen]) {
			return 0, false
		}
	}
	return off + rdlen, true
}

// skipName steps over a possibly compressed name.
func skipName(msg []byte, off int) (int, bool) {
	for off < len(msg) {
		c := int(msg[off])
		switch {
		case c == 0:
			return off + 1, true
		case c >= 0xC0:
			return off + 2, off+2 <= len(msg)
		case c > maxLabelOctets:
			return 0, false
		}
		off += 1 + c
	}
	return 0, false
}
