package dnsedge

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 9018 appendix A.
func TestServerCookieExamples(t *testing.T) {
	for _, tt := range []struct {
		secret, client, addr string
		at                   uint32
		want                 string
	}{
		{"e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957", "198.51.100.100", 1559731985, "010000005cf79f111f8130c3eee29480"},
		{"e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957", "198.51.100.100", 1559734385, "010000005cf7a871d4a564a1442aca77"},
		{"e5e973e5a6b2a43f48e7dc849e37bfcf", "fc93fc62807ddb86", "203.0.113.203", 1559734700, "010000005cf7a9acf73a7810aca2381e"},
	} {
		secret, err := ParseCookieSecret(tt.secret)
		if err != nil {
			t.Fatal(err)
		}
		client, addr := unhex(t, tt.client), netip.MustParseAddr(tt.addr)
		got := appendCookie(nil, &secret, client, addr, tt.at)
		if hex.EncodeToString(got) != tt.want {
			t.Errorf("cookie %x, want %s", got, tt.want)
		}
		other := CookieSecret{1}
		for _, v := range []struct {
			secrets []CookieSecret
			addr    netip.Addr
			now     uint32
			cookie  []byte
			want    bool
		}{
			{[]CookieSecret{secret}, addr, tt.at, got, true},
			{[]CookieSecret{other, secret}, addr, tt.at + 3600, got, true},
			{[]CookieSecret{secret}, addr, tt.at + 3601, got, false},
			{[]CookieSecret{secret}, addr, tt.at - 300, got, true},
			{[]CookieSecret{secret}, addr, tt.at - 301, got, false},
			{[]CookieSecret{other}, addr, tt.at, got, false},
			{[]CookieSecret{secret}, netip.MustParseAddr("2001:db8::1"), tt.at, got, false},
			{[]CookieSecret{secret}, addr, tt.at, got[:8], false},
			{nil, addr, tt.at, got, false},
		} {
			if ok := validCookie(v.secrets, client, v.cookie, v.addr, v.now); ok != v.want {
				t.Errorf("%+v: valid %t", v, ok)
			}
		}
	}
	if _, err := ParseCookieSecret("e5e973"); err == nil || strings.Contains(err.Error(), "e5e973") {
		t.Errorf("error %v", err)
	}
}

// optionsOf asks with options and returns the reply and its options by code.
func optionsOf(t *testing.T, r *Responder, q *dns.Msg, from Client, options ...dns.EDNS0) (*dns.Msg, map[uint16]dns.EDNS0) {
	t.Helper()
	q.SetEdns0(1232, false)
	q.IsEdns0().Option = options
	var m dns.Msg
	if err := m.Unpack(r.Respond(nil, pack(t, q), exampleView(t), from)); err != nil {
		t.Fatal(err)
	}
	opt := m.IsEdns0()
	if opt == nil {
		t.Fatalf("no OPT in %s", &m)
	}
	got := map[uint16]dns.EDNS0{}
	for _, o := range opt.Option {
		got[o.Option()] = o
	}
	return &m, got
}

