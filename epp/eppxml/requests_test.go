package eppxml

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func ptr[T any](v T) *T { return &v }

// secDNSCreate is a DS record as an extension element.
func secDNSCreate() Element {
	const ns = "urn:ietf:params:xml:ns:secDNS-1.1"
	leaf := func(name, text string) Element { return Element{NS: ns, Name: name, Text: text} }
	return Element{NS: ns, Name: "create", Children: []Element{{NS: ns, Name: "dsData", Children: []Element{
		leaf("keyTag", "12345"), leaf("alg", "13"), leaf("digestType", "2"),
		leaf("digest", "38EC35D5B3A34B33C99B3A34B33C99B38EC35D5B3A34B33C99B3A34B33C99BAA"),
	}}}}
}

func sampleContact() *ContactCreate {
	return &ContactCreate{
		ID: "sh8013",
		PostalInfos: []PostalInfo{
			{Type: PostalInt, Name: "John Doe", Org: "Example Inc.", Addr: PostalAddr{
				Street: []string{"123 Example Dr.", "Suite 100", "x"}, City: "Dulles", SP: "VA", PC: "20166-6503", CC: "US"}},
			{Type: PostalLoc, Name: "Jöhn Dœ", Addr: PostalAddr{City: "Zürich", CC: "CH"}},
		},
		Voice: &Phone{Number: "+1.7035555555", Ext: "1234"}, Fax: &Phone{Number: "+1.7035555556"},
		Email: "jdoe@example.com", AuthInfo: &AuthInfo{Password: "2fooBAR"},
		Disclose: &Disclose{NameInt: true, NameLoc: true, OrgInt: true, AddrLoc: true, Voice: true, Fax: true, Email: true},
	}
}

func sampleDomainCreate() *DomainCreate {
	return &DomainCreate{
		Name: "example.com", Period: Period{Count: 2, Unit: UnitYear},
		NS:         &NameServers{HostObjs: []string{"ns1.example.net", "ns2.example.net"}},
		Registrant: "jd1234",
		Contacts: []DomainContact{{Type: "admin", ID: "sh8013"}, {Type: "tech", ID: "sh8014"},
			{Type: "billing", ID: "sh8015"}},
		AuthInfo: &AuthInfo{Password: "2fooBAR"},
	}
}

