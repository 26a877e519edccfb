package zone_test

import (
	"encoding/base64"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cadastre/registry"
	"cadastre/zone"
)

// objects is a registry of a handful of objects.
type objects struct {
	domains map[registry.DomainName]*registry.Domain
	hosts   map[registry.DomainName]*registry.Host
}

func (o objects) Domain(name registry.DomainName) (*registry.Domain, bool) {
	d, ok := o.domains[name]
	return d, ok
}

func (o objects) Host(name registry.DomainName) (*registry.Host, bool) {
	h, ok := o.hosts[name]
	return h, ok
}

func (o objects) EachHostUser(name registry.DomainName, fn func(registry.DomainName) bool) {
	var users []registry.DomainName
	for _, d := range o.domains {
		if slices.Contains(d.NameServers, name) {
			users = append(users, d.Name)
		}
	}
	slices.Sort(users)
	for _, u := range users {
		if !fn(u) {
			return
		}
	}
}

func (o objects) EachAttributeUser(superordinate registry.DomainName, fn func(registry.DomainName) bool) {
	for _, name := range slices.Sorted(maps.Keys(o.domains)) {
		below := slices.ContainsFunc(o.domains[name].HostAttributes, func(a registry.HostAttribute) bool { return a.Name.IsBelow(superordinate) })
		if name != superordinate && below && !fn(name) {
			return
		}
	}
}

// TestHostAttributes: the zone has glue of the domain above only, and only if it is needed.
func TestHostAttributes(t *testing.T) {
	attribute := func(name registry.DomainName, addrs ...string) registry.HostAttribute {
		a := registry.HostAttribute{Name: name}
		for _, addr := range addrs {
			a.Addresses = append(a.Addresses, netip.MustParseAddr(addr))
		}
		return a
	}
	domain := func(name registry.DomainName, attributes ...registry.HostAttribute) *registry.Domain {
		return &registry.Domain{Name: name, TLD: "example", HostAttributes: attributes}
	}
	held := domain("held.example", attribute("ns1.held.example", "192.0.2.1"), attribute("ns2.held.example", "192.0.2.2"))
	held.Statuses = registry.Statuses{registry.StatusClientHold}
	state := objects{
		domains: map[registry.DomainName]*registry.Domain{
			"one.example":   domain("one.example", attribute("ns1.one.example", "192.0.2.3", "2001:db8::3"), attribute("ns.outside.net")),
			"guest.example": domain("guest.example", attribute("ns1.one.example", "192.0.2.99"), attribute("ns1.held.example")),
			"held.example":  held,
		},
		hosts: map[registry.DomainName]*registry.Host{"ns3.one.example": {Name: "ns3.one.example", Superordinate: "one.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.4")}}},
	}
	tld := newTLD()
	tld.Policy.HostAttributes = true
	for owner, want := range map[registry.DomainName][]string{
		"one.example":      {"one.example. 600 IN NS ns.outside.net.", "one.example. 600 IN NS ns1.one.example."},
		"ns1.one.example":  {"ns1.one.example. 600 IN A 192.0.2.3", "ns1.one.example. 600 IN AAAA 2001:db8::3"},
		"guest.example":    {"guest.example. 600 IN NS ns1.held.example.", "guest.example. 600 IN NS ns1.one.example."},
		"ns1.held.example": {"ns1.held.example. 600 IN A 192.0.2.1"},
		"ns2.held.example": nil, "held.example": nil, "ns3.one.example": nil,
	} {
		packed, err := zone.Records(state, tld, owner, 1)
		if err != nil {
			t.Fatal(err)
		}
		rrs, err := zone.Unpack(packed)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, rr := range rrs {
			got = append(got, strings.Join(strings.Fields(rr.String()), " "))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("records at %s (-want +got):\n%s", owner, diff)
		}
	}
}

// rfc4034Key is the key of the example in RFC 4034 section 5.4.
func rfc4034Key() []byte {
	key, err := base64.StdEncoding.DecodeString("AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/" +
		"M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==")
	if err != nil {
		panic(err)
	}
	return key
}

// keyDigest is the SHA-256 of dskey.example. and the key, computed by other means than the code under test.
const keyDigest = "2DFAA308D250E37A731007A0AED6B6E9D148A56FA45AF2453B4FDE0C29363EAB"

func newTLD() *registry.TLD {
	return &registry.TLD{Name: "example", Policy: registry.TLDPolicy{
		ApexServers: []registry.ApexServer{
			{Name: "b.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.2")}},
			{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1")}},
		},
		SOAMName: "a.nic.example", SOARName: "hostmaster.nic.example",
		SOARefreshSeconds: 1, SOARetrySeconds: 2, SOAExpireSeconds: 3, SOAMinimumSeconds: 4,
		ApexTTLSeconds: 3600, DelegationTTLSeconds: 600,
	}}
}