func namedResponder(t *testing.T) *Responder {
	t.Helper()
	r, err := NewResponder(Identity{NSID: "ams1", Version: "secret sauce"}, []CookieSecret{{7}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOptions(t *testing.T) {
	r := namedResponder(t)
	from := Client{Addr: netip.MustParseAddr("192.0.2.9"), Now: 1_800_000_000, KeepaliveDeciseconds: 100}
	cookie := &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"}
	nsid := &dns.EDNS0_NSID{Code: dns.EDNS0NSID}
	version := &dns.EDNS0_LOCAL{Code: optionZoneVersion}

	m, got := optionsOf(t, r, newQuery("a.example", dns.TypeA), from, cookie, nsid, version, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte("?")})
	if len(got) != 3 || len(m.Ns) != 2 {
		t.Fatalf("options %v in %s", got, m)
	}
	if s := got[optionNSID].(*dns.EDNS0_NSID).Nsid; s != hex.EncodeToString([]byte("ams1")) {
		t.Errorf("NSID %s", s)
	}
	if v := got[optionZoneVersion].(*dns.EDNS0_ZONEVERSION); v.LabelCount != 1 || v.Type != 0 || v.Version != "\x00\x00\x00\x07" {
		t.Errorf("zone version %+v", v)
	}
	full := got[optionCookie].(*dns.EDNS0_COOKIE).Cookie
	if len(full) != 48 || !strings.HasPrefix(full, "0102030405060708") {
		t.Fatalf("cookie %s", full)
	}
	for _, show := range []struct {
		cookie string
		good   bool
	}{{full, true}, {full[:47] + "0", full[47] == '0'}, {"0102030405060708", false}} {
		q := newQuery("a.example", dns.TypeA)
		q.SetEdns0(1232, false)
		q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: show.cookie}}
		reply, o := r.respond(nil, pack(t, q), exampleView(t), &from)
		if len(reply) == 0 || o.cookie != show.good {
			t.Errorf("%s: good %t", show.cookie, o.cookie)
		}
	}
	for _, n := range []int{1, 7, 9, 15, 41} { // RFC 7873 section 5.2.2
		if m, _ := optionsOf(t, r, newQuery("a.example", dns.TypeA), from, &dns.EDNS0_LOCAL{Code: optionCookie, Data: make([]byte, n)}); m.Rcode != dns.RcodeFormatError {
			t.Errorf("a cookie of %d octets: %s", n, m)
		}
	}
	if m, _ := optionsOf(t, r, newQuery("a.example", dns.TypeA), from, &dns.EDNS0_LOCAL{Code: optionZoneVersion, Data: []byte{1}}); m.Rcode != dns.RcodeFormatError {
		t.Errorf("a question with a zone version: %s", m)
	}
	// Nothing to tell, nothing told.
	if _, got := optionsOf(t, new(Responder), newQuery("a.example", dns.TypeA), from, cookie, nsid); len(got) != 0 {
		t.Errorf("options %v", got)
	}
	// Outside of the zones there is no version, but a reason.
	if _, got := optionsOf(t, r, newQuery("a.test", dns.TypeA), from, version); len(got) != 1 || got[optionEDE].(*dns.EDNS0_EDE).InfoCode != edeNotAuthoritative {
		t.Errorf("options %v", got)
	}
}

func TestCookieAlone(t *testing.T) {
	q := new(dns.Msg)
	m, got := optionsOf(t, namedResponder(t), q, Client{Addr: netip.MustParseAddr("192.0.2.9")}, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"})
	if m.Rcode != dns.RcodeSuccess || len(m.Question) != 0 || got[optionCookie] == nil {
		t.Errorf("got %s", m)
	}
	if m, _ := optionsOf(t, namedResponder(t), new(dns.Msg), Client{}, &dns.EDNS0_NSID{Code: dns.EDNS0NSID}); m.Rcode != dns.RcodeFormatError {
		t.Errorf("no question and no cookie: %s", m)
	}
}

func TestStreamOptions(t *testing.T) {
	r := namedResponder(t)
	keep, pad := &dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE}, &dns.EDNS0_PADDING{Padding: make([]byte, 20)}
	for _, tt := range []struct {
		transport Transport
		want      int
	}{{UDP, 0}, {TCP, 1}, {TLS, 2}} {
		m, got := optionsOf(t, r, newQuery("a.example", dns.TypeA), Client{Transport: tt.transport, KeepaliveDeciseconds: 100}, keep, pad)
		if len(got) != tt.want || tt.transport != UDP && got[optionKeepalive].(*dns.EDNS0_TCP_KEEPALIVE).Timeout != 100 {
			t.Errorf("transport %d: %v", tt.transport, got)
		}
		q := newQuery("a.example", dns.TypeA)
		q.SetEdns0(1232, true)
		q.IsEdns0().Option = []dns.EDNS0{pad}
		if n := len(r.Respond(nil, pack(t, q), exampleView(t), Client{Transport: tt.transport})); (n%paddingBlock == 0) != (tt.transport == TLS) {
			t.Errorf("transport %d: %d octets, %s", tt.transport, n, m)
		}
	}
}

func TestChaos(t *testing.T) {
	for _, tt := range []struct {
		r    *Responder
		name string
		want string
	}{
		{namedResponder(t), "version.bind", "secret sauce"}, {namedResponder(t), "VERSION.server", "secret sauce"},
		{namedResponder(t), "hostname.bind", "ams1"}, {namedResponder(t), "id.server", "ams1"}, {namedResponder(t), "authors.bind", ""},
		{new(Responder), "version.bind", ""}, {new(Responder), "id.server", ""},
	} {
		q := newQuery(tt.name, dns.TypeTXT)
		q.Question[0].Qclass = dns.ClassCHAOS
		var m dns.Msg
		if err := m.Unpack(tt.r.Respond(nil, pack(t, q), exampleView(t), Client{})); err != nil {
			t.Fatal(err)
		}
		switch {
		case tt.want == "" && (m.Rcode != dns.RcodeRefused || len(m.Answer) != 0):
			t.Errorf("%s: %s", tt.name, &m)
		case tt.want != "" && (len(m.Answer) != 1 || m.Answer[0].(*dns.TXT).Txt[0] != tt.want || m.Answer[0].Header().Class != dns.ClassCHAOS):
			t.Errorf("%s: %s", tt.name, &m)
		}
	}
}

