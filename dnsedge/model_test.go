package dnsedge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

// model is the slow reference: a plain list of records and the rules of RFC 1034 section 4.3.2 read off one by one.
type model struct {
	apex string // with trailing dot
	rrs  map[string][]dns.RR
}

func (m *model) set(name string, qtype uint16) (out []string) {
	for _, rr := range m.rrs[name] {
		if rr.Header().Rrtype == qtype {
			out = append(out, lines([]dns.RR{rr}))
		}
	}
	slices.Sort(out)
	return out
}

// exists reports whether the name or one below it has records.
func (m *model) exists(name string) bool {
	for n, rrs := range m.rrs {
		if len(rrs) > 0 && dns.IsSubDomain(name, n) {
			return true
		}
	}
	return false
}

func (m *model) soa() []string {
	for _, rr := range m.rrs[m.apex] {
		if soa, ok := rr.(*dns.SOA); ok {
			neg := *soa
			neg.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
			return []string{lines([]dns.RR{&neg})}
		}
	}
	return nil
}

// expected is what a reply must and may hold.
type expected struct {
	rcode             int
	aa                bool
	answer, authority []string
	required, allowed []string // additional
}

func (m *model) addresses(server string) []string {
	return append(m.set(server, dns.TypeA), m.set(server, dns.TypeAAAA)...)
}

func (m *model) expect(qname string, qtype uint16) expected {
	if !dns.IsSubDomain(m.apex, qname) {
		return expected{rcode: dns.RcodeRefused}
	}
	labels := dns.SplitDomainName(qname)
	top := len(labels) - dns.CountLabel(m.apex)
	for i := top - 1; i >= 0; i-- {
		cut := strings.Join(labels[i:], ".") + "."
		ns := m.set(cut, dns.TypeNS)
		if len(ns) == 0 || i == 0 && qtype == dns.TypeDS {
			continue
		}
		e := expected{authority: ns}
		for _, rr := range m.rrs[cut] {
			if rr, ok := rr.(*dns.NS); ok {
				e.allowed = append(e.allowed, m.addresses(rr.Ns)...)
				if dns.IsSubDomain(cut, rr.Ns) {
					e.required = append(e.required, m.addresses(rr.Ns)...)
				}
			}
		}
		return e
	}
	if !m.exists(qname) {
		return expected{rcode: dns.RcodeNameError, aa: true, authority: m.soa()}
	}
	e := expected{aa: true, answer: m.set(qname, qtype)}
	if len(e.answer) == 0 {
		e.authority = m.soa()
	}
	if qtype == dns.TypeNS {
		for _, rr := range m.rrs[qname] {
			if rr, ok := rr.(*dns.NS); ok {
				e.allowed = append(e.allowed, m.addresses(rr.Ns)...)
			}
		}
	}
	return e
}

func sortedLines(rrs []dns.RR) []string {
	if s := lines(rrs); s != "" {
		out := strings.Split(s, "\n")
		slices.Sort(out)
		return out
	}
	return nil
}

func (e expected) check(got *dns.Msg, tr Transport) error {
	if got.Truncated {
		if tr == UDP && len(e.required) > 0 && len(got.Answer)+len(got.Ns) == 0 {
			return nil
		}
		return fmt.Errorf("truncated without need")
	}
	if got.Rcode != e.rcode || got.Authoritative != e.aa {
		return fmt.Errorf("rcode %d AA %t, want %d %t", got.Rcode, got.Authoritative, e.rcode, e.aa)
	}
	if a := sortedLines(got.Answer); !slices.Equal(a, e.answer) {
		return fmt.Errorf("answer %q, want %q", a, e.answer)
	}
	if a := sortedLines(got.Ns); !slices.Equal(a, e.authority) {
		return fmt.Errorf("authority %q, want %q", a, e.authority)
	}
	extra := sortedLines(got.Extra)
	if tr == TCP {
		e.required = e.allowed // everything fits
	}
	for _, rr := range e.required {
		if !slices.Contains(extra, rr) {
			return fmt.Errorf("additional %q lacks %q", extra, rr)
		}
	}
	for _, rr := range extra {
		if !slices.Contains(e.allowed, rr) {
			return fmt.Errorf("additional has %q", rr)
		}
	}
	if len(slices.Compact(extra)) != len(extra) {
		return fmt.Errorf("additional %q repeats records", extra)
	}
	return nil
}

