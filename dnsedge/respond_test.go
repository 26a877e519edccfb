package dnsedge

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

const (
	negSOA = "example. 300 IN SOA a.nic.example. hostmaster.nic.example. 7 1800 900 604800 300"
	aGlue  = "ns1.a.example. 86400 IN A 192.0.2.10\nns1.a.example. 86400 IN AAAA 2001:db8::10"
)

func TestRespondAnswers(t *testing.T) {
	tests := []struct {
		name      string
		qname     string
		qtype     uint16
		rcode     int
		aa        bool
		answer    string
		authority string
		extra     string
	}{
		{name: "apex SOA", qname: "example", qtype: dns.TypeSOA, aa: true,
			answer: "example. 900 IN SOA a.nic.example. hostmaster.nic.example. 7 1800 900 604800 300"},
		{name: "apex NS", qname: "example", qtype: dns.TypeNS, aa: true,
			answer: "example. 3600 IN NS a.nic.example.\nexample. 3600 IN NS ns.other.net.",
			extra:  "a.nic.example. 3600 IN A 192.0.2.1\na.nic.example. 3600 IN AAAA 2001:db8::1"},
		{name: "apex ANY", qname: "example", qtype: dns.TypeANY, aa: true,
			answer: "example. 3600 IN NS a.nic.example.\nexample. 3600 IN NS ns.other.net."},
		{name: "apex NODATA", qname: "example", qtype: dns.TypeMX, aa: true, authority: negSOA},
		{name: "apex DS without parent", qname: "example", qtype: dns.TypeDS, aa: true, authority: negSOA},
		{name: "host A", qname: "a.nic.example", qtype: dns.TypeA, aa: true, answer: "a.nic.example. 3600 IN A 192.0.2.1"},
		{name: "host AAAA", qname: "a.nic.example", qtype: dns.TypeAAAA, aa: true, answer: "a.nic.example. 3600 IN AAAA 2001:db8::1"},
		{name: "host NODATA", qname: "a.nic.example", qtype: dns.TypeTXT, aa: true, authority: negSOA},
		{name: "CNAME", qname: "alias.nic.example", qtype: dns.TypeA, aa: true, answer: "alias.nic.example. 60 IN CNAME a.nic.example."},
		{name: "empty non-terminal", qname: "nic.example", qtype: dns.TypeA, aa: true, authority: negSOA},
		{name: "empty non-terminal ANY", qname: "nic.example", qtype: dns.TypeANY, aa: true, authority: negSOA},
		{name: "empty non-terminal over a cut", qname: "x.y.example", qtype: dns.TypeNS, aa: true, authority: negSOA},
		{name: "NXDOMAIN", qname: "nope.example", qtype: dns.TypeA, rcode: dns.RcodeNameError, aa: true, authority: negSOA},
		{name: "NXDOMAIN deep", qname: "a.b.c.nope.example", qtype: dns.TypeA, rcode: dns.RcodeNameError, aa: true, authority: negSOA},
		{name: "NXDOMAIN below a host", qname: "x.a.nic.example", qtype: dns.TypeA, rcode: dns.RcodeNameError, aa: true, authority: negSOA},
		{name: "NXDOMAIN below an empty non-terminal", qname: "z.y.example", qtype: dns.TypeDS, rcode: dns.RcodeNameError, aa: true, authority: negSOA},
		{name: "SOA minimum above its TTL", qname: "nope.org", qtype: dns.TypeA, rcode: dns.RcodeNameError, aa: true,
			authority: "org. 300 IN SOA ns.hoster.net. hostmaster.org. 9 1800 900 604800 3600"},
		{name: "referral with in-domain glue", qname: "a.example", qtype: dns.TypeA,
			authority: "a.example. 86400 IN NS ns1.a.example.\na.example. 86400 IN NS ns2.a.example.",
			extra:     aGlue + "\nns2.a.example. 86400 IN A 192.0.2.11"},
		{name: "referral below a cut", qname: "www.b.example", qtype: dns.TypeA,
			authority: "b.example. 86400 IN NS ns1.a.example.\nb.example. 86400 IN NS ns.hoster.net.", extra: aGlue},
		{name: "glue is not authoritative", qname: "ns1.a.example", qtype: dns.TypeA,
			authority: "a.example. 86400 IN NS ns1.a.example.\na.example. 86400 IN NS ns2.a.example.",
			extra:     aGlue + "\nns2.a.example. 86400 IN A 192.0.2.11"},
		{name: "cut SOA", qname: "signed.example", qtype: dns.TypeSOA, authority: "signed.example. 86400 IN NS ns.hoster.net."},
		{name: "cut ANY", qname: "signed.example", qtype: dns.TypeANY, authority: "signed.example. 86400 IN NS ns.hoster.net."},
		{name: "cut NS", qname: "signed.example", qtype: dns.TypeNS, authority: "signed.example. 86400 IN NS ns.hoster.net."},
		{name: "cut two levels down", qname: "w.deep.x.y.example", qtype: dns.TypeNS, authority: "deep.x.y.example. 86400 IN NS ns.hoster.net."},
		{name: "DS at a cut", qname: "signed.example", qtype: dns.TypeDS, aa: true,
			answer: "signed.example. 3600 IN DS 12345 13 2 0000000000000000000000000000000000000000000000000000000000000001"},
		{name: "no DS at a cut", qname: "b.example", qtype: dns.TypeDS, aa: true, authority: negSOA},
		{name: "DS below a cut", qname: "w.signed.example", qtype: dns.TypeDS, authority: "signed.example. 86400 IN NS ns.hoster.net."},
		{name: "root", qname: ".", qtype: dns.TypeNS, rcode: dns.RcodeRefused},
		{name: "foreign", qname: "www.test", qtype: dns.TypeA, rcode: dns.RcodeRefused},
		{name: "apex as a prefix of a label", qname: "xexample", qtype: dns.TypeA, rcode: dns.RcodeRefused},
		{name: "AXFR", qname: "example", qtype: dns.TypeAXFR, rcode: dns.RcodeRefused},
		{name: "IXFR", qname: "example", qtype: dns.TypeIXFR, rcode: dns.RcodeRefused},
		{name: "MAILB", qname: "example", qtype: dns.TypeMAILB, rcode: dns.RcodeNotImplemented},
		{name: "NXNAME", qname: "example", qtype: 128, rcode: dns.RcodeFormatError},
	}
	view := exampleView(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			query := newQuery(tt.qname, tt.qtype)
			got := ask(t, view, pack(t, query), UDP)
			if got.Id != query.Id || !got.Response || got.Truncated || got.RecursionAvailable || !got.RecursionDesired ||
				len(got.Question) != 1 || got.Question[0] != query.Question[0] {
				t.Errorf("header or question: %v", got)
			}
			if got.Rcode != tt.rcode || got.Authoritative != tt.aa {
				t.Errorf("rcode %s AA %t, want %s %t", dns.RcodeToString[got.Rcode], got.Authoritative, dns.RcodeToString[tt.rcode], tt.aa)
			}
			if d := cmp.Diff(tt.answer, lines(got.Answer)); d != "" {
				t.Errorf("answer (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.authority, lines(got.Ns)); d != "" {
				t.Errorf("authority (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.extra, lines(got.Extra)); d != "" {
				t.Errorf("additional (-want +got):\n%s", d)
			}
		})
	}
}

