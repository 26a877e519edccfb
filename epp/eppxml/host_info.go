package eppxml

import "time"

// HostInfo is <info> of a host (RFC 5732 section 3.1.2).
type HostInfo struct {
	Name string
}

// Verb implements Body.
func (*HostInfo) Verb() Verb { return VerbInfo }

func (d *decoder) hostInfo(n int32) *HostInfo {
	c := d.sequence(n)
	out := &HostInfo{Name: d.label(c.expect("name"))}
	c.end()
	return out
}

// HostInfData is the response data of a host info. The schema requires one to seven statuses; an empty UpID, and zero
// UpDate and TrDate, are left out.
type HostInfData struct {
	Name, ROID             string
	Statuses               []Status
	Addrs                  []HostAddr
	ClID, CrID, UpID       string
	CrDate, UpDate, TrDate time.Time
}

// AppendHostInfData appends the response data of a host info.
func AppendHostInfData(dst []byte, r *HostInfData) []byte {
	dst = appendObjectOpen(dst, "host", NSHost, "infData")
	dst = appendLeaf(dst, "host:name", r.Name)
	dst = appendLeaf(dst, "host:roid", r.ROID)
	dst = appendStatuses(dst, "host:status", r.Statuses)
	dst = appendAddrs(dst, "host:addr", r.Addrs)
	dst = appendLeaf(dst, "host:clID", r.ClID)
	dst = appendLeaf(dst, "host:crID", r.CrID)
	dst = appendTime(dst, "host:crDate", r.CrDate)
	dst = appendOptional(dst, "host:upID", r.UpID)
	dst = appendTime(dst, "host:upDate", r.UpDate)
	dst = appendTime(dst, "host:trDate", r.TrDate)
	return appendClose(dst, "host:infData")
}
