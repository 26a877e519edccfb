package eppxml

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var sampleTime = time.Date(2026, 4, 3, 22, 0, 0, 123456789, time.FixedZone("", 7200))

// sampleResData calls every encoder of response data, with everything and with the least that the schemas ask for.
func sampleResData() map[string][]byte {
	checks := []CheckResult{{ID: "abc", Avail: true}, {ID: "def", Reason: "In use, and " + strings.Repeat("long ", 9), Lang: "en"}, {ID: "ghi", Reason: " \n "}}
	st := []Status{{Value: "ok"}, {Value: "clientUpdateProhibited", Lang: "fr", Text: "é & <b>"}}
	addrs := []HostAddr{{IP: "v4", Addr: "192.0.2.1"}, {Addr: "192.0.2.2"}, {IP: "v6", Addr: "2001:db8::1"}}
	c := sampleContact()
	trn := DomainTrnData{Name: "example.com", TrStatus: "pending", ReID: "ClientX", ReDate: sampleTime, AcID: "ClientY", AcDate: sampleTime}
	pan := PanData{ID: "abc", Result: true, ClTRID: "ABC-1", SvTRID: "54321-XYZ", Date: sampleTime}
	ext := secDNSCreate()
	return map[string][]byte{
		"domain chk":  AppendDomainChkData(nil, checks),
		"host chk":    AppendHostChkData(nil, checks),
		"contact chk": AppendContactChkData(nil, checks),
		"domain cre":  AppendDomainCreData(nil, &DomainCreData{Name: "example.com", CrDate: sampleTime, ExDate: sampleTime}),
		"domain cre2": AppendDomainCreData(nil, &DomainCreData{Name: "example.com", CrDate: sampleTime}),
		"host cre":    AppendHostCreData(nil, &HostCreData{Name: "ns1.example.com", CrDate: sampleTime}),
		"contact cre": AppendContactCreData(nil, &ContactCreData{ID: "sh8013", CrDate: sampleTime}),
		"domain inf": AppendDomainInfData(nil, &DomainInfData{Name: "example.com", ROID: "EXAMPLE1-REP", Statuses: st, Registrant: "jd1234",
			Contacts: sampleDomainCreate().Contacts, NS: sampleDomainCreate().NS, Hosts: []string{"ns1.example.com", "ns2.example.com"},
			ClID: "ClientX", CrID: "ClientY", UpID: "ClientX", CrDate: sampleTime, UpDate: sampleTime, ExDate: sampleTime, TrDate: sampleTime,
			AuthInfo: &AuthInfo{Password: "2foo\x00BAR", ROID: "A-B"}}),
		"domain inf2": AppendDomainInfData(nil, &DomainInfData{Name: "example.com", ROID: "E-R", ClID: "abc", AuthInfo: &AuthInfo{Ext: &ext},
			NS: &NameServers{HostAttrs: []HostAttr{{Name: "ns1.example.com", Addrs: addrs}}}}),
		"host inf": AppendHostInfData(nil, &HostInfData{Name: "ns1.example.com", ROID: "NS1_EXAMPLE1-REP", Statuses: st, Addrs: addrs,
			ClID: "ClientY", CrID: "ClientX", UpID: "ClientX", CrDate: sampleTime, UpDate: sampleTime, TrDate: sampleTime}),
		"host inf2": AppendHostInfData(nil, &HostInfData{Name: "ns1.example.com", ROID: "N-R", Statuses: st[:1], ClID: "abc", CrID: "abc", CrDate: sampleTime}),
		"contact inf": AppendContactInfData(nil, &ContactInfData{ID: "sh8013", ROID: "SH8013-REP", Statuses: st, PostalInfos: c.PostalInfos,
			Voice: c.Voice, Fax: c.Fax, Email: c.Email, ClID: "ClientY", CrID: "ClientX", UpID: "ClientX", CrDate: sampleTime,
			UpDate: sampleTime, TrDate: sampleTime, AuthInfo: c.AuthInfo, Disclose: c.Disclose}),
		"contact inf2": AppendContactInfData(nil, &ContactInfData{ID: "sh8013", ROID: "S-R", Statuses: st[:1], PostalInfos: c.PostalInfos[1:],
			Email: "x", ClID: "abc", CrID: "abc", CrDate: sampleTime}),
		"domain ren":  AppendDomainRenData(nil, &DomainRenData{Name: "example.com", ExDate: sampleTime}),
		"domain trn":  AppendDomainTrnData(nil, &trn),
		"contact trn": AppendContactTrnData(nil, &ContactTrnData{ID: "sh8013", TrStatus: "serverApproved", ReID: "abc", ReDate: sampleTime, AcID: "def", AcDate: sampleTime}),
		"domain pan":  AppendDomainPanData(nil, &pan),
		"host pan":    AppendHostPanData(nil, &pan),
		"org chk":     AppendOrgChkData(nil, checks),
		"org cre":     AppendOrgCreData(nil, &OrgCreData{ID: "res1523", CrDate: sampleTime}),
		"org inf":     AppendOrgInfData(nil, sampleOrgInfData()),
		"org inf2":    AppendOrgInfData(nil, &OrgInfData{ID: "abc", ROID: "A-B", Roles: []OrgRole{{}}, Statuses: []string{"ok"}, CrID: "abc", CrDate: sampleTime}),
		"keyrelay":    AppendKeyRelayInfData(nil, &KeyRelayInfData{Name: "example.com", Data: sampleKeyRelayData(), CrDate: sampleTime, ReID: "ClientX", AcID: "ClientY"}),
		"contact pan": AppendContactPanData(nil, &PanData{ID: "abc", SvTRID: "54321-XYZ", Date: sampleTime}),
	}
}

