package dnsedge

import (
	"context"
	"fmt"

	"github.com/miekg/dns"
)

// transferOctets is the uncompressed size at which a message of a transfer is sent: large enough that heads do not
// matter, small enough that a signature still fits and compression reaches most names.
const transferOctets = 32 << 10

// recordStream packs the records of a transfer into messages (RFC 5936 section 2.2).
type recordStream struct {
	ctx      context.Context
	request  *dns.Msg
	session  *tsigSession
	send     func([]byte) error
	batch    []dns.RR
	size     int
	messages int
	octets   int
	records  int
}

// add takes one record of a zone.
func (s *recordStream) add(rr []byte) error {
	parsed, _, err := dns.UnpackRR(rr, 0)
	if err != nil {
		return fmt.Errorf("unpack a published record: %w", err)
	}
	if s.size+len(rr) > transferOctets && len(s.batch) > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.batch = append(s.batch, parsed)
	s.size += len(rr)
	s.records++
	return nil
}

// addAll takes the records of one owner.
func (s *recordStream) addAll(rrs []byte, wanted func(rr []byte) bool) error {
	for len(rrs) > 0 {
		rr, rest := splitRecord(rrs)
		if rrs = rest; !wanted(rr) {
			continue
		}
		if err := s.add(rr); err != nil {
			return err
		}
	}
	return nil
}

// message returns the reply that holds the records gathered so far.
func (s *recordStream) message() *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(s.request)
	m.Authoritative, m.Compress, m.Answer = true, true, s.batch
	if s.messages > 0 {
		m.Question = nil
	} else {
		addOPT(m, s.request)
	}
	return m
}

func (s *recordStream) flush() error {
	if err := s.ctx.Err(); err != nil {
		return fmt.Errorf("the transfer was cut off: %w", err)
	}
	out, err := s.session.pack(s.message())
	if err != nil {
		return fmt.Errorf("pack message %d of a transfer: %w", s.messages+1, err)
	}
	if err := s.send(out); err != nil {
		return err
	}
	s.messages++
	s.octets += len(out)
	s.batch, s.size = s.batch[:0], 0
	return nil
}

// wholeZone sends a zone as AXFR does: the SOA first and last, everything else between.
func (s *recordStream) wholeZone(z Snapshot) error {
	soa := soaOf(z.Apex())
	if err := s.add(soa); err != nil {
		return err
	}
	notSOA := func(rr []byte) bool { return recordType(rr) != typeSOA }
	if err := z.EachOwner(func(rrs []byte) error { return s.addAll(rrs, notSOA) }); err != nil {
		return err
	}
	if err := s.add(soa); err != nil {
		return err
	}
	return s.flush()
}

// difference sends one difference sequence (RFC 1995 section 4).
func (s *recordStream) difference(z Snapshot, d *diff) error {
	soa := soaOf(z.Apex())
	for _, rr := range [][]byte{soa, d.oldSOA} {
		if err := s.add(rr); err != nil {
			return err
		}
	}
	if err := d.removed(s.add); err != nil {
		return err
	}
	if err := s.add(soa); err != nil {
		return err
	}
	if err := d.added(s.add); err != nil {
		return err
	}
	if err := s.add(soa); err != nil {
		return err
	}
	return s.flush()
}

// soaOnly says what the serial is: that nothing has changed, or, over UDP, that the answer needs TCP.
func (s *recordStream) soaOnly(z Snapshot) error {
	if err := s.add(soaOf(z.Apex())); err != nil {
		return err
	}
	return s.flush()
}
