package fsm

import (
	"slices"
	"strings"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func rddsFromProto(p *fsmpb.RDDSPolicy) registry.RDDSPolicy {
	return registry.RDDSPolicy{
		Availability: p.GetAvailability(), Disclosed: slices.Clone(p.GetDisclosed()), ContactURI: p.GetContactUri(), TermsURI: p.GetTermsUri(),
	}
}

func rddsToProto(p *registry.RDDSPolicy) *fsmpb.RDDSPolicy {
	if !p.Availability && len(p.Disclosed) == 0 && p.ContactURI == "" && p.TermsURI == "" {
		return nil
	}
	return &fsmpb.RDDSPolicy{Availability: p.Availability, Disclosed: p.Disclosed, ContactUri: p.ContactURI, TermsUri: p.TermsURI}
}

// changePublic sets the fields that are present.
func changePublic(public *registry.RegistrarPublic, c *fsmpb.RegistrarPublic) {
	if c == nil {
		return
	}
	if c.Street != nil {
		public.Street = nil
		if c.GetStreet() != "" {
			public.Street = strings.Split(c.GetStreet(), "\n")
		}
	}
	setIf(&public.City, c.City)
	setIf(&public.StateProvince, c.StateProvince)
	setIf(&public.PostalCode, c.PostalCode)
	setIf(&public.CountryCode, c.CountryCode)
	setIf(&public.Phone, c.Phone)
	setIf(&public.Fax, c.Fax)
	setIf(&public.AbuseEmail, c.AbuseEmail)
	setIf(&public.AbusePhone, c.AbusePhone)
	setIf(&public.RDAPBaseURL, c.RdapBaseUrl)
	setIf(&public.WHOISServer, c.WhoisServer)
}

// PublicToProto converts what everybody may know of a registrar, nil for nothing.
func PublicToProto(p *registry.RegistrarPublic) *fsmpb.RegistrarPublic {
	if p.IsZero() {
		return nil
	}
	street := strings.Join(p.Street, "\n")
	return &fsmpb.RegistrarPublic{
		Street: &street, City: &p.City, StateProvince: &p.StateProvince, PostalCode: &p.PostalCode, CountryCode: &p.CountryCode,
		Phone: &p.Phone, Fax: &p.Fax, AbuseEmail: &p.AbuseEmail, AbusePhone: &p.AbusePhone, RdapBaseUrl: &p.RDAPBaseURL, WhoisServer: &p.WHOISServer,
	}
}

// registrarPublic checks what is to be shown to everybody, as far as the answers depend on it.
func (k *checker) registrarPublic(c *fsmpb.RegistrarPublic) {
	for _, s := range []string{c.GetCity(), c.GetStateProvince(), c.GetPostalCode(), c.GetPhone(), c.GetFax(), c.GetAbuseEmail(), c.GetAbusePhone(), c.GetRdapBaseUrl(), c.GetWhoisServer()} {
		k.text("public", s)
		k.require(!strings.ContainsAny(s, "\r\n\x00"), "public", "", "the text has no line breaks")
	}
	lines := strings.Split(c.GetStreet(), "\n")
	k.count("street", len(lines), maxStreetLines)
	k.text("street", c.GetStreet())
	if cc := c.GetCountryCode(); cc != "" {
		k.require(len(cc) == 2 && cc[0] >= 'A' && cc[0] <= 'Z' && cc[1] >= 'A' && cc[1] <= 'Z', "country_code", cc, "a country code has two upper-case letters (ISO 3166-1)")
	}
	if url := c.GetRdapBaseUrl(); url != "" {
		k.require(strings.HasPrefix(url, "https://") && strings.HasSuffix(url, "/"), "rdap_base_url", url, "the base URL of an RDAP service begins with https:// and ends with a slash")
	}
	if host := c.GetWhoisServer(); host != "" {
		k.name("whois_server", host)
	}
}