// A DS question about an apex whose parent is served too belongs to the parent.
func TestRespondNestedZones(t *testing.T) {
	co := `
co.org. 300 IN SOA ns.co.org. h.co.org. 4 1 1 1 60
co.org. 300 IN NS ns.co.org.
ns.co.org. 300 IN A 192.0.2.78
`
	view := NewView(buildZone(t, "org", parseOwners(t, orgZone)), buildZone(t, "co.org", parseOwners(t, co)))
	for _, tt := range []struct {
		qname string
		qtype uint16
		soa   string
	}{
		{"co.org", dns.TypeDS, "org."}, {"co.org", dns.TypeMX, "co.org."},
		{"x.co.org", dns.TypeDS, "co.org."}, {"x.org", dns.TypeA, "org."},
	} {
		got := ask(t, view, pack(t, newQuery(tt.qname, tt.qtype)), UDP)
		if len(got.Ns) != 1 || got.Ns[0].Header().Name != tt.soa || got.Ns[0].Header().Rrtype != dns.TypeSOA {
			t.Errorf("%s %d: authority %v, want the SOA of %s", tt.qname, tt.qtype, got.Ns, tt.soa)
		}
	}
}

func TestRespondNotServing(t *testing.T) {
	for _, v := range []*View{nil, NewView()} {
		if got := ask(t, v, pack(t, newQuery("a.example", dns.TypeA)), UDP); got.Rcode != dns.RcodeRefused {
			t.Errorf("rcode %d, want REFUSED", got.Rcode)
		}
	}
}

