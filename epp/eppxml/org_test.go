package eppxml

import "time"

func sampleOrgPostal() []OrgPostalInfo {
	return []OrgPostalInfo{
		{Type: PostalInt, Name: "Example Organization", Addr: &PostalAddr{Street: []string{"123 Example Dr."}, City: "Dulles", SP: "VA", PC: "20166-6503", CC: "US"}},
		{Type: PostalLoc, Name: "Zürich & Co"},
	}
}

func sampleOrgRoles() []OrgRole {
	return []OrgRole{{Type: "reseller", Statuses: []string{"ok", "linked", "clientLinkProhibited"}, ID: "1362"}, {Type: "privacyproxy"}}
}

func sampleOrgContacts() []OrgContact {
	return []OrgContact{{Type: "admin", ID: "sh8013"}, {Type: "custom", TypeName: "legal", ID: "sh8014"}}
}

func sampleOrgInfData() *OrgInfData {
	return &OrgInfData{
		ID: "res1523", ROID: "res1523-REP", Roles: sampleOrgRoles(), Statuses: []string{"ok", "linked"}, Parent: "1523res", PostalInfos: sampleOrgPostal(),
		Voice: &Phone{Number: "+1.7035555555", Ext: "1234"}, Fax: &Phone{Number: "+1.7035555556"}, Email: "contact@organization.example",
		URL: ptr("https://organization.example/"), Contacts: sampleOrgContacts(), ClID: "ClientY", CrID: "ClientX", UpID: "ClientX",
		CrDate: sampleTime, UpDate: sampleTime,
	}
}

func sampleKeyRelayData() []KeyRelayData {
	keys := sampleKeys()
	return []KeyRelayData{
		{Key: keys[0], Expiry: &KeyRelayExpiry{Relative: "P1M13D"}}, {Key: keys[1]},
		{Key: keys[0], Expiry: &KeyRelayExpiry{Absolute: time.Date(2026, 4, 3, 20, 0, 0, 0, time.UTC)}},
	}
}

// organisationBodies are commands on organisations and of the key relay mapping.
func organisationBodies() []Body {
	i := sampleOrgInfData()
	return []Body{
		&OrgCheck{IDs: []string{"res1523", "re1523"}},
		&OrgInfo{ID: "res1523"},
		&OrgCreate{ID: "res1523", Roles: i.Roles, Statuses: []string{"ok", "hold", "clientUpdateProhibited"}, Parent: i.Parent, PostalInfos: i.PostalInfos,
			Voice: i.Voice, Fax: i.Fax, Email: i.Email, URL: i.URL, Contacts: i.Contacts},
		&OrgCreate{ID: "res1523", Roles: i.Roles[1:]},
		&OrgUpdate{ID: "res1523", Add: &OrgAddRem{Contacts: i.Contacts, Roles: i.Roles, Statuses: []string{"clientLinkProhibited"}},
			Rem: &OrgAddRem{Roles: i.Roles[1:], Statuses: []string{"clientDeleteProhibited"}},
			Chg: &OrgChg{Parent: "abc", PostalInfos: []OrgPostalInfo{{Type: PostalInt, Addr: i.PostalInfos[0].Addr}, {Type: PostalLoc, Name: "x"}},
				Voice: &Phone{}, Fax: i.Fax, Email: "x@y", URL: ptr("")}},
		&OrgUpdate{ID: "res1523", Add: &OrgAddRem{}, Chg: &OrgChg{}},
		&OrgUpdate{ID: "res1523"},
		&OrgDelete{ID: "res1523"},
		&KeyrelayCreate{Name: "example.org", AuthInfo: &AuthInfo{Password: "JnSdBAZSxxzJ", ROID: "A-B"}, Data: sampleKeyRelayData()},
	}
}

func appendLinks(encode func([]byte, []OrgLink) []byte) func([]byte, *[]OrgLink) []byte {
	return func(dst []byte, links *[]OrgLink) []byte { return encode(dst, *links) }
}

func decodeLinks(decode func(*Element) ([]OrgLink, *Error)) func(*Element) (*[]OrgLink, *Error) {
	return func(e *Element) (*[]OrgLink, *Error) {
		links, err := decode(e)
		return &links, err
	}
}

// sampleOrgLinks are many, because of one link nearly every change is valid: both its parts are any text.
func sampleOrgLinks() *[]OrgLink {
	links := []OrgLink{{Role: "reseller", ID: "res1523"}, {Role: "x"}, {ID: "a & b"}}
	for range 9 {
		links = append(links, OrgLink{Role: "registrar", ID: "abc"})
	}
	return &links
}
