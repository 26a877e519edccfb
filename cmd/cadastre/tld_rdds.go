package main

import "cadastre/registry"

// rddsDocument is what RDAP and WHOIS show of the names of a TLD.
type rddsDocument struct {
	Availability bool     `toml:"availability" json:"availability" comment:"WHOIS says in one line whether a name is free, for \"das NAME\""`
	Disclosed    []string `toml:"disclosed" json:"disclosed" comment:"contact fields that everybody sees: id, name, org, street, city, postal_code, phone, fax, email"`
	ContactURI   string   `toml:"contact_uri" json:"contact_uri" comment:"page by which the public reaches a contact, {name} standing for the domain; empty: the web page of the registrar"`
	TermsURI     string   `toml:"terms_uri" json:"terms_uri" comment:"page with the terms of use; empty: the help of the RDAP server"`
}

func rddsDocumentOf(p *registry.RDDSPolicy) rddsDocument {
	return rddsDocument{Availability: p.Availability, Disclosed: append([]string{}, p.Disclosed...), ContactURI: p.ContactURI, TermsURI: p.TermsURI}
}

func (d *rddsDocument) parse() registry.RDDSPolicy {
	return registry.RDDSPolicy{Availability: d.Availability, Disclosed: d.Disclosed, ContactURI: d.ContactURI, TermsURI: d.TermsURI}
}
