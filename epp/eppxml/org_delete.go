package eppxml

// OrgDelete is <delete> of an organisation (RFC 8543 section 4.2.2).
type OrgDelete struct {
	ID string
}

// Verb implements Body.
func (*OrgDelete) Verb() Verb { return VerbDelete }

func (d *decoder) orgDelete(n int32) *OrgDelete {
	c := d.sequence(n)
	out := &OrgDelete{ID: d.id(c.expect("id"))}
	c.end()
	return out
}
