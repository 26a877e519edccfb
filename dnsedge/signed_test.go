package dnsedge

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

const signedZoneText = exampleZone + "insecure.deep.e.example. 60 IN NS ns.hoster.net.\n"

func signedView(t testing.TB, how signing) *View {
	t.Helper()
	return NewView(buildZone(t, "example", ownersOf(t, signZone(t, "example.", how, parseRRs(t, signedZoneText)))))
}

// kinds lists the record types of a section: "NS NS DS RRSIG(DS)".
func kinds(rrs []dns.RR) string {
	var out []string
	for _, rr := range rrs {
		switch rr := rr.(type) {
		case *dns.RRSIG:
			out = append(out, "RRSIG("+dns.Type(rr.TypeCovered).String()+")")
		case *dns.OPT:
		default:
			out = append(out, dns.Type(rr.Header().Rrtype).String())
		}
	}
	return strings.Join(out, " ")
}

func TestSignedAnswers(t *testing.T) {
	const soa, three = "SOA RRSIG(SOA)", " NSEC3 RRSIG(NSEC3)"
	for _, tt := range []struct {
		name  string
		how   signing
		qname string
		qtype uint16
		rcode int
		want  string // answer | authority | additional
	}{
		{"SOA", signing{}, "example", dns.TypeSOA, 0, "SOA RRSIG(SOA) | | "},
		{"DNSKEY", signing{}, "example", dns.TypeDNSKEY, 0, "DNSKEY DNSKEY RRSIG(DNSKEY) | | "},
		{"apex NS with addresses", signing{}, "example", dns.TypeNS, 0, "NS NS RRSIG(NS) | | A RRSIG(A) AAAA RRSIG(AAAA)"},
		{"CNAME", signing{}, "alias.nic.example", dns.TypeA, 0, "CNAME RRSIG(CNAME) | | "},
		{"secure referral", signing{}, "www.signed.example", dns.TypeA, 0, " | NS DS RRSIG(DS) | "},
		{"insecure referral", signing{}, "www.b.example", dns.TypeA, 0, " | NS NS" + three + " | A AAAA"},
		{"insecure referral, opt-out", signing{optOut: true}, "www.b.example", dns.TypeA, 0, " | NS NS" + three + " | A AAAA"},
		{"insecure referral, NSEC", signing{nsec: true}, "www.b.example", dns.TypeA, 0, " | NS NS NSEC RRSIG(NSEC) | A AAAA"},
		{"DS", signing{}, "signed.example", dns.TypeDS, 0, "DS RRSIG(DS) | | "},
		{"no DS", signing{}, "b.example", dns.TypeDS, 0, " | " + soa + three + " | "},
		{"no DS, opt-out", signing{optOut: true}, "b.example", dns.TypeDS, 0, " | " + soa + three + " | "},
		{"no DS of the apex", signing{}, "example", dns.TypeDS, 0, " | " + soa + three + " | "},
		{"DS below a cut", signing{}, "x.signed.example", dns.TypeDS, 0, " | NS DS RRSIG(DS) | "},
		{"NODATA", signing{}, "a.nic.example", dns.TypeMX, 0, " | " + soa + three + " | "},
		{"empty non-terminal", signing{}, "nic.example", dns.TypeA, 0, " | " + soa + three + " | "},
		{"empty non-terminal, NSEC", signing{nsec: true}, "nic.example", dns.TypeA, 0, " | " + soa + " NSEC RRSIG(NSEC) | "},
		{"empty non-terminal of insecure delegations, opt-out", signing{optOut: true}, "deep.e.example", dns.TypeA, 0, " | " + soa + three + three + " | "},
		{"RRSIG alone", signing{}, "a.nic.example", dns.TypeRRSIG, 0, "RRSIG(A) | | "},
		{"ANY", signing{}, "example", dns.TypeANY, 0, "NS NS RRSIG(NS) | | "},
		{"NSEC", signing{nsec: true}, "signed.example", dns.TypeNSEC, 0, " | NS DS RRSIG(DS) | "},
		{"apex NSEC", signing{nsec: true}, "example", dns.TypeNSEC, 0, "NSEC RRSIG(NSEC) | | "},
		{"outside", signing{}, "www.test", dns.TypeA, dns.RcodeRefused, " | | "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := newQuery(tt.qname, tt.qtype)
			q.SetEdns0(1232, true)
			got := ask(t, signedView(t, tt.how), pack(t, q), UDP)
			if s := kinds(got.Answer) + " | " + kinds(got.Ns) + " | " + kinds(got.Extra); got.Rcode != tt.rcode || strings.ReplaceAll(s, "  ", " ") != strings.ReplaceAll(tt.want, "  ", " ") {
				t.Errorf("got %s\nwant %s\n%s", s, tt.want, got)
			}
		})
	}
}

