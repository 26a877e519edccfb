package eppxml

import "time"

// HostCreate is <create> of a host (RFC 5732 section 3.2.1).
type HostCreate struct {
	Name  string
	Addrs []HostAddr
}

// Verb implements Body.
func (*HostCreate) Verb() Verb { return VerbCreate }

func (d *decoder) hostCreate(n int32) *HostCreate {
	c := d.sequence(n)
	out := &HostCreate{Name: d.label(c.expect("name"))}
	out.Addrs = c.addresses("addr")
	c.end()
	return out
}

// HostCreData is the response data of a host create.
type HostCreData struct {
	Name   string
	CrDate time.Time
}

// AppendHostCreData appends the response data of a host create.
func AppendHostCreData(dst []byte, r *HostCreData) []byte {
	dst = appendObjectOpen(dst, "host", NSHost, "creData")
	dst = appendLeaf(dst, "host:name", r.Name)
	dst = appendTime(dst, "host:crDate", r.CrDate)
	return appendClose(dst, "host:creData")
}
