package eppxml

// isContactStatus is contact:statusValueType.
func isContactStatus(s string) bool {
	switch s {
	case "clientDeleteProhibited", "clientTransferProhibited", "clientUpdateProhibited", "linked", "ok", "pendingCreate",
		"pendingDelete", "pendingTransfer", "pendingUpdate", "serverDeleteProhibited", "serverTransferProhibited",
		"serverUpdateProhibited":
		return true
	}
	return false
}

// The values of contact:postalInfoEnumType: a form in ASCII, and one in the local script.
const (
	PostalInt = "int"
	PostalLoc = "loc"
)

// maxPostalInfos is how many postal infos a contact may have.
const maxPostalInfos = 2

// maxStreets is how many street lines an address may have.
const maxStreets = 3

// PostalInfo is a contact's name and address. The schema lets both of a contact's be of the same type.
type PostalInfo struct {
	// Type is PostalInt or PostalLoc.
	Type, Name string
	// Org may be empty.
	Org  string
	Addr PostalAddr
}

// PostalAddr is a postal address. SP and PC may be empty; CC has two characters.
type PostalAddr struct {
	Street           []string
	City, SP, PC, CC string
}

// PostalInfoChg is the part of a postal info that a contact update changes.
type PostalInfoChg struct {
	Type string
	// Name is empty if unchanged.
	Name string
	// Org is nil if unchanged, and may be empty.
	Org  *string
	Addr *PostalAddr
}

// Phone is a telephone number.
type Phone struct {
	// Number is in the form +CC.NNN (E.164), or empty.
	Number string
	// Ext is the extension, or empty.
	Ext string
}

// Disclose says which data a contact wants disclosed, or not (RFC 5733 section 2.9).
type Disclose struct {
	// Flag true means that the named data may be disclosed, false that it must not.
	Flag              bool
	NameInt, NameLoc  bool
	OrgInt, OrgLoc    bool
	AddrInt, AddrLoc  bool
	Voice, Fax, Email bool
}

func (d *decoder) postalType(n int32) string {
	a := d.attributes(n)
	t := d.oneOf(n, a.required("type"), PostalInt, PostalLoc)
	a.end()
	return t
}

// postalInfo decodes contact:postalInfoType.
func (d *decoder) postalInfo(n int32) PostalInfo {
	p := PostalInfo{Type: d.postalType(n)}
	c := d.sequenceOnly(n)
	p.Name = d.line(c.expect("name"), 1, maxPostalLine)
	if n, ok := c.optional("org"); ok {
		p.Org = d.line(n, 0, maxPostalLine)
	}
	p.Addr = d.postalAddr(c.expect("addr"))
	c.end()
	return p
}

// postalInfoChg decodes contact:chgPostalInfoType.
func (d *decoder) postalInfoChg(n int32) PostalInfoChg {
	p := PostalInfoChg{Type: d.postalType(n)}
	c := d.sequenceOnly(n)
	if n, ok := c.optional("name"); ok {
		p.Name = d.line(n, 1, maxPostalLine)
	}
	if n, ok := c.optional("org"); ok {
		org := d.line(n, 0, maxPostalLine)
		p.Org = &org
	}
	if n, ok := c.optional("addr"); ok {
		addr := d.postalAddr(n)
		p.Addr = &addr
	}
	c.end()
	return p
}

// postalAddr decodes contact:addrType.
func (d *decoder) postalAddr(n int32) PostalAddr {
	c := d.sequence(n)
	var p PostalAddr
	c.many("street", 0, maxStreets, func(n int32) { p.Street = append(p.Street, d.line(n, 0, maxPostalLine)) })
	p.City = d.line(c.expect("city"), 1, maxPostalLine)
	if n, ok := c.optional("sp"); ok {
		p.SP = d.line(n, 0, maxPostalLine)
	}
	if n, ok := c.optional("pc"); ok {
		p.PC = d.token(n, 0, maxPostalCode)
	}
	p.CC = d.token(c.expect("cc"), countryCodeLength, countryCodeLength)
	c.end()
	return p
}

// optionalPhone decodes an optional contact:e164Type.
func (c *cursor) optionalPhone(name string) *Phone {
	n, ok := c.optional(name)
	if !ok {
		return nil
	}
	d := c.d
	p := &Phone{}
	a := d.attributes(n)
	if x, ok := a.optional("x"); ok {
		p.Ext = collapse(x)
	}
	a.end()
	p.Number = d.tokenBody(n, 0, maxE164)
	if d.err == nil && !isE164(p.Number) {
		d.fail(n, p.Number, "value is not a number of the form +1.2345")
	}
	return p
}

// optionalDisclose decodes an optional contact:discloseType.
func (c *cursor) optionalDisclose() *Disclose {
	n, ok := c.optional("disclose")
	if !ok {
		return nil
	}
	d := c.d
	out := &Disclose{}
	a := d.attributes(n)
	out.Flag = d.boolean(n, a.required("flag"))
	a.end()
	in := d.sequenceOnly(n)
	typed := func(name string, international, local *bool) {
		in.many(name, 0, maxPostalInfos, func(n int32) {
			if d.postalType(n) == PostalInt {
				*international = true
			} else {
				*local = true
			}
			d.empty(n)
		})
	}
	typed("name", &out.NameInt, &out.NameLoc)
	typed("org", &out.OrgInt, &out.OrgLoc)
	typed("addr", &out.AddrInt, &out.AddrLoc)
	// These three have no declared type: any content is valid.
	_, out.Voice = in.optional("voice")
	_, out.Fax = in.optional("fax")
	_, out.Email = in.optional("email")
	in.end()
	return out
}