// sampleBodies holds at least one of every command, and between them every element of the schemas.
func sampleBodies() []Body {
	v4, v6 := HostAddr{IP: "v4", Addr: "192.0.2.2"}, HostAddr{IP: "v6", Addr: "2001:db8::1"}
	return append([]Body{
		&Login{ClID: "ClientX", Password: "foo-BAR2", NewPassword: "bar-FOO2", Version: "1.0", Lang: "en",
			ObjURIs: []string{NSDomain, NSHost, NSContact}, ExtURIs: []string{"urn:ietf:params:xml:ns:secDNS-1.1", "http://custom/obj1ext-1.0"}},
		&Login{ClID: "abc", Password: "a<&>\"'", Version: "1.0", Lang: "fr-CA", ObjURIs: []string{NSDomain}},
		&Logout{},
		&Poll{Op: PollRequest},
		&Poll{Op: PollAck, MsgID: "12345"},
		&DomainCheck{Names: []string{"example.com", "example.net", "example.org"}},
		&DomainInfo{Name: "example.com", Hosts: HostsAll},
		&DomainInfo{Name: "example.com", Hosts: HostsDelegated, AuthInfo: &AuthInfo{Password: "2fooBAR", ROID: "SH8013-REP"}},
		sampleDomainCreate(),
		&DomainCreate{Name: "example.com", AuthInfo: &AuthInfo{}},
		&DomainCreate{Name: "xn--bcher-kva.example", Period: Period{Count: 99, Unit: UnitMonth}, NS: &NameServers{HostAttrs: []HostAttr{
			{Name: "ns1.example.com", Addrs: []HostAddr{v4, v6}}, {Name: "ns2.example.com"}}},
			Contacts: []DomainContact{{ID: "sh8013"}}, AuthInfo: &AuthInfo{Password: "a b", ROID: "A_+b-R1"}},
		&DomainUpdate{Name: "example.com",
			Add: &DomainAddRem{NS: &NameServers{HostObjs: []string{"ns2.example.com"}}, Contacts: []DomainContact{{Type: "tech", ID: "mak21"}},
				Statuses: []Status{{Value: "clientHold", Lang: "en", Text: "Payment overdue."}, {Value: "clientRenewProhibited"}}},
			Rem: &DomainAddRem{NS: &NameServers{HostAttrs: []HostAttr{{Name: "ns1.example.com", Addrs: []HostAddr{v4}}}},
				Contacts: []DomainContact{{Type: "tech", ID: "sh8013"}}, Statuses: []Status{{Value: "clientUpdateProhibited"}}},
			Chg: &DomainChg{Registrant: ptr("sh8013"), AuthInfo: &AuthInfo{Password: "2BARfoo"}}},
		&DomainUpdate{Name: "example.com", Chg: &DomainChg{Registrant: ptr(""), AuthInfo: &AuthInfo{Null: true}}},
		&DomainUpdate{Name: "example.com", Add: &DomainAddRem{}, Rem: &DomainAddRem{}, Chg: &DomainChg{}},
		&DomainUpdate{Name: "example.com"},
		&DomainDelete{Name: "example.com"},
		&DomainRenew{Name: "example.com", CurExpDate: time.Date(2000, 4, 3, 0, 0, 0, 0, time.UTC), Period: Period{Count: 5, Unit: UnitYear}},
		&DomainRenew{Name: "example.com", CurExpDate: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		&DomainTransfer{Op: TransferRequest, Name: "example.com", Period: Period{Count: 1, Unit: UnitYear},
			AuthInfo: &AuthInfo{Password: "2fooBAR", ROID: "JD1234-REP"}},
		&DomainTransfer{Op: TransferQuery, Name: "example.com"},
		&HostCheck{Names: []string{"ns1.example.com", "ns2.example.com"}},
		&HostInfo{Name: "ns1.example.com"},
		&MaintenanceInfo{}, &MaintenanceInfo{ID: &MaintenanceID{ID: "M1-REG"}}, &MaintenanceInfo{ID: &MaintenanceID{ID: "M1-REG", Name: "a name", Lang: "de"}},
		&HostCreate{Name: "ns1.example.com", Addrs: []HostAddr{v4, {IP: "v4", Addr: "192.0.2.29"}, v6}},
		&HostCreate{Name: "ns1.example.com"},
		&HostUpdate{Name: "ns1.example.com", Add: &HostAddRem{Addrs: []HostAddr{v4}, Statuses: []Status{{Value: "clientUpdateProhibited"}}},
			Rem: &HostAddRem{Addrs: []HostAddr{v6}, Statuses: []Status{{Value: "clientDeleteProhibited", Text: "why"}}}, NewName: "ns2.example.com"},
		&HostDelete{Name: "ns1.example.com"},
		&ContactCheck{IDs: []string{"sh8013", "sah8013", "8013sah"}},
		&ContactInfo{ID: "sh8013", AuthInfo: &AuthInfo{Password: "2fooBAR"}},
		&ContactInfo{ID: "sh8013"},
		sampleContact(),
		&ContactUpdate{ID: "sh8013", Add: []Status{{Value: "clientDeleteProhibited"}}, Rem: []Status{{Value: "clientUpdateProhibited", Lang: "de", Text: "ä"}},
			Chg: &ContactChg{PostalInfos: []PostalInfoChg{{Type: PostalInt, Name: "J", Org: ptr(""), Addr: &PostalAddr{
				Street: []string{"124 Example Dr."}, City: "Dulles", SP: "VA", PC: "20166-6503", CC: "US"}}, {Type: PostalLoc}},
				Voice: &Phone{Number: "+1.7034444444"}, Fax: &Phone{}, Email: "x@y", AuthInfo: &AuthInfo{Password: "n"},
				Disclose: &Disclose{Flag: true, OrgLoc: true, AddrInt: true}}},
		&ContactUpdate{ID: "sh8013", Chg: &ContactChg{}},
		&ContactDelete{ID: "sh8013"},
		&ContactTransfer{Op: TransferApprove, ID: "sh8013", AuthInfo: &AuthInfo{Password: "2fooBAR"}},
		&ContactTransfer{Op: TransferReject, ID: "sh8013"},
	}, organisationBodies()...)
}

func sampleRequests() []*Request {
	reqs := []*Request{{Hello: true}}
	for i, b := range sampleBodies() {
		cmd := &Command{Body: b}
		if i%4 != 3 {
			cmd.ClTRID = "ABC-12345"
		}
		if _, ok := b.(*DomainCreate); ok {
			cmd.Extensions = []Element{secDNSCreate()}
		}
		reqs = append(reqs, &Request{Command: cmd})
	}
	return reqs
}

var sameRequest = cmp.Options{cmpopts.IgnoreFields(Element{}, "Offset")}

func TestRoundTrip(t *testing.T) {
	for _, want := range sampleRequests() {
		frame := AppendRequest(nil, want)
		got, err := Decode(frame)
		if err != nil {
			t.Errorf("Decode(%s): %v", frame, err)
			continue
		}
		if diff := cmp.Diff(want, got, sameRequest); diff != "" {
			t.Errorf("Decode(%s) differs (-want +got):\n%s", frame, diff)
		}
	}
}

func benchmarkDecode(b *testing.B, frame []byte) {
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	var dec Decoder
	for b.Loop() {
		if _, err := dec.Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeDomainCreate(b *testing.B) {
	benchmarkDecode(b, AppendCommand(nil, &Command{Body: sampleDomainCreate(), Extensions: []Element{secDNSCreate()}, ClTRID: "ABC-12345"}))
}

func BenchmarkDecodeCheck20(b *testing.B) {
	check := &DomainCheck{}
	for i := range 20 {
		check.Names = append(check.Names, string(rune('a'+i))+"-name-to-check.example")
	}
	benchmarkDecode(b, AppendCommand(nil, &Command{Body: check, ClTRID: "ABC-12345"}))
}
