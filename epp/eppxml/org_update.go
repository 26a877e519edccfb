package eppxml

// OrgUpdate is <update> of an organisation (RFC 8543 section 4.2.5). Parts that were not given are nil.
type OrgUpdate struct {
	ID       string
	Add, Rem *OrgAddRem
	Chg      *OrgChg
}

// OrgAddRem is what an update of an organisation adds or removes.
type OrgAddRem struct {
	Contacts []OrgContact
	Roles    []OrgRole
	Statuses []string
}

// OrgChg is what an update of an organisation changes; nil and empty mean unchanged.
type OrgChg struct {
	Parent string
	// PostalInfos may be without a name.
	PostalInfos []OrgPostalInfo
	// Voice and Fax with an empty number take the number away.
	Voice, Fax *Phone
	Email      string
	URL        *string
}

// Verb implements Body.
func (*OrgUpdate) Verb() Verb { return VerbUpdate }

func (d *decoder) orgUpdate(n int32) *OrgUpdate {
	c := d.sequence(n)
	out := &OrgUpdate{ID: d.id(c.expect("id"))}
	if n, ok := c.optional("add"); ok {
		out.Add = d.orgAddRem(n)
	}
	if n, ok := c.optional("rem"); ok {
		out.Rem = d.orgAddRem(n)
	}
	if n, ok := c.optional("chg"); ok {
		out.Chg = d.orgChg(n)
	}
	c.end()
	return out
}

func (d *decoder) orgAddRem(n int32) *OrgAddRem {
	c := d.sequence(n)
	out := &OrgAddRem{Contacts: c.orgContacts()}
	out.Roles = c.orgRoles(0)
	out.Statuses = c.orgStatuses(maxOrgUpdateStatuses)
	c.end()
	return out
}

func (d *decoder) orgChg(n int32) *OrgChg {
	c := d.sequence(n)
	out := &OrgChg{}
	if n, ok := c.optional("parentId"); ok {
		out.Parent = d.id(n)
	}
	out.PostalInfos = c.orgPostalInfos(true)
	out.Voice = c.optionalPhone("voice")
	out.Fax = c.optionalPhone("fax")
	out.Email = c.optionalOrgEmail()
	out.URL = c.optionalURL()
	c.end()
	return out
}
