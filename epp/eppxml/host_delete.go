package eppxml

// HostDelete is <delete> of a host (RFC 5732 section 3.2.2).
type HostDelete struct {
	Name string
}

// Verb implements Body.
func (*HostDelete) Verb() Verb { return VerbDelete }

func (d *decoder) hostDelete(n int32) *HostDelete {
	c := d.sequence(n)
	out := &HostDelete{Name: d.label(c.expect("name"))}
	c.end()
	return out
}