func TestRespondDrops(t *testing.T) {
	response := newQuery("a.example", dns.TypeA)
	response.Response = true
	var r Responder
	for _, q := range [][]byte{nil, make([]byte, 11), pack(t, response)} {
		if got := r.Respond(make([]byte, 8), q, exampleView(t), Client{Transport: UDP}); len(got) != 0 {
			t.Errorf("%x: got reply %x", q, got)
		}
	}
}

func TestRespondKeepsCase(t *testing.T) {
	query := newQuery("wWw.A.eXamPLE", dns.TypeA)
	got := ask(t, exampleView(t), pack(t, query), UDP)
	if got.Question[0].Name != "wWw.A.eXamPLE." {
		t.Errorf("question %q", got.Question[0].Name)
	}
	if len(got.Ns) != 2 || !strings.EqualFold(got.Ns[0].Header().Name, "a.example.") || len(got.Extra) != 3 {
		t.Errorf("reply %v", got)
	}
}

// patch returns a copy of the query with octets replaced.
func patch(query []byte, at int, octets ...byte) []byte {
	out := bytes.Clone(query)
	copy(out[at:], octets)
	return out
}

func TestRespondRefusesMalformed(t *testing.T) {
	plain := pack(t, newQuery("a.example", dns.TypeA))
	edns := newQuery("a.example", dns.TypeA)
	edns.SetEdns0(4096, true)
	opt := pack(t, edns)
	optAt := len(plain)
	twoOpts := patch(append(bytes.Clone(opt), opt[optAt:]...), 11, 2)
	longLabel := patch(plain, 12, 64)
	long := newQuery(strings.Repeat("a.", 126)+"b", dns.TypeA)
	tooLong := pack(t, long)
	tooLong = append(append(bytes.Clone(tooLong[:12]), 1, 'a'), tooLong[12:]...)
	ch := newQuery("version.bind", dns.TypeTXT)
	ch.Question[0].Qclass = dns.ClassCHAOS

	tests := []struct {
		name  string
		query []byte
		rcode int
		qd    int
		opt   bool
	}{
		{"header only", patch(plain[:12], 4, 0, 0), dns.RcodeFormatError, 0, false},
		{"no question", patch(plain, 4, 0, 0), dns.RcodeFormatError, 0, false},
		{"two questions", patch(append(bytes.Clone(plain), plain[12:]...), 4, 0, 2), dns.RcodeFormatError, 0, false},
		{"question cut short", plain[:len(plain)-1], dns.RcodeFormatError, 0, false},
		{"name cut short", plain[:16], dns.RcodeFormatError, 0, false},
		{"label of 64", longLabel, dns.RcodeFormatError, 0, false},
		{"name of 256 octets", tooLong, dns.RcodeFormatError, 0, false},
		{"pointer in question", patch(plain, 12, 0xC0, 12), dns.RcodeFormatError, 0, false},
		{"answer in query", patch(append(bytes.Clone(plain), opt[optAt:]...), 7, 1), dns.RcodeFormatError, 1, false},
		{"trailing octets", append(bytes.Clone(plain), 0), dns.RcodeFormatError, 1, false},
		{"OPT promised, not there", patch(plain, 11, 1), dns.RcodeFormatError, 1, false},
		{"two OPT", twoOpts, dns.RcodeFormatError, 1, true},
		{"OPT with owner", patch(append(append(bytes.Clone(opt[:optAt]), 1, 'x'), opt[optAt:]...), 11, 1), dns.RcodeFormatError, 1, false},
		{"option overruns", patch(append(bytes.Clone(opt), 0, 8, 0, 9), optAt+9, 0, 4), dns.RcodeFormatError, 1, true},
		{"version 1", patch(opt, optAt+6, 1), dns.RcodeBadVers, 1, true},
		{"opcode STATUS", patch(plain, 2, 0x10), dns.RcodeNotImplemented, 1, false},
		{"opcode NOTIFY", patch(plain, 2, 0x20), dns.RcodeNotImplemented, 1, false},
		{"opcode UPDATE", patch(plain, 2, 0x28), dns.RcodeNotImplemented, 1, false},
		{"opcode 15, header only", patch(plain[:12], 2, 0x78, 0, 0, 0), dns.RcodeNotImplemented, 0, false},
		{"CHAOS", pack(t, ch), dns.RcodeRefused, 1, false},
		{"class ANY", patch(plain, len(plain)-2, 0, 255), dns.RcodeRefused, 1, false},
	}
	view := exampleView(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, view, tt.query, UDP)
			rcode := got.Rcode
			if o := got.IsEdns0(); o != nil {
				if o.Version() != 0 || o.UDPSize() != 1232 {
					t.Errorf("OPT %v", o)
				}
			}
			if rcode != tt.rcode || len(got.Question) != tt.qd || (got.IsEdns0() != nil) != tt.opt {
				t.Errorf("got %v\nwant rcode %d, %d questions, OPT %t", got, tt.rcode, tt.qd, tt.opt)
			}
			if got.Opcode != int(tt.query[2]>>3&15) || got.Id != binary.BigEndian.Uint16(tt.query) {
				t.Errorf("opcode %d id %d", got.Opcode, got.Id)
			}
			if len(got.Answer)+len(got.Ns) != 0 {
				t.Errorf("records in an error reply: %v", got)
			}
		})
	}
}

