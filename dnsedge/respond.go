package dnsedge

import "encoding/binary"

// Transport says how a query came, which decides how long the reply may be.
type Transport int

const (
	UDP Transport = iota // at most 512 octets, or what EDNS allows up to 1232
	TCP                  // at most 65535 octets
	TLS                  // as TCP, padded for clients that pad (RFC 7830)
)

const (
	minUDPOctets = 512   // RFC 1035 section 4.2.1, and the floor of RFC 6891 section 6.2.3
	maxUDPOctets = 1232  // no fragments on any usual path (DNS flag day 2020); also what our OPT announces
	maxTCPOctets = 65535 // the length prefix of RFC 1035 section 4.2.2
)

// Responder answers queries. Its zero value is ready for use; it keeps no state and is safe for concurrent use.
type Responder struct {
	identity Identity
	secrets  []CookieSecret
}

// outcome is what the counters and the defence want to know about a reply.
type outcome struct {
	rcode     uint16
	truncated bool
	edns      bool
	dnssecOK  bool
	limited   bool // by the rate limit
	cookie    bool // the client showed a cookie of ours
	question  int  // octets of the reply up to the end of the question
}

// Respond writes the reply to the query into dst[:0], growing it if need be, and returns it. An empty result means that no
// reply must be sent: the query is shorter than a header or is itself a response. The reply depends on nothing but the
// arguments, all records in it come from one serial of one zone, and it is never longer than the transport and the
// client's EDNS size allow. It does not allocate if dst has room for 2304 octets over UDP, and never panics.
func (r *Responder) Respond(dst, query []byte, view *View, from Client) []byte {
	reply, _ := r.respond(dst, query, view, &from)
	return reply
}

func (r *Responder) respond(dst, query []byte, view *View, from *Client) ([]byte, outcome) {
	if len(query) < headerOctets || query[2]&bitQR != 0 {
		return dst[:0], outcome{}
	}
	var q question
	var m message
	m.out = append(dst[:0], query[:headerOctets]...)
	m.out[2] = bitQR | query[2]&(bitOpcode|bitRD)
	m.out[3] = 0

	rcode := q.parse(query)
	m.out = append(m.out, query[headerOctets:max(headerOctets, q.end)]...)
	empty := m.mark()
	limit := maxTCPOctets
	if from.Transport == UDP {
		limit = minUDPOctets
		if q.edns {
			limit = min(max(q.udpSize, minUDPOctets), maxUDPOctets)
		}
	}
	if m.limit = limit; q.edns {
		m.limit -= optOctets + r.room(&q.options, from)
	}
	fits, ede := true, edeNone
	switch {
	case query[2]&bitOpcode != 0:
		rcode = rcodeNotImp
	case rcode != rcodeNoError:
	case q.edns && q.version != 0:
		rcode = rcodeBadVers
	case q.end == headerOctets: // only a cookie
	case q.qclass == classCH:
		rcode = m.chaos(r, &q)
	default:
		m.addQuestion(&q)
		rcode, fits, ede = m.answer(&q, view)
	}
	o := outcome{rcode: rcode, truncated: !fits, edns: q.edns, dnssecOK: q.dnssecOK, question: empty.size}
	if !fits {
		m.reset(empty)
		m.out[2] |= bitTC
	}
	if c := q.options.cookie; len(c) > clientCookieOctets && len(r.secrets) > 0 {
		o.cookie = validCookie(r.secrets, c[:clientCookieOctets], c[clientCookieOctets:], from.Addr, from.Now)
	}
	if q.edns {
		at := m.opt(rcode, q.dnssecOK)
		m.options(r, &q, from, ede, limit)
		binary.BigEndian.PutUint16(m.out[at:], uint16(len(m.out)-at-2))
	}
	m.finish(&q, rcode)
	return m.out, o
}

// finish fills in the header.
func (m *message) finish(q *question, rcode uint16) {
	m.out[3] = byte(rcode & 0x0F)
	questions := uint16(0)
	if q.end > headerOctets {
		questions = 1
	}
	binary.BigEndian.PutUint16(m.out[4:], questions)
	for i, n := range m.counts {
		binary.BigEndian.PutUint16(m.out[6+2*i:], n)
	}
}

// answer fills in the sections for a well-formed standard query. It returns the response code, whether all that must
// be in the reply fits, and an extended error.
func (m *message) answer(q *question, view *View) (rcode uint16, fits bool, ede uint16) {
	if q.qclass != classIN {
		return rcodeRefused, true, edeNotSupported
	}
	switch q.qtype {
	case typeOPT, typeNXNAME:
		return rcodeFormErr, true, edeNone
	case typeAXFR, typeIXFR:
		return rcodeRefused, true, edeNone
	case typeTKEY, typeTSIG, typeMAILB, typeMAILA:
		return rcodeNotImp, true, edeNotSupported
	}
	zone, apex := view.find(q)
	if zone == nil {
		if view == nil || len(view.zones) == 0 {
			return rcodeRefused, true, edeNotReady
		}
		return rcodeRefused, true, edeNotAuthoritative
	}
	m.enter(zone, q, apex)
	rcode, fits = m.descend(q, apex)
	return rcode, fits, edeNone
}

