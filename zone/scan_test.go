package zone_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"cadastre/zone"
)

func TestScanner(t *testing.T) {
	for _, test := range []struct{ name, line, want string }{
		{"NS", "One.EXAMPLE. 600 IN NS NS1.other.net.", ""},
		{"class first", "one.example. in 600 ns ns1.other.net. ; a comment", ""},
		{"address", "ns.one.example.\t600\tin\ta\t192.0.2.1", ""},
		{"IPv6 address", "ns.one.example. 600 IN AAAA 2001:db8::1", ""},
		{"DS in pieces", "one.example. 600 IN DS 60485 13 2 AABB CCDD", ""},
		{"other types are not looked into", "example. 600 IN TXT \"a ; ( b\"", ""},
		{"relative NS", "one.example. 600 IN NS ns1", `the name "ns1" is relative`},
		{"relative owner", "one 600 IN NS ns1.net.", `the owner name "one" is relative`},
		{"at sign", "@ 600 IN NS ns1.net.", "is relative"},
		{"no owner", "   600 IN NS ns1.net.", "left out"},
		{"$ORIGIN", "$ORIGIN example.", "the directive $ORIGIN is not read here"},
		{"$TTL", "$ttl 600", "the directive $TTL"},
		{"$INCLUDE", "$INCLUDE /etc/passwd", "the directive $INCLUDE"},
		{"parentheses", "example. 600 IN SOA a. b. ( 1", "on one line"},
		{"no TTL", "one.example. IN NS ns1.net.", "TTL is left out"},
		{"no type", "one.example. 600 IN", "has no type"},
		{"unknown type", "one.example. 600 IN BOGUS x", `"BOGUS" is no record type`},
		{"other class", "one.example. 600 CH NS ns1.net.", "not IN"},
		{"IPv6 as A", "one.example. 600 IN A 2001:db8::1", "no address for a record of type A"},
		{"mapped address", "one.example. 600 IN AAAA ::ffff:192.0.2.1", "no address"},
		{"scoped address", "one.example. 600 IN AAAA fe80::1%eth0", "no address"},
		{"two values", "one.example. 600 IN NS a.net. b.net.", "has one value, here are 2"},
		{"short DS", "one.example. 600 IN DS 1 2 3", "a digest"},
		{"large key tag", "one.example. 600 IN DS 65536 13 2 AA", "no number"},
		{"bad digest", "one.example. 600 IN DS 1 13 2 AAX0", "hexadecimal"},
		{"long line", "one.example. 600 IN TXT " + strings.Repeat("x", 70000), "more than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := zone.NewScanner(strings.NewReader("; head\n\n" + test.line + "\n"))
			record, err := s.Next()
			if test.want == "" {
				if err != nil || record.Line != 3 {
					t.Errorf("%+v, %v", record, err)
				}
				return
			}
			var bad *zone.SyntaxError
			if !errors.As(err, &bad) || bad.Line != 3 || !strings.Contains(bad.Reason, test.want) {
				t.Errorf("got %v, want line 3: %s", err, test.want)
			}
		})
	}
}

