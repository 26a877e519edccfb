package eppxml

import "time"

// DomainCreate is <create> of a domain (RFC 5731 section 3.2.1).
type DomainCreate struct {
	Name       string
	Period     Period
	NS         *NameServers
	Registrant string
	Contacts   []DomainContact
	AuthInfo   *AuthInfo
}

// Verb implements Body.
func (*DomainCreate) Verb() Verb { return VerbCreate }

func (d *decoder) domainCreate(n int32) *DomainCreate {
	c := d.sequence(n)
	out := &DomainCreate{Name: d.label(c.expect("name"))}
	out.Period = c.optionalPeriod()
	out.NS = c.optionalNS()
	if n, ok := c.optional("registrant"); ok {
		out.Registrant = d.id(n)
	}
	out.Contacts = c.domainContacts()
	out.AuthInfo = d.authInfo(c.expect("authInfo"), false)
	c.end()
	return out
}

// DomainCreData is the response data of a domain create. A zero ExDate is left out.
type DomainCreData struct {
	Name           string
	CrDate, ExDate time.Time
}

// AppendDomainCreData appends the response data of a domain create.
func AppendDomainCreData(dst []byte, r *DomainCreData) []byte {
	dst = appendObjectOpen(dst, "domain", NSDomain, "creData")
	dst = appendLeaf(dst, "domain:name", r.Name)
	dst = appendTime(dst, "domain:crDate", r.CrDate)
	dst = appendTime(dst, "domain:exDate", r.ExDate)
	return appendClose(dst, "domain:creData")
}