// Signatures are for those who ask for them.
func TestSignedZoneWithoutDO(t *testing.T) {
	view := signedView(t, signing{})
	for _, name := range []string{"a.nic.example", "www.nope.example", "b.example", "www.signed.example"} {
		plain, edns := newQuery(name, dns.TypeA), newQuery(name, dns.TypeA)
		edns.SetEdns0(1232, false)
		for _, q := range []*dns.Msg{plain, edns} {
			got := ask(t, view, pack(t, q), UDP)
			if s := kinds(got.Answer) + kinds(got.Ns) + kinds(got.Extra); strings.Contains(s, "RRSIG") || strings.Contains(s, "NSEC") || strings.Contains(s, "DS") {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
}

// A zone that does not show its keys is not signed throughout: nothing of it is given away.
func TestZoneBeingSigned(t *testing.T) {
	var rrs []dns.RR
	for _, rr := range signZone(t, "example.", signing{}, parseRRs(t, signedZoneText)) {
		sig, ok := rr.(*dns.RRSIG)
		if h := rr.Header(); h.Rrtype != dns.TypeDNSKEY && h.Rrtype != dns.TypeNSEC3PARAM && !(ok && sig.TypeCovered == dns.TypeDNSKEY) {
			rrs = append(rrs, rr)
		}
	}
	view := NewView(buildZone(t, "example", ownersOf(t, rrs)))
	for _, qtype := range []uint16{dns.TypeA, dns.TypeMX, dns.TypeRRSIG} {
		q := newQuery("a.nic.example", qtype)
		q.SetEdns0(1232, true)
		got := ask(t, view, pack(t, q), UDP)
		if s := kinds(got.Answer) + kinds(got.Ns); s != "A" && s != "SOA" {
			t.Errorf("got %s", got)
		}
	}
}

// A registered name may look like the hash of another.
func TestNameThatLooksLikeAHash(t *testing.T) {
	hash := strings.ToLower(dns.HashName("example.", dns.SHA1, 0, ""))
	text := signedZoneText + hash + ".example. 60 IN NS ns.hoster.net.\n"
	zone := buildZone(t, "example", ownersOf(t, signZone(t, "example.", signing{}, parseRRs(t, text))))
	q := newQuery(hash+".example", dns.TypeA)
	if got := ask(t, NewView(zone), pack(t, q), UDP); kinds(got.Ns) != "NS" {
		t.Errorf("got %s", got)
	}
	next, err := zone.Apply([]Owner{{Name: hash + ".example"}})
	if err != nil {
		t.Fatal(err)
	}
	q.SetEdns0(1232, true)
	if got := ask(t, NewView(next), pack(t, q), UDP); got.Rcode != dns.RcodeNameError || !strings.Contains(kinds(got.Ns), "NSEC3") {
		t.Errorf("got %s", got)
	}
}

func TestSignedAnswersDoNotAllocate(t *testing.T) {
	var r Responder
	dst := make([]byte, 0, udpReplyRoom)
	for _, how := range []signing{{}, {optOut: true}, {nsec: true}} {
		view := signedView(t, how)
		for _, name := range []string{"www.a.example", "www.nope.example", "x.y.z.nic.example", "signed.example", "nic.example", "example", "insecure.deep.e.example"} {
			for _, qtype := range []uint16{dns.TypeA, dns.TypeDS, dns.TypeNS} {
				query := newQuery(name, qtype)
				query.SetEdns0(1232, true)
				wire := pack(t, query)
				if n := testing.AllocsPerRun(200, func() { r.Respond(dst, wire, view, Client{Transport: UDP}) }); n != 0 {
					t.Errorf("%s %d: %v allocations", name, qtype, n)
				}
			}
		}
	}
}

// The chain grows over many pages and shrinks again, and finds every hash and every gap on the way.
func TestChain(t *testing.T) {
	c := new(chain)
	rr := func(i int) records {
		rdata := append([]byte{1, 0, 0, 0, 0, 20}, make([]byte, 20)...)
		out := records{0, byte(typeNSEC3), 0, 0, 0, 60, 0, byte(len(rdata) + 3)}
		return append(append(out, rdata...), 0, 1, byte(i%3+1))
	}
	const n = 50000
	var hashes []nameHash
	for i := range n {
		hashes = append(hashes, hashName([]byte{byte(i), byte(i >> 8)}))
	}
	for first := 0; first < n; first += 5000 {
		x := newChainTxn(c)
		for i := first; i < first+5000; i++ {
			if err := x.set(hashes[i], rr(i)); err != nil {
				t.Fatal(err)
			}
		}
		c = x.commit()
	}
	if c.records != n || len(c.classes) != 3 {
		t.Fatalf("%d records of %d kinds", c.records, len(c.classes))
	}
	var last nameHash
	seen := 0
	c.all(func(l link) bool {
		if seen > 0 && string(last[:]) >= string(l.hash) {
			t.Fatal("out of order")
		}
		if seen > 0 && l.hash[19] > 0 {
			gap := nameHash(l.hash)
			gap[19]--
			if before, match := c.find(&gap); match != (gap == last) || string(before.hash) != string(last[:]) {
				t.Fatalf("before %x: %x", l.hash, before.hash)
			}
		}
		last = nameHash(l.hash)
		seen++
		return true
	})
	var zero nameHash
	if l, _ := c.find(&zero); seen != n || string(l.hash) != string(last[:]) {
		t.Errorf("%d records; before the first is %x, want the last", seen, l.hash)
	}
	x := newChainTxn(c)
	for _, h := range hashes[1:] {
		if err := x.set(h, nil); err != nil {
			t.Fatal(err)
		}
	}
	small := x.commit()
	if l, match := small.find(&hashes[0]); small.records != 1 || !match || string(l.hash) != string(hashes[0][:]) {
		t.Errorf("%d records", small.records)
	}
	if l, match := small.find(&hashes[1]); match || string(l.hash) != string(hashes[0][:]) {
		t.Error("the one record covers all")
	}
	if c.records != n {
		t.Error("the base changed")
	}
}