func TestReadDelegations(t *testing.T) {
	const text = `example. 900 in soa a.nic.example. h.nic.example. 1 2 3 4 5
example. 900 in ns a.nic.example.
a.nic.example. 900 in a 192.0.2.1
two.example. 600 in ns ns1.one.example.
two.example. 600 in ns ns.other.net.
two.example. 600 in ns NS.other.net.
one.example. 600 in ns ns1.one.example.
one.example. 600 in rrsig ds 13 2 600 20300101000000 20200101000000 1 example. AAAA
one.example. 600 in ds 5 13 2 AABB
ns1.one.example. 600 in aaaa 2001:db8::1
ns1.one.example. 600 in a 192.0.2.9
ns1.one.example. 600 in a 192.0.2.9
deep.three.example. 600 in ns ns.other.net.
bare.example. 600 in ds 5 13 2 AABB
text.example. 600 in txt hello
example. 900 in soa a.nic.example. h.nic.example. 1 2 3 4 5
`
	c, err := zone.ReadDelegations(strings.NewReader(text), "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range c.Delegations {
		line := string(d.Name) + ":"
		for _, s := range d.Servers {
			line += " " + string(s)
		}
		for _, h := range d.Hosts {
			line += " [" + string(h.Name)
			for _, a := range h.Addresses {
				line += " " + a.String()
			}
			line += "]"
		}
		got = append(got, line)
	}
	want := []string{"one.example: ns1.one.example [ns1.one.example 192.0.2.9 2001:db8::1]", "two.example: ns.other.net ns1.one.example"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantSkipped := []zone.Skipped{
		{3, "nic.example", "the name has no NS records: it is not delegated"},
		{13, "deep.three.example", "only names directly below the TLD are registered"},
		{14, "bare.example", "the name has no NS records: it is not delegated"},
		{15, "text.example", "a record of type TXT is no part of a delegation"},
	}
	if diff := cmp.Diff(wantSkipped, c.Skipped); diff != "" {
		t.Error(diff)
	}
	if c.TLD != "example" || c.Records != 16 || c.Own != 4 {
		t.Errorf("TLD %s, %d records, %d own", c.TLD, c.Records, c.Own)
	}
	for text, want := range map[string]string{
		"":                              "no records",
		"one.example. 1 IN NS a.net.\n": "say which TLD",
		"a. 1 IN SOA b. c. 1 2 3 4 5\nb. 1 IN NS a.net.": "line 2: the name b does not lie in .a",
	} {
		if _, err := zone.ReadDelegations(strings.NewReader(text), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"Example. 900 IN SOA A.nic.example. H.nic.example. 7 2 3 4 5":      "example.\t900\tin\tsoa\ta.nic.example. h.nic.example. 7 2 3 4 5",
		"one.example. 600 IN DS 5 13 2 AABB":                               "one.example.\t600\tin\tds\t5 13 2 aabb",
		"x.example. 600 IN AAAA 2001:DB8::1":                               "x.example.\t600\tin\taaaa\t2001:db8::1",
		"example. 600 IN DNSKEY 257 3 13 AbCd":                             "example.\t600\tin\tdnskey\t257 3 13 AbCd",
		"example. 0 IN NSEC3PARAM 1 0 0 -":                                 "example.\t0\tin\tnsec3param\t1 0 0 -",
		"abc.example. 5 IN NSEC3 1 1 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR": "abc.example.\t5\tin\tnsec3\t1 1 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr",
	} {
		rr, err := dns.NewRR(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimRight(zone.Text(rr), " "); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		again, err := dns.NewRR(zone.Text(rr))
		if err != nil || !strings.EqualFold(rr.String(), again.String()) {
			t.Errorf("%q is read as %v, %v", zone.Text(rr), again, err)
		}
	}
}

func TestSortKey(t *testing.T) {
	// RFC 4034 section 6.1, without the names that no TLD has, and types and data within one owner.
	ordered := []string{
		"example. 1 IN NS a.", "example. 1 IN SOA a. b. 1 2 3 4 5", "a.example. 1 IN NS a.", "yljkjljk.a.example. 1 IN A 192.0.2.1",
		"z.a.example. 1 IN A 192.0.2.1", "a-b.example. 1 IN NS a.", "zabc.a-b.example. 1 IN A 192.0.2.1", "b.example. 1 IN NS a.",
		"b.example. 1 IN NS b.", "b.example. 1 IN DS 1 2 3 AA",
	}
	last := ""
	for _, text := range ordered {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		key, err := zone.SortKey(rr)
		if err != nil {
			t.Fatal(err)
		}
		if string(key) <= last {
			t.Errorf("%s does not sort after the one before", text)
		}
		last = string(key)
	}
}

// FuzzScanner reads anything: no panic, true line numbers, and what is read as a delegation's record means the same to
// the parser of miekg/dns.
func FuzzScanner(f *testing.F) {
	f.Add("one.example. 600 IN NS ns1.other.net.\none.example. 600 IN DS 1 13 2 AABB\n")
	f.Add("x. 1 A 192.0.2.1\n$TTL 5\n")
	f.Add("y. IN 7 AAAA ::1 ; c\n\"(\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := zone.NewScanner(strings.NewReader(text))
		last := 0
		for {
			record, err := s.Next()
			var bad *zone.SyntaxError
			if errors.As(err, &bad) && (bad.Line <= last || bad.Reason == "") {
				t.Fatalf("%v after line %d", err, last)
			}
			if errors.Is(err, io.EOF) || err != nil {
				return
			}
			if record.Line <= last {
				t.Fatalf("line %d after line %d", record.Line, last)
			}
			last = record.Line
			line := strings.Split(text, "\n")[record.Line-1]
			if record.Address.IsValid() {
				rr, err := dns.NewRR(line)
				if err == nil && rr != nil && rr.Header().Rrtype != record.Type {
					t.Fatalf("%q is read as type %d, by miekg/dns as %v", line, record.Type, rr)
				}
			}
		}
	})
}
