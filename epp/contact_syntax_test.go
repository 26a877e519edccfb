package epp

import (
	"io"
	"slices"
	"strings"
	"testing"

	"cadastre/epp/eppxml"
)

func TestCountryCodesAreThoseOfISO3166(t *testing.T) {
	codes := strings.Fields(countryCodes)
	if len(codes) != 249 || !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != 249 {
		t.Errorf("the list has %d codes, ISO 3166-1 has assigned 249", len(codes))
	}
	for _, code := range []string{"GB", "XK", "UK", "EU", "AA", "ZZ", "AN", "YU", "SU", "TP", "SS", "CW", "BQ", "SX", "AX", "TL"} {
		assigned := !slices.Contains([]string{"XK", "UK", "EU", "AA", "ZZ", "AN", "YU", "SU", "TP"}, code) // reserved, withdrawn, for users
		if got := checkCountry(code) == nil; got != assigned {
			t.Errorf("%s is admitted: %v", code, got)
		}
	}
}

func TestTextsOfContacts(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "Ada Example": true, "Jörg Müller": true, "株式会社 例": true, "می\u200cخواهم": true, "क्\u200dष": true, "\u200eabc": true, "😀": true,
		"a\u0000b": false, "a\u001bb": false, "a\u007fb": false, "a\u0085b": false, "a\u009bb": false, "a\u2028b": false, "a\u2029b": false,
		"a\u202eb": false, "a\u2066b": false, "\ufeffa": false, "a\ufffdb": false, "a\ufdd0b": false, "a\U0001fffeb": false,
	} {
		if got := checkTexts("postalInfo", "fine", text) == nil; got != want {
			t.Errorf("%+q is admitted: %v", text, got)
		}
	}
}

func TestTelephoneNumbers(t *testing.T) {
	for number, want := range map[string]bool{
		"+49.30123456": true, "+1.12345678901234": true, "+123.123456789012": true, "+0.12345": false, "+012.345": false, "": true,
	} {
		for _, phones := range [][2]*eppxml.Phone{{{Number: number}, nil}, {nil, {Number: number}}} {
			if got := checkPhones(phones[0], phones[1]) == nil; got != want {
				t.Errorf("%q is admitted: %v", number, got)
			}
		}
	}
	if checkPhones(&eppxml.Phone{Ext: "12"}, nil) == nil || checkPhones(nil, &eppxml.Phone{Number: "+1.2", Ext: "1\u202e2"}) == nil {
		t.Error("an extension without a number, or one that turns text around, is admitted")
	}
}

// TestEveryFieldOfAContactIsChecked puts a bad character into each field of create and update.
func TestEveryFieldOfAContactIsChecked(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.login(t, registrarA, passwordA)
	c.want(codeOK, contactFrame("con-1", "contact-pw-1"))
	const bad = "x\u0085y"
	for i, spoil := range []func(p *eppxml.PostalInfo){
		func(p *eppxml.PostalInfo) { p.Name = bad }, func(p *eppxml.PostalInfo) { p.Org = bad }, func(p *eppxml.PostalInfo) { p.Addr.City = bad },
		func(p *eppxml.PostalInfo) { p.Addr.Street = []string{"fine", bad} }, func(p *eppxml.PostalInfo) { p.Addr.SP = bad },
		func(p *eppxml.PostalInfo) { p.Addr.PC = bad },
	} {
		p := eppxml.PostalInfo{Type: "loc", Name: "Ada", Org: "Org", Addr: eppxml.PostalAddr{City: "Bern", CC: "CH"}}
		spoil(&p)
		create := &eppxml.ContactCreate{ID: "con-2", PostalInfos: []eppxml.PostalInfo{p}, Email: "a@example.net", AuthInfo: &eppxml.AuthInfo{}}
		c.want(codeParameterSyntax, eppxml.AppendCommand(nil, &eppxml.Command{Body: create}))
		change := eppxml.PostalInfoChg{Type: "loc", Name: p.Name, Org: &p.Org, Addr: &p.Addr}
		update := &eppxml.ContactUpdate{ID: "con-1", Chg: &eppxml.ContactChg{PostalInfos: []eppxml.PostalInfoChg{change}}}
		if r := c.want(codeParameterSyntax, eppxml.AppendCommand(nil, &eppxml.Command{Body: update})); !strings.Contains(reasonsOf(r), "U+0085") {
			t.Errorf("field %d: %q", i, reasonsOf(r))
		}
	}
	twice := &eppxml.ContactUpdate{ID: "con-1", Chg: &eppxml.ContactChg{PostalInfos: []eppxml.PostalInfoChg{{Type: "int", Name: "A"}, {Type: "int", Name: "B"}}}}
	c.want(codeParameterPolicy, eppxml.AppendCommand(nil, &eppxml.Command{Body: twice}))
	for _, body := range []eppxml.Body{
		&eppxml.ContactUpdate{ID: "con-1", Chg: &eppxml.ContactChg{Fax: &eppxml.Phone{Number: "+049.1234567890"}}},
		&eppxml.ContactUpdate{ID: "con-1", Chg: &eppxml.ContactChg{Email: "ada@"}},
		&eppxml.ContactUpdate{ID: "con-1", Chg: &eppxml.ContactChg{PostalInfos: []eppxml.PostalInfoChg{{Type: "int", Addr: &eppxml.PostalAddr{City: "Bern", CC: "XX"}}}}},
	} {
		c.want(codeParameterSyntax, eppxml.AppendCommand(nil, &eppxml.Command{Body: body}))
	}
}

// TestManyContactsOfADomain: a registrant, and as many others as the policy admits, several of
// a role among them.
func TestManyContactsOfADomain(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.login(t, registrarA, passwordA)
	var links []eppxml.DomainContact
	for i := range 4 {
		id := "con-" + string(rune('1'+i))
		c.want(codeOK, contactFrame(id, ""))
		for _, role := range []string{"admin", "tech", "billing"} {
			links = append(links, eppxml.DomainContact{Type: role, ID: id})
		}
	}
	create := func(name string, contacts []eppxml.DomainContact) []byte {
		return eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainCreate{Name: name, Registrant: "con-1", Contacts: contacts, AuthInfo: &eppxml.AuthInfo{}}})
	}
	most := int(testPolicy("example").GetMaxContacts())
	c.want(codeOK, create("alpha.example", links[:most]))
	c.want(codeParameterPolicy, create("beta.example", links[:most+1]))
	c.want(codeParameterPolicy, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainUpdate{Name: "alpha.example", Add: &eppxml.DomainAddRem{Contacts: links[most : most+1]}}}))
	swap := &eppxml.DomainUpdate{Name: "alpha.example", Add: &eppxml.DomainAddRem{Contacts: links[most : most+1]}, Rem: &eppxml.DomainAddRem{Contacts: links[:1]}}
	c.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: swap}))
}