// TestRespondAgainstModel changes a small zone at random and compares every answer with the model's.
func TestRespondAgainstModel(t *testing.T) {
	label := rapid.SampledFrom([]string{"a", "b", "c", "ns1", "a-rather-long-label-to-fill-up-the-reply-with-octets"})
	rapid.Check(t, func(rt *rapid.T) {
		apex := rapid.SampledFrom([]string{"t.", "t.u."}).Draw(rt, "apex")
		name := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(append(rapid.SliceOfN(label, 1, 3).Draw(t, "labels"), apex), ".")
		})
		m := &model{apex: apex, rrs: map[string][]dns.RR{}}
		serial := 1
		m.rrs[apex] = apexRRs(rt, apex, serial)
		zone := buildZone(t, strings.TrimSuffix(apex, "."), packOwners(t, m.rrs[apex]))
		rt.Repeat(map[string]func(*rapid.T){
			"publish": func(rt *rapid.T) {
				serial++
				changed := map[string][]dns.RR{apex: apexRRs(rt, apex, serial)}
				for range rapid.IntRange(1, 12).Draw(rt, "owners") {
					n := name.Draw(rt, "owner")
					changed[n] = drawOwner(rt, n, name)
				}
				var owners []Owner
				for n, rrs := range changed {
					owner := Owner{Name: strings.TrimSuffix(n, ".")}
					for _, rr := range rrs {
						owner.RRs = append(owner.RRs, packRR(t, rr)...)
					}
					owners = append(owners, owner)
					m.rrs[n] = rrs
				}
				next, err := zone.Apply(owners)
				if err != nil {
					rt.Fatal(err)
				}
				zone = next
				if zone.Serial() != uint32(serial) {
					rt.Fatalf("serial %d, want %d", zone.Serial(), serial)
				}
			},
			"": func(rt *rapid.T) {
				qname := name.Draw(rt, "qname")
				if rapid.IntRange(0, 9).Draw(rt, "special") == 0 {
					qname = rapid.SampledFrom([]string{apex, ".", "x" + apex, "u."}).Draw(rt, "special name")
				}
				qtype := rapid.SampledFrom([]uint16{dns.TypeA, dns.TypeNS, dns.TypeDS, dns.TypeAAAA, dns.TypeSOA, dns.TypeTXT}).Draw(rt, "qtype")
				for _, tr := range []Transport{UDP, TCP} {
					got := ask(t, NewView(zone), pack(t, newQuery(qname, qtype)), tr)
					if err := m.expect(qname, qtype).check(got, tr); err != nil {
						rt.Fatalf("%s %s: %v", qname, dns.TypeToString[qtype], err)
					}
				}
			},
		})
	})
}

func mustRR(rt *rapid.T, text string) dns.RR {
	rr, err := dns.NewRR(text)
	if err != nil {
		rt.Fatal(err)
	}
	return rr
}

func apexRRs(rt *rapid.T, apex string, serial int) []dns.RR {
	return []dns.RR{
		mustRR(rt, fmt.Sprintf("%s 600 IN SOA ns1.%s h.%s %d 1 1 1 %d", apex, apex, apex, serial, 300+600*(serial%2))),
		mustRR(rt, fmt.Sprintf("%s 600 IN NS ns1.%s", apex, apex)),
		mustRR(rt, apex+" 600 IN NS ns.foreign."),
	}
}

// drawOwner draws a delegation, a host, or nothing.
func drawOwner(rt *rapid.T, owner string, name *rapid.Generator[string]) []dns.RR {
	var out []dns.RR
	kind := rapid.IntRange(0, 3).Draw(rt, "kind")
	if kind == 1 || kind == 3 {
		for _, server := range rapid.SliceOfNDistinct(name, 1, 5, rapid.ID[string]).Draw(rt, "servers") {
			out = append(out, mustRR(rt, owner+" 60 IN NS "+server))
		}
		if rapid.Bool().Draw(rt, "signed") {
			out = append(out, mustRR(rt, owner+" 60 IN DS 1 13 2 "+strings.Repeat("ab", 32)))
		}
	}
	if kind >= 2 {
		out = append(out, mustRR(rt, owner+" 60 IN A 192.0.2."+fmt.Sprint(rapid.IntRange(1, 254).Draw(rt, "v4"))))
		if rapid.Bool().Draw(rt, "dual") {
			out = append(out, mustRR(rt, owner+" 60 IN AAAA 2001:db8::1"))
		}
	}
	return out
}
