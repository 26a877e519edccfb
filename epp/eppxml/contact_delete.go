package eppxml

// ContactDelete is <delete> of a contact (RFC 5733 section 3.2.2).
type ContactDelete struct {
	ID string
}

// Verb implements Body.
func (*ContactDelete) Verb() Verb { return VerbDelete }

func (d *decoder) contactDelete(n int32) *ContactDelete {
	c := d.sequence(n)
	out := &ContactDelete{ID: d.id(c.expect("id"))}
	c.end()
	return out
}
