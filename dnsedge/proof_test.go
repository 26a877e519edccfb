package dnsedge

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // RFC 5155
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

// proofChecker checks the denial records of replies as a validator does, signatures aside.
type proofChecker struct {
	t    testing.TB
	apex string
	z    *plainZone
	how  signing
}

func hashOf(name string) []byte {
	wire, err := wireName(strings.TrimSuffix(name, "."))
	if err != nil {
		panic(err)
	}
	sum := sha1.Sum(wire) //nolint:gosec // RFC 5155
	return sum[:]
}

// between says whether x lies strictly between a and b on the ring.
func between(a, x, b []byte) bool {
	if bytes.Compare(a, b) < 0 {
		return bytes.Compare(a, x) < 0 && bytes.Compare(x, b) < 0
	}
	return bytes.Compare(a, x) < 0 || bytes.Compare(x, b) < 0
}

// check checks that the authority section has what a negative answer or an insecure referral at name needs and no more.
func (c *proofChecker) check(m *dns.Msg, name string, absent bool) error {
	if c.how.nsec {
		return c.checkNSEC(m, name, absent)
	}
	var records []*dns.NSEC3
	for _, rr := range m.Ns {
		if n, ok := rr.(*dns.NSEC3); ok {
			records = append(records, n)
		}
	}
	used := map[*dns.NSEC3]bool{}
	match := func(name string) *dns.NSEC3 {
		for _, n := range records {
			if bytes.Equal(fromHash(c.t, n.Hdr.Name[:32]), hashOf(name)) {
				used[n] = true
				return n
			}
		}
		return nil
	}
	cover := func(name string) *dns.NSEC3 {
		for _, n := range records {
			if between(fromHash(c.t, n.Hdr.Name[:32]), hashOf(name), fromHash(c.t, n.NextDomain)) {
				used[n] = true
				return n
			}
		}
		return nil
	}
	if n := match(name); n != nil && !absent {
		if slices.Contains(n.TypeBitMap, dns.TypeDS) {
			return fmt.Errorf("the record at %s has DS", name)
		}
	} else {
		next, encloser := name, parentName(name)
		for match(encloser) == nil {
			if encloser == c.apex {
				return fmt.Errorf("no closest encloser of %s", name)
			}
			next, encloser = encloser, parentName(encloser)
		}
		n := cover(next)
		if n == nil {
			return fmt.Errorf("nothing covers %s", next)
		}
		if !absent && n.Flags&1 == 0 {
			return fmt.Errorf("%s is not in an opt-out span", next)
		}
		if absent && cover("*."+encloser) == nil {
			return fmt.Errorf("nothing covers the wildcard of %s", encloser)
		}
	}
	if len(used) != len(records) {
		return fmt.Errorf("%d NSEC3 records of %d are needed", len(used), len(records))
	}
	return nil
}

func (c *proofChecker) checkNSEC(m *dns.Msg, name string, absent bool) error {
	covers := func(n *dns.NSEC, name string) bool {
		owner, next := reversed(n.Hdr.Name), reversed(n.NextDomain)
		after := slices.Compare(owner, reversed(name)) < 0
		return after && (slices.Compare(reversed(name), next) < 0 || next != nil && n.NextDomain == c.apex)
	}
	var records []*dns.NSEC
	for _, rr := range m.Ns {
		if n, ok := rr.(*dns.NSEC); ok {
			records = append(records, n)
		}
	}
	find := func(ok func(n *dns.NSEC) bool) bool { return slices.ContainsFunc(records, ok) }
	switch {
	case !absent && find(func(n *dns.NSEC) bool { return n.Hdr.Name == name && !slices.Contains(n.TypeBitMap, dns.TypeDS) }):
		return nil
	case !find(func(n *dns.NSEC) bool { return covers(n, name) }):
		return fmt.Errorf("nothing covers %s", name)
	case !absent:
		return nil // an empty name
	}
	for encloser := parentName(name); ; encloser = parentName(encloser) {
		exists := slices.ContainsFunc(c.names(), func(n string) bool { return dns.IsSubDomain(encloser, n) })
		if exists {
			if !find(func(n *dns.NSEC) bool { return covers(n, "*."+encloser) }) {
				return fmt.Errorf("nothing covers the wildcard of %s", encloser)
			}
			return nil
		}
	}
}

func (c *proofChecker) names() (names []string) {
	for name := range c.z.types {
		names = append(names, name)
	}
	return names
}

// signatures checks that each set that should be signed is, and nothing else.
func (c *proofChecker) signatures(m *dns.Msg) error {
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		has := map[string]bool{}
		for _, rr := range section {
			if sig, ok := rr.(*dns.RRSIG); ok {
				has[fmt.Sprint(sig.Hdr.Name, " ", sig.TypeCovered)] = true
			}
		}
		for _, rr := range section {
			h := rr.Header()
			if h.Rrtype == dns.TypeRRSIG || h.Rrtype == dns.TypeOPT {
				continue
			}
			if want, got := c.z.signs(h.Name, h.Rrtype), has[fmt.Sprint(h.Name, " ", h.Rrtype)]; want != got {
				return fmt.Errorf("%s %s signed %t, want %t", h.Name, dns.Type(h.Rrtype), got, want)
			}
			if h.Rrtype == dns.TypeSOA && len(m.Answer) == 0 {
				for _, sig := range section {
					if s, ok := sig.(*dns.RRSIG); ok && s.TypeCovered == dns.TypeSOA && s.Hdr.Ttl != h.Ttl {
						return fmt.Errorf("the SOA has TTL %d, its signature %d", h.Ttl, s.Hdr.Ttl)
					}
				}
			}
		}
	}
	return nil
}