// descend answers from the zone.
func (m *message) descend(q *question, apex int) (uint16, bool) {
	// Walk down from the apex: the first cut on the way answers with a referral, the first missing name with NXDOMAIN,
	// since every name between an owner and the apex exists.
	n := node{rrs: m.zone.apexRRs}
	for i := apex - 1; i >= 0; i-- {
		at := int(q.labels[i])
		var ok bool
		if i == apex-1 {
			n, ok = m.lookUp(q, i)
		} else {
			n, ok = m.zone.names.find(q.name[at:m.apexAt])
		}
		if !ok {
			m.out[2] |= bitAA
			return rcodeNXDomain, m.negative() && m.denyName(q, i)
		}
		ns := n.rrs.rrset(typeNS)
		if len(ns) == 0 {
			continue
		}
		if i == 0 && q.qtype == typeDS { // RFC 4035 section 3.1.4.1: DS lives above the cut
			break
		}
		return rcodeNoError, m.referral(q, i, n, ns)
	}
	m.out[2] |= bitAA
	return rcodeNoError, m.authoritative(q, n)
}

// enter notes the zone that answers.
func (m *message) enter(zone *Zone, q *question, apex int) {
	m.zone, m.apexLabel, m.apexAt = zone, apex, q.nameLen-1
	if apex < q.nlabels {
		m.apexAt = int(q.labels[apex])
	}
	m.apexOff = headerOctets + m.apexAt
	m.dnssec = q.dnssecOK && zone.denial != unsigned
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
func (m *message) authoritative(q *question, n node) bool {
	rtype := q.qtype
	switch {
	case rtype == typeANY && len(n.rrs) > 0: // RFC 8482 section 4.1: one set is enough
		rtype, _, _, _ = n.rrs.next()
	case rtype == typeRRSIG: // and so are the signatures of one
		return m.someSignatures(q, n)
	case len(n.rrs.rrset(rtype)) == 0 && len(n.rrs.rrset(typeCNAME)) > 0:
		rtype = typeCNAME
	}
	rrs := n.rrs.rrset(rtype)
	if len(rrs) == 0 || rtype == typeRRSIG {
		return m.negative() && m.denyType(q, 0, n)
	}
	if !m.set(answer, headerOctets, nil, n.rrs, rtype) {
		return false
	}
	if q.qtype == typeNS {
		m.glue(rrs, nil)
	}
	return true
}

// someSignatures answers with the signatures of the name's first signed set.
func (m *message) someSignatures(q *question, n node) bool {
	sigs := n.rrs.signatures()
	if len(sigs) == 0 || m.zone.denial == unsigned {
		return m.negative() && m.denyType(q, 0, n)
	}
	_, _, first, _ := sigs.next()
	m.dnssec = true
	return m.sigs(answer, headerOctets, nil, sigs, binary.BigEndian.Uint16(first), ^uint32(0))
}

// negative puts the SOA into the authority section (RFC 2308 section 3).
func (m *message) negative() bool {
	if m.dnssec {
		return m.copied(m.zone.signedSOA)
	}
	return m.copied(m.zone.plainSOA)
}

// fillSOA is what templates of negative answers are made of.
func (m *message) fillSOA() bool {
	_, _, rdata, _ := m.zone.soa.next()
	return m.record(authority, m.apexOff, nil, typeSOA, m.zone.negTTL, rdata) &&
		m.sigs(authority, m.apexOff, nil, m.zone.soaSigs, typeSOA, m.zone.negTTL)
}

// referral points to the servers of the cut at an offset of the question's name. Addresses of servers at or below the
// cut must be there, or the reply is truncated (RFC 9471 section 3); others of this zone come along if they fit.
func (m *message) referral(q *question, i int, n node, ns records) bool {
	at := int(q.labels[i])
	cut := q.name[at:q.nameLen]
	if !m.rrset(authority, headerOctets+at, nil, ns) || !m.security(q, i, n) {
		return false
	}
	siblings := false
	for rest := ns; len(rest) > 0; {
		var target []byte
		_, _, target, rest = rest.next()
		if _, inZone := below(target, m.zone.apex); !inZone {
			continue
		}
		if _, inDomain := below(target, cut); !inDomain {
			siblings = true
		} else if !m.addresses(target) {
			return false
		}
	}
	if siblings {
		m.glue(ns, cut)
	}
	return true
}

// security tells a validator whether the zone below a cut is signed: by its DS or by the proof that there is none.
func (m *message) security(q *question, i int, n node) bool {
	switch {
	case !m.dnssec:
		return true
	case len(n.rrs.rrset(typeDS)) > 0:
		return m.set(authority, headerOctets+int(q.labels[i]), nil, n.rrs, typeDS)
	default:
		return m.denyType(q, i, n)
	}
}

// glue adds the addresses of servers in this zone as far as they fit, but for those at or below the cut.
func (m *message) glue(ns records, cut []byte) {
	for len(ns) > 0 {
		var target []byte
		_, _, target, ns = ns.next()
		if cut != nil {
			if _, inDomain := below(target, cut); inDomain {
				continue
			}
		}
		before := m.mark()
		if m.addresses(target) {
			continue
		}
		m.reset(before)
		if m.dnssec { // RFC 4035 section 3.1.1: the signatures go first
			m.dnssec = false
			if !m.addresses(target) {
				m.reset(before)
			}
			m.dnssec = true
		}
	}
}

// addresses adds the A and AAAA records of a server, if it lies in this zone. It returns false if they do not fit.
func (m *message) addresses(host []byte) bool {
	size, inZone := below(host, m.zone.apex)
	if !inZone {
		return true
	}
	n, ok := m.zone.names.find(host[:size])
	return !ok || m.set(additional, 0, host, n.rrs, typeA) && m.set(additional, 0, host, n.rrs, typeAAAA)
}
