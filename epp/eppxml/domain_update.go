package eppxml

// DomainUpdate is <update> of a domain (RFC 5731 section 3.2.5). Parts that were not given are nil.
type DomainUpdate struct {
	Name     string
	Add, Rem *DomainAddRem
	Chg      *DomainChg
}

// DomainAddRem is what a domain update adds or removes.
type DomainAddRem struct {
	NS       *NameServers
	Contacts []DomainContact
	Statuses []Status
}

// DomainChg is what a domain update changes.
type DomainChg struct {
	// Registrant is nil if unchanged; an empty string takes the registrant away.
	Registrant *string
	// AuthInfo is nil if unchanged.
	AuthInfo *AuthInfo
}

// Verb implements Body.
func (*DomainUpdate) Verb() Verb { return VerbUpdate }

func (d *decoder) domainUpdate(n int32) *DomainUpdate {
	c := d.sequence(n)
	out := &DomainUpdate{Name: d.label(c.expect("name"))}
	if n, ok := c.optional("add"); ok {
		out.Add = d.domainAddRem(n)
	}
	if n, ok := c.optional("rem"); ok {
		out.Rem = d.domainAddRem(n)
	}
	if n, ok := c.optional("chg"); ok {
		out.Chg = d.domainChg(n)
	}
	c.end()
	return out
}

func (d *decoder) domainAddRem(n int32) *DomainAddRem {
	c := d.sequence(n)
	out := &DomainAddRem{NS: c.optionalNS(), Contacts: c.domainContacts()}
	out.Statuses = c.statuses(0, maxStatusesDomain, isDomainStatus)
	c.end()
	return out
}

func (d *decoder) domainChg(n int32) *DomainChg {
	c := d.sequence(n)
	out := &DomainChg{}
	if n, ok := c.optional("registrant"); ok {
		id := d.token(n, 0, maxID)
		out.Registrant = &id
	}
	if n, ok := c.optional("authInfo"); ok {
		out.AuthInfo = d.authInfo(n, true)
	}
	c.end()
	return out
}
