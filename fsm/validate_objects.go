package fsm

import (
	"fmt"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func (k *checker) contactCreate(c *fsmpb.ContactCreate) {
	k.contactID("id", c.GetId())
	k.roid(c.GetRoid())
	k.require(len(c.GetPostal()) >= 1 && len(c.GetPostal()) <= 2, "postalInfo", fmt.Sprint(len(c.GetPostal())), "a contact has one or two postal addresses (RFC 5733 section 3.2.1)")
	types := map[string]bool{}
	for _, p := range c.GetPostal() {
		k.postalType(p.GetType())
		k.require(!types[p.GetType()], "postalInfo", p.GetType(), "the two postal addresses are of different types")
		types[p.GetType()] = true
		k.require(p.GetName() != "", "name", "", "a postal address has a name")
		k.address(p.GetType(), p.GetStreet(), []string{p.GetName(), p.GetOrganization(), p.GetCity(), p.GetStateProvince(), p.GetPostalCode()}, p.GetCity(), p.GetCountryCode())
	}
	k.phone("voice", c.GetVoice())
	k.phone("fax", c.GetFax())
	k.require(c.GetEmail() != "", "email", "", "a contact has an e-mail address")
	k.text("email", c.GetEmail())
	k.text("email", c.GetAdditionalEmail().GetAddress())
	k.authInfo(c.GetAuthInfo())
	k.orgLinks(c.GetOrgs(), nil, nil)
}

func (k *checker) contactUpdate(c *fsmpb.ContactUpdate) {
	k.contactID("id", c.GetId())
	k.statuses(c.GetAddStatuses(), c.GetRemoveStatuses())
	k.count("postalInfo", len(c.GetPostal()), 2)
	for _, p := range c.GetPostal() {
		k.postalType(p.GetType())
		k.require(p.Name == nil || p.GetName() != "", "name", "", "a postal address has a name")
		k.address(p.GetType(), nil, []string{p.GetName(), p.GetOrganization()}, "-", "")
		if a := p.GetAddress(); a != nil {
			k.address(p.GetType(), a.GetStreet(), []string{a.GetCity(), a.GetStateProvince(), a.GetPostalCode()}, a.GetCity(), a.GetCountryCode())
			k.require(a.GetCountryCode() != "", "cc", "", "an address has a country code")
		}
	}
	k.phone("voice", c.GetVoice())
	k.phone("fax", c.GetFax())
	k.require(c.Email == nil || c.GetEmail() != "", "email", "", "a contact has an e-mail address")
	k.text("email", c.GetAdditionalEmail().GetAddress())
	k.text("email", c.GetEmail())
	k.authInfo(c.GetAuthInfo())
	k.orgLinks(c.GetAddOrgs(), c.GetChangeOrgs(), c.GetRemoveOrgs())
}

func (k *checker) postalType(t string) {
	k.require(t == "int" || t == "loc", "postalInfo", t, "a postal address is of type int or loc")
}

// address checks a postal address; the int form is 7-bit ASCII (RFC 5733 section 2.4).
func (k *checker) address(kind string, street, texts []string, city, country string) {
	k.require(len(street) <= maxStreetLines, "street", fmt.Sprint(len(street)), "an address has at most three street lines")
	k.require(city != "", "city", "", "an address has a city")
	for _, s := range append(append([]string{}, street...), texts...) {
		k.text("postalInfo", s)
		k.require(kind != "int" || isASCII(s), "postalInfo", s, "the int form of an address is 7-bit ASCII (RFC 5733 section 2.4)")
	}
	upper := len(country) == 2 && isUpper(country[0]) && isUpper(country[1])
	k.require(country == "" || upper, "cc", country, "a country code is two upper-case letters (ISO 3166-1)")
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// phone checks an E.164 number in the form of RFC 5733 section 2.5: +CC.NNN.
func (k *checker) phone(field string, p *fsmpb.Phone) {
	n := p.GetNumber()
	if n == "" {
		return
	}
	k.require(len(n) <= 17 && n[0] == '+', field, n, "a telephone number is +, country code, dot, number (RFC 5733 section 2.5)")
	k.require(len(p.GetExtension()) <= 32, field, "", "a telephone extension has at most 32 characters")
}

func (k *checker) hostUpdate(c *fsmpb.HostUpdate) {
	k.name("name", c.GetName())
	k.addresses("addr", c.GetAddAddresses())
	k.addresses("addr", c.GetRemoveAddresses())
	k.ttls(c.GetTtls())
	k.orgLinks(c.GetAddOrgs(), c.GetChangeOrgs(), c.GetRemoveOrgs())
	k.statuses(c.GetAddStatuses(), c.GetRemoveStatuses())
	if c.GetNewName() != "" {
		k.name("name", c.GetNewName())
	}
}

func (k *checker) hostAttributes(list []*fsmpb.HostAttribute) {
	k.count("hostAttr", len(list), maxNameServersPerList)
	for _, a := range list {
		k.name("hostAttr", a.GetName())
		k.addresses("hostAttr", a.GetAddresses())
	}
}

func (k *checker) domainCreate(c *fsmpb.DomainCreate) {
	k.name("name", c.GetName())
	k.roid(c.GetRoid())
	k.contactLinks(c.GetContacts())
	k.count("ns", len(c.GetNameServers()), maxNameServersPerList)
	for _, ns := range c.GetNameServers() {
		k.name("ns", ns)
	}
	k.hostAttributes(c.GetHostAttributes())
	if c.GetRegistrant() != "" {
		k.contactID("registrant", c.GetRegistrant())
	}
	k.authInfo(c.GetAuthInfo())
	k.delegationSigners(c.GetDs())
	k.publicKeys(c.GetKeys())
	k.fee(c.GetFee())
	k.ttls(c.GetTtls())
	k.orgLinks(c.GetOrgs(), nil, nil)
	k.text("table", c.GetIdnTable())
	k.text("uname", c.GetIdnUname())
	k.presentedToken(c.GetAllocationTokenSha256())
	k.launchPhase(c.GetLaunchPhase())
	k.claimsNotices(c.GetClaimsNotices())
}

func (k *checker) domainUpdate(c *fsmpb.DomainUpdate) {
	k.name("name", c.GetName())
	k.contactLinks(c.GetAddContacts())
	k.contactLinks(c.GetRemoveContacts())
	k.count("ns", len(c.GetAddNameServers())+len(c.GetRemoveNameServers()), maxNameServersPerList)
	k.hostAttributes(c.GetAddHostAttributes())
	k.count("hostAttr", len(c.GetRemoveHostAttributes()), maxNameServersPerList)
	for _, name := range c.GetRemoveHostAttributes() {
		k.name("hostAttr", name)
	}
	for _, ns := range append(append([]string{}, c.GetAddNameServers()...), c.GetRemoveNameServers()...) {
		k.name("ns", ns)
	}
	k.statuses(c.GetAddStatuses(), c.GetRemoveStatuses())
	if c.GetRegistrant() != "" {
		k.contactID("registrant", c.GetRegistrant())
	}
	k.authInfo(c.GetAuthInfo())
	k.delegationSigners(c.GetAddDs(), c.GetRemoveDs())
	k.publicKeys(c.GetAddKeys(), c.GetRemoveKeys())
	k.ttls(c.GetTtls())
	k.orgLinks(c.GetAddOrgs(), c.GetChangeOrgs(), c.GetRemoveOrgs())
}

func (k *checker) contactLinks(links []*fsmpb.DomainContact) {
	k.count("contact", len(links), maxContactsPerList)
	for _, link := range links {
		k.contactID("contact", link.GetId())
		switch registry.ContactRole(link.GetRole()) {
		case registry.RoleAdmin, registry.RoleTech, registry.RoleBilling:
		default:
			k.fail(registry.CodeParameterSyntax, "contact", link.GetRole(), "a contact is of type admin, tech or billing (RFC 5731 section 2.2)")
		}
	}
}
