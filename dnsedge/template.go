package dnsedge

import "encoding/binary"

// template is a run of records that many answers have in common, ready to be copied: the SOA of negative answers, the
// proofs about the apex. Only compression pointers differ from answer to answer.
type template struct {
	octets  []byte
	records uint16
	// Offsets of pointers to the question's apex, and of pointers into the template itself, whose values are offsets in it.
	outer, inner []uint16
}

// makeTemplate runs fill on a message whose question is the apex and takes what it adds to the authority section.
func (z *Zone) makeTemplate(fill func(m *message) bool) *template {
	var trace []int
	m := message{zone: z, apexOff: headerOctets, limit: maxTCPOctets, dnssec: z.denial != unsigned, trace: &trace}
	m.out = append(make([]byte, headerOctets, maxTCPOctets), z.apex...)
	base := len(m.out)
	m.addTarget(headerOctets, len(z.apex))
	if !fill(&m) {
		return nil // longer than a message: never, for zones that can be served
	}
	t := &template{octets: append([]byte(nil), m.out[base:]...), records: m.counts[authority]}
	for _, at := range trace {
		value := int(binary.BigEndian.Uint16(m.out[at:]) & maxPointer)
		if value < base {
			t.outer = append(t.outer, uint16(at-base))
			continue
		}
		t.inner = append(t.inner, uint16(at-base))
		binary.BigEndian.PutUint16(t.octets[at-base:], uint16(value-base))
	}
	return t
}

// copied appends a template to the authority section.
func (m *message) copied(t *template) bool {
	base := len(m.out)
	if base+len(t.octets) > m.limit {
		return false
	}
	m.out = append(m.out, t.octets...)
	b := m.out[base:]
	for _, at := range t.outer { // they all point to the apex itself, the one target there was
		binary.BigEndian.PutUint16(b[at:], 0xC000|uint16(m.apexOff))
	}
	for _, at := range t.inner {
		binary.BigEndian.PutUint16(b[at:], 0xC000|binary.BigEndian.Uint16(b[at:])+uint16(base))
	}
	m.counts[authority] += t.records
	return true
}

// knownLink adds a record about the apex from its template, unless it is there.
func (m *message) knownLink(l link, t *template) bool {
	if len(l.body) == 0 || m.noted(l) {
		return true
	}
	return m.copied(t)
}
