package eppxml

import "time"

// DomainRenew is <renew> of a domain (RFC 5731 section 3.2.3).
type DomainRenew struct {
	Name string
	// CurExpDate is the day on which the client believes the domain to expire, at midnight UTC.
	CurExpDate time.Time
	Period     Period
}

// Verb implements Body.
func (*DomainRenew) Verb() Verb { return VerbRenew }

func (d *decoder) domainRenew(n int32) *DomainRenew {
	c := d.sequence(n)
	out := &DomainRenew{Name: d.label(c.expect("name"))}
	out.CurExpDate = d.date(c.expect("curExpDate"))
	out.Period = c.optionalPeriod()
	c.end()
	return out
}

// DomainRenData is the response data of a domain renew. A zero ExDate is left out.
type DomainRenData struct {
	Name   string
	ExDate time.Time
}

// AppendDomainRenData appends the response data of a domain renew.
func AppendDomainRenData(dst []byte, r *DomainRenData) []byte {
	dst = appendObjectOpen(dst, "domain", NSDomain, "renData")
	dst = appendLeaf(dst, "domain:name", r.Name)
	dst = appendTime(dst, "domain:exDate", r.ExDate)
	return appendClose(dst, "domain:renData")
}
