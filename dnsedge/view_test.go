package dnsedge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestBuildZoneRefuses(t *testing.T) {
	good := slices.Clip(parseOwners(t, exampleZone))
	a := packRR(t, mustParse(t, "a.example. 1 IN A 192.0.2.1"))
	tests := []struct {
		name   string
		tld    string
		owners []Owner
		want   string
	}{
		{"no apex", "example", good[1:2], "no SOA"},
		{"apex without NS", "example", []Owner{{Name: "example", RRs: packRR(t, mustParse(t, "example. 1 IN SOA a. b. 1 1 1 1 1"))}}, "no NS"},
		{"two SOA", "example", parseOwners(t, exampleZone+"example. 1 IN SOA a. b. 2 1 1 1 1\n"), "more than one SOA"},
		{"outside", "example", append(good, Owner{Name: "a.test", RRs: nil}), "outside the zone"},
		{"suffix inside a label", "example", append(good, Owner{Name: "aexample", RRs: nil}), "outside the zone"},
		{"wrong owner", "example", append(good, Owner{Name: "b.example", RRs: a}), "not the owner"},
		{"cut short", "example", append(good, Owner{Name: "a.example", RRs: a[:len(a)-1]}), "past the end"},
		{"head cut short", "example", append(good, Owner{Name: "a.example", RRs: a[:14]}), "cut short"},
		{"name cut short", "example", append(good, Owner{Name: "a.example", RRs: a[:4]}), "malformed domain name"},
		{"compressed owner", "example", append(good, Owner{Name: "a.example", RRs: append([]byte{0xC0, 0}, a[11:]...)}), "malformed domain name"},
		{"class CH", "example", append(good, Owner{Name: "a.example", RRs: patch(a, 14, 3)}), "class 3"},
		{"empty label", "example", append(good, Owner{Name: "a..example", RRs: nil}), "1 to 63"},
		{"escape", "example", append(good, Owner{Name: `a\.b.example`, RRs: nil}), "escapes"},
		{"root", "", good, "empty domain name"},
		{"long name", "example", append(good, Owner{Name: strings.Repeat("a.", 124) + "example", RRs: nil}), "longer than 255"},
		{"OPT", "example", append(good, Owner{Name: "a.example", RRs: patch(a, 11, 0, 41)}), "not zone data"},
		{"AAAA of 4 octets", "example", append(good, Owner{Name: "a.example", RRs: patch(a, 11, 0, 28)}), "malformed RDATA"},
		{"NS that is no name", "example", append(good, Owner{Name: "a.example", RRs: patch(a, 11, 0, 2)}), "malformed RDATA"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := BuildZone(tt.tld, func(add func(Owner) error) error {
				for _, o := range tt.owners {
					if err := add(o); err != nil {
						return err
					}
				}
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func mustParse(t testing.TB, text string) dns.RR {
	t.Helper()
	rr, err := dns.NewRR(text)
	if err != nil {
		t.Fatal(err)
	}
	return rr
}

// The zone grows far beyond one directory, shrinks to its apex, and keeps every name findable on the way.
func TestZoneGrowsAndShrinks(t *testing.T) {
	const names = 20000
	zone := buildZone(t, "example", parseOwners(t, exampleZone))
	before := zone.Names()
	name := func(i int) string { return fmt.Sprintf("n%d.p%d.example", i, i%100) }
	batch := func(from, to int, rrs bool) {
		t.Helper()
		var owners []Owner
		for i := from; i < to; i++ {
			o := Owner{Name: name(i)}
			if rrs {
				o.RRs = packRR(t, mustParse(t, o.Name+". 60 IN A 192.0.2.1"))
			}
			owners = append(owners, o)
		}
		next, err := zone.Apply(owners)
		if err != nil {
			t.Fatal(err)
		}
		zone = next
	}
	rcode := func(n string) int { return ask(t, NewView(zone), pack(t, newQuery(n, dns.TypeA)), UDP).Rcode }
	for i := 0; i < names; i += 1000 {
		old := zone
		batch(i, i+1000, true)
		if _, ok := old.names.find(wirePrefix(t, name(i), old)); ok {
			t.Fatal("an update shows in the zone before it")
		}
	}
	if got := zone.Names(); got != before+names+100 {
		t.Errorf("%d names, want %d", got, before+names+100)
	}
	for i := range names {
		if rcode(name(i)) != dns.RcodeSuccess {
			t.Fatalf("%s is missing", name(i))
		}
	}
	seen := 0
	zone.names.all(func([]byte, node) bool { seen++; return true })
	if seen != zone.Names() {
		t.Errorf("%d names listed, %d counted", seen, zone.Names())
	}
	if rcode("p7.example") != dns.RcodeSuccess {
		t.Error("the empty non-terminal does not exist")
	}
	for i := 0; i < names; i += 500 {
		batch(i, i+500, false)
	}
	if rcode("p7.example") != dns.RcodeNameError || zone.Names() != before {
		t.Errorf("%d names left, want %d", zone.Names(), before)
	}
}

func wirePrefix(t *testing.T, name string, z *Zone) []byte {
	t.Helper()
	wire, err := wireName(name)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := below(wire, z.apex)
	return wire[:n]
}

func TestApplyRefusesAndKeeps(t *testing.T) {
	zone := buildZone(t, "example", parseOwners(t, exampleZone))
	if _, err := zone.Apply([]Owner{{Name: "example"}}); err == nil {
		t.Error("the apex was removed")
	}
	if zone.Serial() != 7 || ask(t, NewView(zone), pack(t, newQuery("example", dns.TypeSOA)), UDP).Rcode != 0 {
		t.Error("the zone changed")
	}
}

// FuzzApply feeds an owner with arbitrary records: they are refused, or served within the limits.
func FuzzApply(f *testing.F) {
	for _, o := range parseOwners(f, exampleZone) {
		f.Add(o.Name, o.RRs)
	}
	zone := buildZone(f, "example", parseOwners(f, exampleZone))
	f.Fuzz(func(t *testing.T, name string, rrs []byte) {
		next, err := zone.Apply([]Owner{{Name: name, RRs: rrs}})
		if err != nil {
			return
		}
		wire, err := wireName(name)
		if err != nil {
			t.Fatalf("owner %q was taken: %v", name, err)
		}
		var r Responder
		for _, qtype := range []uint16{typeA, typeNS, typeSOA, typeDS, typeANY} {
			query := []byte{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}
			query = append(append(query, wire...), 0, byte(qtype), 0, 1)
			if reply := r.Respond(nil, query, NewView(next), Client{Transport: UDP}); len(reply) > minUDPOctets || len(reply) < len(query) {
				t.Fatalf("reply of %d octets", len(reply))
			}
			if reply := r.Respond(nil, query, NewView(next), Client{Transport: TCP}); len(reply) > maxTCPOctets || len(reply) < len(query) {
				t.Fatalf("reply of %d octets", len(reply))
			}
		}
	})
}