func sampleResponses() [][]byte {
	ext := secDNSCreate()
	ext.Name = "infData"
	out := [][]byte{
		AppendGreeting(nil, &Greeting{ServerID: "Example & Co", Date: sampleTime, Versions: []string{"1.0"}, Langs: []string{"en", "fr"},
			ObjURIs: []string{NSDomain, NSHost}, ExtURIs: []string{"urn:ietf:params:xml:ns:rgp-1.0"}}),
		AppendGreeting(nil, &Greeting{ServerID: "abc", Date: sampleTime, Versions: []string{"1.0"}, Langs: []string{"en"}, ObjURIs: []string{NSDomain}}),
		AppendResponse(nil, fullResponse()),
		AppendResponse(nil, &Response{Results: []Result{{Code: 1000}}, SvTRID: "abc"}),
		AppendResponse(nil, &Response{Results: []Result{{Code: 2001, Msg: "m"}}, ClTRID: "xx", SvTRID: "abc", MsgQ: &MsgQ{Count: 1, ID: "9"},
			Extension: AppendElement(nil, &ext, NSEPP)}),
	}
	for _, data := range sampleResData() {
		out = append(out, AppendResponse(nil, &Response{Results: []Result{{Code: 1000, Msg: "ok"}}, ResData: data, ClTRID: "ABC-1", SvTRID: "54322-XYZ"}))
	}
	return out
}

func fullResponse() *Response {
	return &Response{
		Results: []Result{
			{Code: 2004, Msg: "Parameter value range error <&>\"' \x01\xff\uFFFE", Lang: "en",
				Values:    []Value{{NS: NSDomain, Name: "name", Text: "a<b"}, {Name: "1bad"}},
				ExtValues: []ExtValue{{Value: Value{Name: "plain", Text: "x"}, Reason: "too long", Lang: "en"}, {Value: Value{Name: "a b"}}}},
			{Code: 2005, Msg: "Parameter value syntax error"},
		},
		MsgQ:   &MsgQ{Count: 5, ID: "12345", Date: sampleTime, Msg: "Transfer <requested>.", Lang: "en"},
		ClTRID: "ABC-12345", SvTRID: "54321-XYZ",
	}
}

func TestEncodersAgainstSchemas(t *testing.T) {
	validate := validator(t)
	docs := sampleResponses()
	for i, ok := range validate(docs) {
		if !ok {
			t.Errorf("does not validate: %s", docs[i])
		}
	}
}

func TestParseResponse(t *testing.T) {
	r, err := ParseResponse(AppendResponse(nil, fullResponse()))
	if err != nil {
		t.Fatal(err)
	}
	want := &ParsedResponse{
		Results: []ParsedResult{
			{Code: 2004, Msg: `Parameter value range error <&>"' `, Reasons: []string{"too long"},
				Values: []Element{{NS: NSDomain, Name: "name", Text: "a<b"}, {Name: "plain", Text: "x"}}},
			{Code: 2005, Msg: "Parameter value syntax error"},
		},
		MsgQ:   &MsgQ{Count: 5, ID: "12345", Date: sampleTime.UTC().Truncate(time.Millisecond), Msg: "Transfer <requested>.", Lang: "en"},
		ClTRID: "ABC-12345", SvTRID: "54321-XYZ",
	}
	if diff := cmp.Diff(want, r, sameRequest); diff != "" {
		t.Errorf("response differs (-want +got):\n%s", diff)
	}
	if r.Code() != 2004 || r.OK() {
		t.Errorf("Code() = %d, OK() = %v, want 2004 and false", r.Code(), r.OK())
	}
}

func TestParseResponseData(t *testing.T) {
	for name, data := range sampleResData() {
		frame := AppendResponse(nil, &Response{Results: []Result{{Code: 1000, Msg: "ok"}}, ResData: data, SvTRID: "abc"})
		r, err := ParseResponse(frame)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(r.ResData) != 1 || !r.OK() {
			t.Errorf("%s: %d elements of data, OK %v", name, len(r.ResData), r.OK())
		}
		if name == "domain cre" {
			if got := r.Data(NSDomain, "creData").Child("crDate").Text; got != "2026-04-03T20:00:00.123Z" {
				t.Errorf("crDate = %q, want UTC with milliseconds", got)
			}
		}
	}
}

func TestParseGreeting(t *testing.T) {
	want := &Greeting{ServerID: "Example & Co", Date: sampleTime.UTC().Truncate(time.Millisecond), Versions: []string{"1.0"},
		Langs: []string{"en", "fr"}, ObjURIs: []string{NSDomain}, ExtURIs: []string{"urn:x"}}
	got, err := ParseGreeting(AppendGreeting(nil, want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("greeting differs (-want +got):\n%s", diff)
	}
}

func TestParseResponseRefuses(t *testing.T) {
	const open, end = `<epp xmlns="` + NSEPP + `"><response>`, `</response></epp>`
	for name, frame := range map[string]string{
		"no result":    open + `<trID><svTRID>abc</svTRID></trID>` + end,
		"no trID":      open + `<result code="1000"><msg>ok</msg></result>` + end,
		"bad code":     open + `<result code="99"><msg>ok</msg></result><trID><svTRID>abc</svTRID></trID>` + end,
		"greeting":     `<epp xmlns="` + NSEPP + `"><greeting/></epp>`,
		"other root":   `<html/>`,
		"empty value":  open + `<result code="2001"><msg>x</msg><value/></result><trID><svTRID>abc</svTRID></trID>` + end,
		"not finished": open,
	} {
		if _, err := ParseResponse([]byte(frame)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
