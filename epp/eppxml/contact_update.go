package eppxml

// ContactUpdate is <update> of a contact (RFC 5733 section 3.2.4). Parts that were not given are nil.
type ContactUpdate struct {
	ID string
	// Add and Rem are status values.
	Add, Rem []Status
	Chg      *ContactChg
}

// ContactChg is what a contact update changes; nil and empty mean unchanged.
type ContactChg struct {
	PostalInfos []PostalInfoChg
	// Voice and Fax with an empty number take the number away.
	Voice, Fax *Phone
	Email      string
	AuthInfo   *AuthInfo
	Disclose   *Disclose
}

// Verb implements Body.
func (*ContactUpdate) Verb() Verb { return VerbUpdate }

func (d *decoder) contactUpdate(n int32) *ContactUpdate {
	c := d.sequence(n)
	out := &ContactUpdate{ID: d.id(c.expect("id"))}
	if n, ok := c.optional("add"); ok {
		out.Add = d.contactStatuses(n)
	}
	if n, ok := c.optional("rem"); ok {
		out.Rem = d.contactStatuses(n)
	}
	if n, ok := c.optional("chg"); ok {
		out.Chg = d.contactChg(n)
	}
	c.end()
	return out
}

// contactStatuses decodes contact:addRemType.
func (d *decoder) contactStatuses(n int32) []Status {
	c := d.sequence(n)
	out := c.statuses(1, maxStatusesOther, isContactStatus)
	c.end()
	return out
}

func (d *decoder) contactChg(n int32) *ContactChg {
	c := d.sequence(n)
	out := &ContactChg{}
	c.many("postalInfo", 0, maxPostalInfos, func(n int32) {
		out.PostalInfos = append(out.PostalInfos, d.postalInfoChg(n))
	})
	out.Voice = c.optionalPhone("voice")
	out.Fax = c.optionalPhone("fax")
	if n, ok := c.optional("email"); ok {
		out.Email = d.token(n, 1, noMax)
	}
	if n, ok := c.optional("authInfo"); ok {
		out.AuthInfo = d.authInfo(n, false)
	}
	out.Disclose = c.optionalDisclose()
	c.end()
	return out
}
