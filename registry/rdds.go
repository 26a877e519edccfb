package registry

import "time"

// RDDSPolicy says what a TLD's registration data directory services (RDAP and WHOIS) show. The
// zero value shows the public no personal data.
type RDDSPolicy struct {
	// Availability makes WHOIS answer "das NAME" with one line that says whether a name is free.
	Availability bool
	// Disclosed names the contact fields that everybody sees, such as "org" or "city"; policy.ContactFields
	// lists them.
	Disclosed []string
	// ContactURI is a page by which the public reaches a contact whose address is not shown; "{name}"
	// in it stands for the domain. Empty: the web page of the domain's registrar.
	ContactURI string
	// TermsURI is the page with the terms of use; empty: the help of the RDAP server.
	TermsURI string
}

// RegistrarPublic is what everybody may know of a registrar beside its name, e-mail address, web
// address and IANA number.
type RegistrarPublic struct {
	Street        []string // up to three lines
	City          string
	StateProvince string
	PostalCode    string
	CountryCode   string // ISO 3166-1 alpha-2
	Phone         string // E.164 with a dot after the country code, as EPP has it
	Fax           string
	AbuseEmail    string
	AbusePhone    string
	RDAPBaseURL   string // that of its own RDAP service, https, with a slash at its end
	WHOISServer   string // host name of its own WHOIS service
}

// IsZero says whether nothing is known.
func (p *RegistrarPublic) IsZero() bool {
	return len(p.Street) == 0 && p.City == "" && p.StateProvince == "" && p.PostalCode == "" && p.CountryCode == "" &&
		p.Phone == "" && p.Fax == "" && p.AbuseEmail == "" && p.AbusePhone == "" && p.RDAPBaseURL == "" && p.WHOISServer == ""
}

// DisclosureGrant lets a requester with a legitimate interest see personal data for a purpose and a
// time. The requester proves who it is by a client certificate.
type DisclosureGrant struct {
	// ID names the grant for ever.
	ID string
	// Requester is who it is for, as in the certificate: a short name.
	Requester string
	// CertificateSHA256 is the fingerprint of the requester's certificate.
	CertificateSHA256 []byte
	// Purpose is what the data are for, in the words of the request that was approved.
	Purpose string
	// TLDs are those whose data it covers; empty: all.
	TLDs      []DomainName
	CreatedAt time.Time
	CreatedBy string
	ExpiresAt time.Time
	RevokedAt time.Time
	// Disclosures counts the answers that were given under it.
	Disclosures uint64
}

// InForce says whether the grant opens anything at the given time.
func (g *DisclosureGrant) InForce(now time.Time) bool {
	return g.RevokedAt.IsZero() && now.Before(g.ExpiresAt)
}

// Covers says whether the grant is for data of the TLD.
func (g *DisclosureGrant) Covers(tld DomainName) bool {
	if len(g.TLDs) == 0 {
		return true
	}
	for _, covered := range g.TLDs {
		if covered == tld {
			return true
		}
	}
	return false
}

// Disclosure is one answer with personal data that was given to an authorised requester.
type Disclosure struct {
	Number    uint64
	At        time.Time
	GrantID   string
	Requester string
	Purpose   string
	// Kind and Key are of the object that was asked for.
	Kind ObjectKind
	Key  string
	// Node answered, to the client at Address.
	Node    string
	Address string
}