func newObjects() objects {
	host := func(name registry.DomainName, superordinate registry.DomainName, addrs ...string) *registry.Host {
		h := &registry.Host{Name: name, Superordinate: superordinate}
		for _, a := range addrs {
			h.Addresses = append(h.Addresses, netip.MustParseAddr(a))
		}
		return h
	}
	domain := func(name registry.DomainName, servers ...registry.DomainName) *registry.Domain {
		return &registry.Domain{Name: name, TLD: "example", NameServers: servers}
	}
	held := domain("held.example", "ns1.held.example", "ns.outside.net")
	held.Statuses = registry.Statuses{registry.StatusClientHold}
	leaving := domain("leaving.example", "ns1.one.example")
	leaving.Phase = registry.PhaseRedemption
	leaving.DS = []registry.DelegationSigner{{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: []byte{1}}}
	signed := domain("signed.example", "ns.outside.net")
	signed.DS = []registry.DelegationSigner{
		{KeyTag: 60485, Algorithm: 13, DigestType: 4, Digest: []byte{0xab, 0xcd}}, {KeyTag: 5, Algorithm: 8, DigestType: 2, Digest: []byte{2}},
		{KeyTag: 60485, Algorithm: 13, DigestType: 2, Digest: []byte{0xff}, Key: &registry.PublicKey{Flags: 257}},
	}
	back := domain("back.example", "ns.outside.net")
	back.Phase, back.Statuses, back.DS = registry.PhasePendingRestore, registry.Statuses{registry.StatusPendingDelete}, signed.DS[:1]
	heldToo := domain("heldtoo.example", "ns.outside.net")
	heldToo.Phase, heldToo.Statuses = registry.PhasePendingRestore, registry.Statuses{registry.StatusPendingDelete, registry.StatusServerHold}
	keyed := domain("dskey.example", "ns.outside.net")
	keyed.Keys = []registry.PublicKey{{Flags: 256, Protocol: 3, Algorithm: 5, Data: rfc4034Key()}}
	patient := domain("patient.example", "ns1.patient.example")
	patient.DS = signed.DS[:1]
	patient.TTLs = registry.TTLs{{Type: registry.RecordDS, Seconds: 300}, {Type: registry.RecordNS, Seconds: 86400}}
	patientHost := host("ns1.patient.example", "patient.example", "2001:db8::c", "192.0.2.14")
	patientHost.TTLs = registry.TTLs{{Type: registry.RecordAAAA, Seconds: 0}}
	bareSigned := domain("baresigned.example")
	bareSigned.DS = signed.DS
	return objects{
		domains: map[registry.DomainName]*registry.Domain{
			"one.example": domain("one.example", "ns2.one.example", "ns1.one.example"),
			"two.example": domain("two.example", "ns.outside.net"), "bare.example": domain("bare.example"),
			"held.example": held, "leaving.example": leaving, "signed.example": signed, "back.example": back,
			"heldtoo.example": heldToo, "dskey.example": keyed, "baresigned.example": bareSigned, "patient.example": patient,
		},
		hosts: map[registry.DomainName]*registry.Host{
			"ns1.one.example":   host("ns1.one.example", "one.example", "192.0.2.10"),
			"ns2.one.example":   host("ns2.one.example", "one.example", "2001:db8::b", "192.0.2.11"),
			"spare.one.example": host("spare.one.example", "one.example", "192.0.2.12"),
			"ns1.held.example":  host("ns1.held.example", "held.example", "192.0.2.13"),
			"ns.outside.net":    host("ns.outside.net", ""), "ns1.patient.example": patientHost,
		},
	}
}

func TestRecords(t *testing.T) {
	tests := []struct {
		name, owner string
		want        []string
	}{
		{"apex", "example", []string{
			"example. 3600 IN SOA a.nic.example. hostmaster.nic.example. 77 1 2 3 4",
			"example. 3600 IN NS a.nic.example.", "example. 3600 IN NS b.nic.example.",
		}},
		{"apex server, A before AAAA", "a.nic.example", []string{"a.nic.example. 3600 IN A 192.0.2.1", "a.nic.example. 3600 IN AAAA 2001:db8::1"}},
		{"delegation, sorted", "one.example", []string{"one.example. 600 IN NS ns1.one.example.", "one.example. 600 IN NS ns2.one.example."}},
		{"delegation to an external host", "two.example", []string{"two.example. 600 IN NS ns.outside.net."}},
		{"glue", "ns2.one.example", []string{"ns2.one.example. 600 IN A 192.0.2.11", "ns2.one.example. 600 IN AAAA 2001:db8::b"}},
		{"host that nothing points to", "spare.one.example", nil},
		{"domain without name servers", "bare.example", nil},
		{"domain on hold", "held.example", nil},
		{"glue that only a domain on hold points to", "ns1.held.example", nil},
		{"domain in redemption", "leaving.example", nil},
		{"nothing there", "absent.example", nil},
		{"secure delegation, sorted", "signed.example", []string{
			"signed.example. 600 IN NS ns.outside.net.", "signed.example. 600 IN DS 5 8 2 02",
			"signed.example. 600 IN DS 60485 13 2 FF", "signed.example. 600 IN DS 60485 13 4 ABCD",
		}},
		{"restore pending", "back.example", []string{"back.example. 600 IN NS ns.outside.net.", "back.example. 600 IN DS 60485 13 4 ABCD"}},
		{"restore pending, but on hold", "heldtoo.example", nil},
		{"DS record of a key", "dskey.example", []string{"dskey.example. 600 IN NS ns.outside.net.",
			"dskey.example. 600 IN DS 60485 5 2 " + keyDigest}},
		{"TTLs of a domain", "patient.example", []string{"patient.example. 86400 IN NS ns1.patient.example.",
			"patient.example. 300 IN DS 60485 13 4 ABCD"}},
		{"TTLs of a host, and the default", "ns1.patient.example", []string{"ns1.patient.example. 600 IN A 192.0.2.14",
			"ns1.patient.example. 0 IN AAAA 2001:db8::c"}},
		{"DS records without a delegation", "baresigned.example", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			packed, err := zone.Records(newObjects(), newTLD(), registry.DomainName(test.owner), 77)
			if err != nil {
				t.Fatal(err)
			}
			rrs, err := zone.Unpack(packed)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, rr := range rrs {
				got = append(got, strings.Join(strings.Fields(rr.String()), " "))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("records at %s (-want +got):\n%s", test.owner, diff)
			}
		})
	}
}
