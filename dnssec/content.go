package dnssec

import (
	"fmt"
	"time"

	"github.com/miekg/dns"

	"cadastre/registry"
	"cadastre/zone"
)

// set is the records of one type at an owner, with their signatures.
type set struct {
	rrtype uint16
	rrs    []dns.RR
	packed []byte // the records as they are published
	sigs   []*dns.RRSIG
}

// node is an owner name: in the zone proper, or of the NSEC3 chain.
type node struct {
	owner registry.DomainName
	key   []byte // of an NSEC3 record, its hash
	sets  []*set
	// glue says that nothing here is authoritative, cut that only DS and the denial record are.
	glue, cut bool
	unchain   bool   // its NSEC record goes
	before    []byte // what is published
}

func (n *node) set(rrtype uint16) *set {
	for _, s := range n.sets {
		if s.rrtype == rrtype {
			return s
		}
	}
	return nil
}

func (n *node) records() []dns.RR {
	var rrs []dns.RR
	for _, s := range n.sets {
		rrs = append(rrs, s.rrs...)
	}
	return rrs
}

// put replaces the records of one type and keeps their signatures if they stay the same.
func (n *node) put(rrtype uint16, rrs []dns.RR) error {
	packed, err := zone.Pack(rrs)
	if err != nil {
		return err
	}
	s := n.set(rrtype)
	if s == nil {
		s = &set{rrtype: rrtype}
		n.sets = append(n.sets, s)
	}
	if string(s.packed) != string(packed) {
		s.sigs = nil
	}
	s.rrs, s.packed = rrs, packed
	return nil
}

func (n *node) drop(rrtype uint16) {
	for i, s := range n.sets {
		if s.rrtype == rrtype {
			n.sets = append(n.sets[:i], n.sets[i+1:]...)
			return
		}
	}
}

// isSigned says whether the set is the zone's own word and so is signed (RFC 4035 section 2.2).
func (n *node) isSigned(s *set) bool {
	switch {
	case n.glue:
		return false
	case n.cut:
		return s.rrtype == dns.TypeDS || s.rrtype == dns.TypeNSEC
	default:
		return true
	}
}

// pack returns the node as it is to be published: its sets, then their signatures.
func (n *node) pack() ([]byte, error) {
	var out []byte
	var sigs []dns.RR
	for _, s := range n.sets {
		out = append(out, s.packed...)
		for _, sig := range s.sigs {
			sigs = append(sigs, sig)
		}
	}
	if len(sigs) == 0 {
		return out, nil
	}
	packed, err := zone.Pack(sigs)
	return append(out, packed...), err
}

// firstExpiry returns when the first signature of the node ends; zero if it has none.
func (n *node) firstExpiry() time.Time {
	var first time.Time
	for _, s := range n.sets {
		for _, sig := range s.sigs {
			if end := sigTime(sig.Expiration); first.IsZero() || end.Before(first) {
				first = end
			}
		}
	}
	return first
}

// sigTime converts a time of an RRSIG; serial arithmetic of RFC 1982 begins to matter in 2106.
func sigTime(seconds uint32) time.Time { return time.Unix(int64(seconds), 0).UTC() }

// parseNode makes a node of what is published at owner.
func parseNode(owner registry.DomainName, published []byte) (*node, error) {
	n := &node{owner: owner, before: published}
	rrs, err := zone.Unpack(published)
	if err != nil {
		return nil, fmt.Errorf("published records at %s: %w", owner, err)
	}
	var sigs []*dns.RRSIG
	content := rrs[:0]
	for _, rr := range rrs {
		if sig, ok := rr.(*dns.RRSIG); ok {
			sigs = append(sigs, sig)
			continue
		}
		content = append(content, rr)
	}
	for _, group := range byType(content) {
		if err := n.put(group[0].Header().Rrtype, group); err != nil {
			return nil, err
		}
	}
	for _, sig := range sigs {
		if s := n.set(sig.TypeCovered); s != nil {
			s.sigs = append(s.sigs, sig)
		}
	}
	return n, nil
}

// MaySign says whether published records of an owner, not the apex, may have or want signatures or a place in the
// denial chain. It is quick and errs towards yes, but for name servers of the TLD, which look like glue.
func MaySign(rrs []byte, unsigned, optOut bool) bool {
	records, err := parseWire(rrs)
	if err != nil {
		return true
	}
	for i := range records {
		switch records[i].rrtype {
		case wireA, wireAAAA:
		case wireNS:
			if !unsigned && !optOut {
				return true
			}
		case wireDS:
			if !unsigned {
				return true
			}
		default:
			return true
		}
	}
	return false
}