func TestRespondEDNS(t *testing.T) {
	view := exampleView(t)
	for _, do := range []bool{false, true} {
		query := newQuery("a.example", dns.TypeA)
		query.SetEdns0(4096, do)
		opt := query.IsEdns0()
		opt.Option = append(opt.Option, &dns.EDNS0_NSID{Code: dns.EDNS0NSID}, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte("x")})
		opt.SetZ(0x7FFF)
		got := ask(t, view, pack(t, query), UDP).IsEdns0()
		if got == nil || got.Do() != do || got.Z() != 0 || len(got.Option) != 0 || got.UDPSize() != 1232 {
			t.Errorf("DO %t: OPT %v", do, got)
		}
	}
}

func TestRespondAllowsIXFRAuthorityAndLongestName(t *testing.T) {
	view := exampleView(t)
	ixfr := new(dns.Msg)
	ixfr.SetIxfr("example.", 1, "a.example.", "b.example.")
	if got := ask(t, view, pack(t, ixfr), UDP); got.Rcode != dns.RcodeRefused {
		t.Errorf("IXFR: %v", got)
	}
	name := strings.Repeat("a.", 123) + "example." // 255 octets in wire format
	if got := ask(t, view, pack(t, newQuery(name, dns.TypeA)), UDP); len(got.Ns) != 2 || got.Authoritative {
		t.Errorf("longest name: %v", got)
	}
}

