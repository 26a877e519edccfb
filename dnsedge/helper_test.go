package dnsedge

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// parseOwners turns zone-file text into owners, in the order of their first record.
func parseOwners(t testing.TB, text string) []Owner {
	t.Helper()
	var rrs []dns.RR
	p := dns.NewZoneParser(strings.NewReader(text), ".", "test")
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		rrs = append(rrs, rr)
	}
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return packOwners(t, rrs)
}

func packOwners(t testing.TB, rrs []dns.RR) []Owner {
	t.Helper()
	var owners []Owner
	index := map[string]int{}
	for _, rr := range rrs {
		name := strings.TrimSuffix(rr.Header().Name, ".")
		i, ok := index[name]
		if !ok {
			i = len(owners)
			index[name] = i
			owners = append(owners, Owner{Name: name})
		}
		owners[i].RRs = append(owners[i].RRs, packRR(t, rr)...)
	}
	return owners
}

func packRR(t testing.TB, rr dns.RR) []byte {
	t.Helper()
	buf := make([]byte, dns.Len(rr)+512)
	n, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func buildZone(t testing.TB, tld string, owners []Owner) *Zone {
	t.Helper()
	z, err := BuildZone(tld, func(add func(Owner) error) error {
		for _, o := range owners {
			if err := add(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

const exampleZone = `
example. 900 IN SOA a.nic.example. hostmaster.nic.example. 7 1800 900 604800 300
example. 3600 IN NS a.nic.example.
example. 3600 IN NS ns.other.net.
a.nic.example. 3600 IN A 192.0.2.1
a.nic.example. 3600 IN AAAA 2001:db8::1
alias.nic.example. 60 IN CNAME a.nic.example.
a.example. 86400 IN NS ns1.a.example.
a.example. 86400 IN NS ns2.a.example.
ns1.a.example. 86400 IN A 192.0.2.10
ns1.a.example. 86400 IN AAAA 2001:db8::10
ns2.a.example. 86400 IN A 192.0.2.11
b.example. 86400 IN NS ns1.a.example.
b.example. 86400 IN NS ns.hoster.net.
signed.example. 86400 IN NS ns.hoster.net.
signed.example. 3600 IN DS 12345 13 2 0000000000000000000000000000000000000000000000000000000000000001
deep.x.y.example. 86400 IN NS ns.hoster.net.
`

const orgZone = `
org. 300 IN SOA ns.hoster.net. hostmaster.org. 9 1800 900 604800 3600
org. 3600 IN NS ns.hoster.net.
co.org. 3600 IN NS ns.co.org.
ns.co.org. 3600 IN A 192.0.2.77
`

// bigOwner is a delegation whose required glue overflows any UDP reply.
func bigDelegation() string {
	var b strings.Builder
	for i := range 13 {
		n := string(rune('a' + i))
		b.WriteString("big.example. 86400 IN NS " + n + strings.Repeat("x", 40) + "." + n + strings.Repeat("y", 40) + ".big.example.\n")
		b.WriteString(n + strings.Repeat("x", 40) + "." + n + strings.Repeat("y", 40) + ".big.example. 86400 IN AAAA 2001:db8::2\n")
	}
	return b.String()
}

// siblingDelegation has five servers in another delegation, whose addresses do not all fit into 512 octets.
func siblingDelegation() string {
	var b strings.Builder
	for i := range 5 {
		n := string(rune('a'+i)) + strings.Repeat("s", 30)
		b.WriteString("sib.example. 86400 IN NS " + n + ".a.example.\n")
		for range 4 {
			b.WriteString(n + ".a.example. 86400 IN AAAA 2001:db8::" + string(rune('1'+i)) + string(rune('1'+b.Len()%8)) + "\n")
		}
	}
	return b.String()
}

func exampleView(t testing.TB) *View {
	t.Helper()
	return NewView(
		buildZone(t, "example", parseOwners(t, exampleZone+bigDelegation()+siblingDelegation())),
		buildZone(t, "org", parseOwners(t, orgZone)))
}

// newQuery makes a query without EDNS.
func newQuery(name string, qtype uint16) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), qtype)
	m.RecursionDesired = true
	return m
}

func pack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ask runs a query through the responder and parses the reply.
func ask(t testing.TB, v *View, query []byte, tr Transport) *dns.Msg {
	t.Helper()
	var r Responder
	reply := r.Respond(nil, query, v, Client{Transport: tr})
	m := new(dns.Msg)
	if err := m.Unpack(reply); err != nil {
		t.Fatalf("reply %x to %x: %v", reply, query, err)
	}
	return m
}

// lines renders records without their class and with single spaces.
func lines(rrs []dns.RR) string {
	var out []string
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			out = append(out, strings.Join(strings.Fields(rr.String()), " "))
		}
	}
	return strings.Join(out, "\n")
}
