package dnsedge

import "encoding/binary"

// Transport says how a query came, which decides how long the reply may be.
type Transport int

const (
	UDP Transport = iota // at most 512 octets, or what EDNS allows up to 1232
	TCP                  // at most 65535 octets
)

const (
	minUDPOctets = 512   // RFC 1035 section 4.2.1, and the floor of RFC 6891 section 6.2.3
	maxUDPOctets = 1232  // no fragments on any usual path (DNS flag day 2020); also what our OPT announces
	maxTCPOctets = 65535 // the length prefix of RFC 1035 section 4.2.2
)

// Responder answers queries. Its zero value is ready for use; it keeps no state and is safe for concurrent use.
type Responder struct{}

// outcome is what the counters want to know about a reply.
type outcome struct {
	rcode     uint16
	truncated bool
}

// Respond writes the reply to the query into dst[:0], growing it if need be, and returns it. An empty result means that no
// reply must be sent: the query is shorter than a header or is itself a response. The reply depends on nothing but the
// arguments, all records in it come from one serial of one zone, and it is never longer than the transport and the
// client's EDNS size allow. It does not allocate if dst has room for 2304 octets over UDP, and never panics.
func (r *Responder) Respond(dst, query []byte, view *View, t Transport) []byte {
	reply, _ := r.respond(dst, query, view, t)
	return reply
}

func (r *Responder) respond(dst, query []byte, view *View, t Transport) ([]byte, outcome) {
	if len(query) < headerOctets || query[2]&bitQR != 0 {
		return dst[:0], outcome{}
	}
	var q question
	var m message
	m.out = append(dst[:0], query[:headerOctets]...)
	m.out[2] = bitQR | query[2]&(bitOpcode|bitRD)
	m.out[3] = 0
	m.limit = maxTCPOctets - optOctets

	rcode := q.parse(query)
	m.out = append(m.out, query[headerOctets:max(headerOctets, q.end)]...)
	empty := m.mark()
	if t == UDP {
		m.limit = minUDPOctets
		if q.edns {
			m.limit = min(max(q.udpSize, minUDPOctets), maxUDPOctets) - optOctets
		}
	}
	fits := true
	switch {
	case query[2]&bitOpcode != 0:
		rcode = rcodeNotImp
	case rcode != rcodeNoError:
	case q.edns && q.version != 0:
		rcode = rcodeBadVers
	default:
		m.addQuestion(&q)
		rcode, fits = m.answer(&q, view)
	}
	if !fits {
		m.reset(empty)
		m.out[2] |= bitTC
	}
	m.finish(&q, rcode)
	return m.out, outcome{rcode, !fits}
}

// finish appends the OPT and fills in the header.
func (m *message) finish(q *question, rcode uint16) {
	if q.edns {
		m.opt(rcode, q.dnssecOK)
	}
	m.out[3] = byte(rcode & 0x0F)
	questions := uint16(0)
	if q.end > 0 {
		questions = 1
	}
	binary.BigEndian.PutUint16(m.out[4:], questions)
	for i, n := range m.counts {
		binary.BigEndian.PutUint16(m.out[6+2*i:], n)
	}
}

// answer fills in the sections for a well-formed standard query. It returns the response code and whether all that must
// be in the reply fits.
func (m *message) answer(q *question, view *View) (uint16, bool) {
	if q.qclass != classIN {
		return rcodeRefused, true
	}
	switch q.qtype {
	case typeOPT, typeNXNAME:
		return rcodeFormErr, true
	case typeAXFR, typeIXFR:
		return rcodeRefused, true
	case typeTKEY, typeTSIG, typeMAILB, typeMAILA:
		return rcodeNotImp, true
	}
	zone, apex := view.find(q)
	if zone == nil {
		return rcodeRefused, true
	}
	// Walk down from the apex: the first cut on the way answers with a referral, the first missing name with NXDOMAIN,
	// since every name between an owner and the apex exists.
	apexAt := q.nameLen - 1
	if apex < q.nlabels {
		apexAt = int(q.labels[apex])
	}
	n, _ := zone.names.find(nil)
	for i := apex - 1; i >= 0; i-- {
		at := int(q.labels[i])
		var ok bool
		if n, ok = zone.names.find(q.name[at:apexAt]); !ok {
			m.out[2] |= bitAA
			return rcodeNXDomain, m.negative(zone, apexAt)
		}
		ns := n.rrs.rrset(typeNS)
		if len(ns) == 0 {
			continue
		}
		if i == 0 && q.qtype == typeDS { // RFC 4035 section 3.1.4.1: DS lives above the cut
			break
		}
		return rcodeNoError, m.referral(zone, q, at, ns)
	}
	m.out[2] |= bitAA
	return rcodeNoError, m.authoritative(zone, q, n, apexAt)
}