func TestRespondSizes(t *testing.T) {
	view := exampleView(t)
	tests := []struct {
		name      string
		qname     string
		edns      uint16 // 0: none
		transport Transport
		truncated bool
		limit     int
	}{
		{"required glue, no EDNS", "big.example", 0, UDP, true, 512},
		{"required glue, EDNS", "big.example", 4096, UDP, true, 1232},
		{"required glue, TCP", "big.example", 4096, TCP, false, 65535},
		{"sibling glue, no EDNS", "sib.example", 0, UDP, false, 512},
		{"sibling glue, tiny EDNS", "sib.example", 100, UDP, false, 512},
		{"sibling glue, EDNS 700", "sib.example", 700, UDP, false, 700},
		{"sibling glue, TCP", "sib.example", 0, TCP, false, 65535},
	}
	var r Responder
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			query := newQuery(tt.qname, dns.TypeA)
			if tt.edns > 0 {
				query.SetEdns0(tt.edns, true)
			}
			wire := pack(t, query)
			got := ask(t, view, wire, tt.transport)
			if n := len(r.Respond(nil, wire, view, Client{Transport: tt.transport})); n > tt.limit {
				t.Errorf("%d octets, limit %d", n, tt.limit)
			}
			if got.Truncated != tt.truncated || len(got.Question) != 1 || (got.IsEdns0() != nil) != (tt.edns > 0) {
				t.Errorf("reply %v", got)
			}
			if tt.truncated && len(got.Ns)+len(got.Answer) > 0 {
				t.Errorf("records in a truncated reply: %v", got)
			}
			if !tt.truncated && len(got.Ns) == 0 {
				t.Error("no name servers")
			}
			if tt.transport == TCP && !(len(got.Extra) >= 13) {
				t.Errorf("%d additional records over TCP", len(got.Extra))
			}
		})
	}
}

func TestRespondDoesNotAllocate(t *testing.T) {
	view := exampleView(t)
	var r Responder
	dst := make([]byte, 0, udpReplyRoom)
	for _, name := range []string{"www.a.example", "www.nope.example", "big.example", "sib.example", "nic.example", "other.test"} {
		query := newQuery(name, dns.TypeA)
		query.SetEdns0(1232, true)
		wire := pack(t, query)
		if n := testing.AllocsPerRun(200, func() { r.Respond(dst, wire, view, Client{Transport: UDP}) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func FuzzRespond(f *testing.F) {
	views := []*View{exampleView(f), signedView(f, signing{optOut: true}), signedView(f, signing{nsec: true})}
	for _, name := range []string{"a.example", "nope.example", "big.example", "x.y.example", ".", "sib.example", "x.nope.nic.example"} {
		query := newQuery(name, dns.TypeA)
		f.Add(pack(f, query))
		query.SetEdns0(700, true)
		query.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"}, &dns.EDNS0_NSID{Code: dns.EDNS0NSID},
			&dns.EDNS0_LOCAL{Code: optionZoneVersion}, &dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE}, &dns.EDNS0_PADDING{}}
		f.Add(pack(f, query))
		query.Question[0].Qtype = dns.TypeDS
		f.Add(pack(f, query))
	}
	f.Add([]byte{0, 1, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1})
	r, err := NewResponder(Identity{NSID: strings.Repeat("n", maxIdentity), Version: strings.Repeat("v", maxIdentity)}, []CookieSecret{{1}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query []byte) {
		for i, view := range views {
			tr := []Transport{UDP, TCP, TLS}[i]
			for _, tr := range []Transport{UDP, tr} {
				reply := r.Respond(nil, query, view, Client{Transport: tr})
				if len(query) < headerOctets || query[2]&0x80 != 0 {
					if len(reply) != 0 {
						t.Fatalf("reply %x to what must be dropped", reply)
					}
					continue
				}
				checkReply(t, query, reply, tr)
			}
		}
	})
}

// checkReply checks what holds for every reply.
func checkReply(t *testing.T, query, reply []byte, tr Transport) {
	t.Helper()
	if err := replyError(query, reply, tr); err != nil {
		t.Fatal(err)
	}
}
