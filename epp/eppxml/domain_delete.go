package eppxml

// DomainDelete is <delete> of a domain (RFC 5731 section 3.2.2).
type DomainDelete struct {
	Name string
}

// Verb implements Body.
func (*DomainDelete) Verb() Verb { return VerbDelete }

func (d *decoder) domainDelete(n int32) *DomainDelete {
	c := d.sequence(n)
	out := &DomainDelete{Name: d.label(c.expect("name"))}
	c.end()
	return out
}