// find chooses the zone of the longest apex at or above the question's name, and the index of the apex' first label. A
// DS question about an apex goes to the zone above if that is served too.
func (v *View) find(q *question) (*Zone, int) {
	if v == nil {
		return nil, 0
	}
	var zone *Zone
	var apex int
	for labels := min(v.maxLabels, q.nlabels); labels >= v.minLabels && labels > 0; labels-- {
		i := q.nlabels - labels
		z := v.zones[string(q.name[q.labels[i]:q.nameLen])]
		if z == nil {
			continue
		}
		if zone == nil {
			zone, apex = z, i
			if i > 0 || q.qtype != typeDS {
				break
			}
			continue
		}
		return z, i
	}
	return zone, apex
}

// authoritative answers from the records at the question's name itself.
func (m *message) authoritative(zone *Zone, q *question, n node, apexAt int) bool {
	rrs := n.rrs.rrset(q.qtype)
	switch {
	case len(rrs) > 0:
	case q.qtype == typeANY && len(n.rrs) > 0: // RFC 8482 section 4.1: one set is enough
		first, _, _, _ := n.rrs.next()
		rrs = n.rrs.rrset(first)
	default:
		rrs = n.rrs.rrset(typeCNAME)
	}
	if len(rrs) == 0 {
		return m.negative(zone, apexAt)
	}
	if !m.rrset(answer, headerOctets, nil, rrs) {
		return false
	}
	if q.qtype == typeNS {
		m.glue(zone, rrs, nil)
	}
	return true
}

// negative puts the SOA into the authority section (RFC 2308 section 3).
func (m *message) negative(zone *Zone, apexAt int) bool {
	_, _, rdata, _ := zone.soa.next()
	return m.record(authority, headerOctets+apexAt, nil, typeSOA, zone.negTTL, rdata)
}

// referral points to the servers of the cut at an offset of the question's name. Addresses of servers at or below the
// cut must be there, or the reply is truncated (RFC 9471 section 3); others of this zone come along if they fit.
func (m *message) referral(zone *Zone, q *question, at int, ns records) bool {
	cut := q.name[at:q.nameLen]
	if !m.rrset(authority, headerOctets+at, nil, ns) {
		return false
	}
	for rest := ns; len(rest) > 0; {
		var target []byte
		_, _, target, rest = rest.next()
		if _, inDomain := below(target, cut); inDomain && !m.addresses(zone, target) {
			return false
		}
	}
	m.glue(zone, ns, cut)
	return true
}

// glue adds the addresses of servers in this zone as far as they fit, but for those at or below the cut.
func (m *message) glue(zone *Zone, ns records, cut []byte) {
	for len(ns) > 0 {
		var target []byte
		_, _, target, ns = ns.next()
		if cut != nil {
			if _, inDomain := below(target, cut); inDomain {
				continue
			}
		}
		before := m.mark()
		if !m.addresses(zone, target) {
			m.reset(before)
		}
	}
}

// addresses adds the A and AAAA records of a server, if it lies in this zone. It returns false if they do not fit.
func (m *message) addresses(zone *Zone, host []byte) bool {
	size, inZone := below(host, zone.apex)
	if !inZone {
		return true
	}
	n, ok := zone.names.find(host[:size])
	return !ok || m.rrset(additional, 0, host, n.rrs.rrset(typeA)) && m.rrset(additional, 0, host, n.rrs.rrset(typeAAAA))
}