// TestEDNSCompliance has the checks of ISC's DNS compliance tester: plain DNS, EDNS versions, unknown options and flags
// in all combinations, and TCP.
func TestEDNSCompliance(t *testing.T) {
	view, r := signedView(t, signing{}), namedResponder(t)
	unknown := &dns.EDNS0_LOCAL{Code: 100}
	list := []dns.EDNS0{&dns.EDNS0_NSID{Code: dns.EDNS0NSID}, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"},
		&dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, Address: []byte{0, 0, 0, 0}}, &dns.EDNS0_EXPIRE{Code: dns.EDNS0EXPIRE, Empty: true}}
	for _, tt := range []struct {
		name      string
		edns      bool
		version   uint8
		do        bool
		z         uint16
		size      uint16
		options   []dns.EDNS0
		transport Transport
		rcode     int
	}{
		{name: "dns"},
		{name: "edns", edns: true, size: 4096},
		{name: "edns@512", edns: true, size: 512, do: true},
		{name: "edns1", edns: true, size: 4096, version: 1, rcode: dns.RcodeBadVers},
		{name: "ednsopt", edns: true, size: 4096, options: []dns.EDNS0{unknown}},
		{name: "edns1opt", edns: true, size: 4096, version: 1, options: []dns.EDNS0{unknown}, rcode: dns.RcodeBadVers},
		{name: "do", edns: true, size: 4096, do: true},
		{name: "ednsflags", edns: true, size: 4096, z: 0x40},
		{name: "edns1flags", edns: true, size: 4096, version: 1, z: 0x40, rcode: dns.RcodeBadVers},
		{name: "optlist", edns: true, size: 4096, options: list},
		{name: "tcp", transport: TCP},
		{name: "ednstcp", edns: true, size: 512, do: true, transport: TCP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := newQuery("example", dns.TypeSOA)
			q.RecursionDesired = false
			if tt.edns {
				q.SetEdns0(tt.size, tt.do)
				opt := q.IsEdns0()
				opt.SetVersion(tt.version)
				opt.SetZ(tt.z)
				opt.Option = tt.options
			}
			wire := r.Respond(nil, pack(t, q), view, Client{Transport: tt.transport, Addr: netip.MustParseAddr("192.0.2.1")})
			var m dns.Msg
			if err := m.Unpack(wire); err != nil {
				t.Fatal(err)
			}
			opt := m.IsEdns0()
			if m.Rcode != tt.rcode || (opt != nil) != tt.edns || m.RecursionDesired || m.RecursionAvailable || m.Zero || m.AuthenticatedData || m.CheckingDisabled {
				t.Errorf("got %s", &m)
			}
			if tt.rcode == 0 && (!m.Authoritative || len(m.Answer) == 0 || m.Answer[0].Header().Rrtype != dns.TypeSOA) ||
				tt.rcode != 0 && len(m.Answer) != 0 {
				t.Errorf("got %s", &m)
			}
			if opt == nil {
				return
			}
			if opt.Version() != 0 || opt.Z() != 0 || opt.Do() != tt.do {
				t.Errorf("OPT %s", opt)
			}
			for _, o := range opt.Option {
				if c := o.Option(); c != optionNSID && c != optionCookie {
					t.Errorf("option %d comes back", c)
				}
			}
			if tt.do && kinds(m.Answer) != "SOA RRSIG(SOA)" {
				t.Errorf("answer %s", kinds(m.Answer))
			}
		})
	}
}

func TestOptionsDoNotAllocate(t *testing.T) {
	q := newQuery("www.nope.example", dns.TypeA)
	q.SetEdns0(1232, true)
	q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708010000005cf79f111f8130c3eee29480"},
		&dns.EDNS0_NSID{Code: dns.EDNS0NSID}, &dns.EDNS0_LOCAL{Code: optionZoneVersion}}
	chaos := newQuery("id.server", dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	r, view, l := namedResponder(t), signedView(t, signing{}), newTestLimiter(t, RateLimit{PerSecond: 1})
	from := &Client{Addr: netip.MustParseAddr("2001:db8::1"), Now: 1559731985}
	dst := make([]byte, 0, udpReplyRoom)
	for _, query := range [][]byte{pack(t, q), pack(t, chaos)} {
		if n := testing.AllocsPerRun(200, func() {
			reply, o := r.respond(dst, query, view, from)
			l.limit(reply, &o, from.Addr, 1)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}