// without removes what DNSSEC adds.
func without(m *dns.Msg) *dns.Msg {
	out := *m
	for _, section := range []*[]dns.RR{&out.Answer, &out.Ns, &out.Extra} {
		*section = slices.DeleteFunc(slices.Clone(*section), func(rr dns.RR) bool {
			t := rr.Header().Rrtype
			return t == dns.TypeRRSIG || t == dns.TypeNSEC3 || t == dns.TypeNSEC || t == dns.TypeDS && len(out.Answer) == 0
		})
	}
	return &out
}

// TestSignedAgainstModel signs a small zone anew after each random change, applies the difference, and checks replies with DO set.
func TestSignedAgainstModel(t *testing.T) {
	label := rapid.SampledFrom([]string{"a", "b", "c", "ns1", "*", "~", "-"})
	rapid.Check(t, func(rt *rapid.T) {
		const apex = "t."
		name := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(append(rapid.SliceOfN(label, 1, 3).Draw(t, "labels"), apex), ".")
		})
		how := signing{nsec: rapid.Bool().Draw(rt, "nsec"), optOut: rapid.Bool().Draw(rt, "opt-out")}
		how.optOut = how.optOut && !how.nsec
		m := &model{apex: apex, rrs: map[string][]dns.RR{apex: apexRRs(rt, apex, 1)}}
		published := map[string]Owner{}
		var zone *Zone
		check := &proofChecker{t: t, apex: apex, how: how}
		publish := func() {
			check.z = &plainZone{apex: apex, types: map[string][]uint16{}, cuts: map[string]bool{}}
			next := map[string]Owner{}
			for _, o := range ownersOf(t, signZone(t, apex, how, m.all(check.z))) {
				next[fmt.Sprint(o.Name, o.NSEC3)] = o
			}
			var changed []Owner
			for k, o := range next {
				if !bytes.Equal(published[k].RRs, o.RRs) {
					changed = append(changed, o)
				}
			}
			for k, o := range published {
				if _, still := next[k]; !still {
					changed = append(changed, Owner{Name: o.Name, NSEC3: o.NSEC3})
				}
			}
			published = next
			var err error
			if zone == nil {
				zone = buildZone(t, "t", changed)
			} else if zone, err = zone.Apply(changed); err != nil {
				rt.Fatal(err)
			}
		}
		publish()
		serial := 1
		rt.Repeat(map[string]func(*rapid.T){
			"publish": func(rt *rapid.T) {
				serial++
				m.rrs[apex] = apexRRs(rt, apex, serial)
				for range rapid.IntRange(1, 12).Draw(rt, "owners") {
					n := name.Draw(rt, "owner")
					if strings.Contains(n, "*") {
						continue // the zone never has a wildcard
					}
					m.rrs[n] = drawOwner(rt, n, name)
				}
				publish()
			},
			"": func(rt *rapid.T) {
				qname, qtype := name.Draw(rt, "qname"), rapid.SampledFrom([]uint16{dns.TypeA, dns.TypeNS, dns.TypeDS, dns.TypeSOA}).Draw(rt, "qtype")
				q := newQuery(qname, qtype)
				q.SetEdns0(1232, true)
				got := ask(t, NewView(zone), pack(t, q), TCP)
				expect := m.expect(qname, qtype)
				if err := expect.check(without(got), TCP); err != nil {
					rt.Fatalf("%s %s: %v", qname, dns.Type(qtype), err)
				}
				if err := check.signatures(got); err != nil {
					rt.Fatalf("%s %s: %v\n%s", qname, dns.Type(qtype), err, got)
				}
				var err error
				switch {
				case got.Rcode == dns.RcodeNameError:
					err = check.check(got, qname, true)
				case got.Authoritative && len(got.Answer) == 0:
					err = check.check(got, qname, false)
				case !got.Authoritative && !slices.ContainsFunc(got.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeDS }):
					err = check.check(got, got.Ns[0].Header().Name, false)
				}
				if err != nil {
					rt.Fatalf("%s %s: %v\n%s", qname, dns.Type(qtype), err, got)
				}
			},
		})
	})
}

// all returns every record and notes what is where.
func (m *model) all(z *plainZone) (rrs []dns.RR) {
	var names []string
	for name := range m.rrs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, rr := range m.rrs[name] {
			z.types[name] = append(z.types[name], rr.Header().Rrtype)
			z.cuts[name] = z.cuts[name] || rr.Header().Rrtype == dns.TypeNS && name != m.apex
			rrs = append(rrs, rr)
		}
	}
	return rrs
}
