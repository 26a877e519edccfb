package eppxml

// HostUpdate is <update> of a host (RFC 5732 section 3.2.5). Parts that were not given are nil or empty.
type HostUpdate struct {
	Name     string
	Add, Rem *HostAddRem
	// NewName renames the host; empty leaves the name.
	NewName string
}

// HostAddRem is what a host update adds or removes.
type HostAddRem struct {
	Addrs    []HostAddr
	Statuses []Status
}

// Verb implements Body.
func (*HostUpdate) Verb() Verb { return VerbUpdate }

func (d *decoder) hostUpdate(n int32) *HostUpdate {
	c := d.sequence(n)
	out := &HostUpdate{Name: d.label(c.expect("name"))}
	if n, ok := c.optional("add"); ok {
		out.Add = d.hostAddRem(n)
	}
	if n, ok := c.optional("rem"); ok {
		out.Rem = d.hostAddRem(n)
	}
	if n, ok := c.optional("chg"); ok {
		chg := d.sequence(n)
		out.NewName = d.label(chg.expect("name"))
		chg.end()
	}
	c.end()
	return out
}

func (d *decoder) hostAddRem(n int32) *HostAddRem {
	c := d.sequence(n)
	out := &HostAddRem{Addrs: c.addresses("addr")}
	out.Statuses = c.statuses(0, maxStatusesOther, isHostStatus)
	c.end()
	return out
}
