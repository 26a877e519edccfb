package main

import (
	"strings"

	"github.com/spf13/pflag"

	"cadastre/fsm/fsmpb"
)

// registrarPublicFlags are what RDAP and WHOIS show of a registrar.
type registrarPublicFlags struct {
	street                                           []string
	city, state, postalCode, country, phone, fax     string
	abuseEmail, abusePhone, rdapBaseURL, whoisServer string
}

func (p *registrarPublicFlags) register(f *pflag.FlagSet) {
	f.StringArrayVar(&p.street, "street", nil, "line of its postal address (repeatable)")
	f.StringVar(&p.city, "city", "", "city")
	f.StringVar(&p.state, "state-province", "", "state or province")
	f.StringVar(&p.postalCode, "postal-code", "", "postal code")
	f.StringVar(&p.country, "country", "", "country code, such as CH")
	f.StringVar(&p.phone, "phone", "", "phone, such as +41.441234567")
	f.StringVar(&p.fax, "fax", "", "fax")
	f.StringVar(&p.abuseEmail, "abuse-email", "", "e-mail address for reports of abuse")
	f.StringVar(&p.abusePhone, "abuse-phone", "", "phone for reports of abuse")
	f.StringVar(&p.rdapBaseURL, "rdap-url", "", "base URL of its RDAP service, such as https://rdap.acme.example/")
	f.StringVar(&p.whoisServer, "whois-server", "", "host name of its WHOIS service")
}

// message returns what the flags that were given say, nil for nothing.
func (p *registrarPublicFlags) message(given func(flag string) bool) *fsmpb.RegistrarPublic {
	m := &fsmpb.RegistrarPublic{}
	street := strings.Join(p.street, "\n")
	found := false
	for flag, field := range map[string]struct {
		value *string
		into  **string
	}{
		"street": {&street, &m.Street}, "city": {&p.city, &m.City}, "state-province": {&p.state, &m.StateProvince},
		"postal-code": {&p.postalCode, &m.PostalCode}, "country": {&p.country, &m.CountryCode}, "phone": {&p.phone, &m.Phone}, "fax": {&p.fax, &m.Fax},
		"abuse-email": {&p.abuseEmail, &m.AbuseEmail}, "abuse-phone": {&p.abusePhone, &m.AbusePhone},
		"rdap-url": {&p.rdapBaseURL, &m.RdapBaseUrl}, "whois-server": {&p.whoisServer, &m.WhoisServer},
	} {
		if given(flag) {
			*field.into, found = field.value, true
		}
	}
	if !found {
		return nil
	}
	return m
}

// registrarPublicDocument is the same for machines.
type registrarPublicDocument struct {
	Street        []string `json:"street"`
	City          string   `json:"city"`
	StateProvince string   `json:"state_province"`
	PostalCode    string   `json:"postal_code"`
	Country       string   `json:"country"`
	Phone         string   `json:"phone"`
	Fax           string   `json:"fax"`
	AbuseEmail    string   `json:"abuse_email"`
	AbusePhone    string   `json:"abuse_phone"`
	RDAPURL       string   `json:"rdap_url"`
	WHOISServer   string   `json:"whois_server"`
}

func registrarPublicDocumentOf(p *fsmpb.RegistrarPublic) registrarPublicDocument {
	d := registrarPublicDocument{
		Street: []string{}, City: p.GetCity(), StateProvince: p.GetStateProvince(), PostalCode: p.GetPostalCode(), Country: p.GetCountryCode(),
		Phone: p.GetPhone(), Fax: p.GetFax(), AbuseEmail: p.GetAbuseEmail(), AbusePhone: p.GetAbusePhone(), RDAPURL: p.GetRdapBaseUrl(), WHOISServer: p.GetWhoisServer(),
	}
	if p.GetStreet() != "" {
		d.Street = strings.Split(p.GetStreet(), "\n")
	}
	return d
}
