package eppxml

import "time"

// HostsFilter says which hosts a domain info lists.
type HostsFilter string

// The values of domain:hostsType.
const (
	HostsAll         HostsFilter = "all"
	HostsDelegated   HostsFilter = "del"
	HostsNone        HostsFilter = "none"
	HostsSubordinate HostsFilter = "sub"
)

// DomainInfo is <info> of a domain (RFC 5731 section 3.1.2).
type DomainInfo struct {
	Name string
	// Hosts is HostsAll unless the client says otherwise.
	Hosts    HostsFilter
	AuthInfo *AuthInfo
}

// Verb implements Body.
func (*DomainInfo) Verb() Verb { return VerbInfo }

func (d *decoder) domainInfo(n int32) *DomainInfo {
	c := d.sequence(n)
	out := &DomainInfo{Hosts: HostsAll}
	name := c.expect("name")
	a := d.attributes(name)
	if hosts, ok := a.optional("hosts"); ok {
		out.Hosts = HostsFilter(d.oneOf(name, hosts, "all", "del", "none", "sub"))
	}
	a.end()
	out.Name = d.tokenBody(name, minLabel, maxLabel)
	if n, ok := c.optional("authInfo"); ok {
		out.AuthInfo = d.authInfo(n, false)
	}
	c.end()
	return out
}

// DomainInfData is the response data of a domain info. Name, ROID and ClID are always required by the schema; empty
// strings, zero times and nil leave the other elements out.
type DomainInfData struct {
	Name, ROID string
	// Statuses are at most 11.
	Statuses   []Status
	Registrant string
	Contacts   []DomainContact
	NS         *NameServers
	// Hosts are the subordinate hosts.
	Hosts                          []string
	ClID, CrID, UpID               string
	CrDate, UpDate, ExDate, TrDate time.Time
	AuthInfo                       *AuthInfo
}

// AppendDomainInfData appends the response data of a domain info.
func AppendDomainInfData(dst []byte, r *DomainInfData) []byte {
	dst = appendObjectOpen(dst, "domain", NSDomain, "infData")
	dst = appendLeaf(dst, "domain:name", r.Name)
	dst = appendLeaf(dst, "domain:roid", r.ROID)
	dst = appendStatuses(dst, "domain:status", r.Statuses)
	dst = appendOptional(dst, "domain:registrant", r.Registrant)
	dst = appendDomainContacts(dst, r.Contacts)
	dst = appendNS(dst, r.NS)
	for _, h := range r.Hosts {
		dst = appendLeaf(dst, "domain:host", h)
	}
	dst = appendLeaf(dst, "domain:clID", r.ClID)
	dst = appendOptional(dst, "domain:crID", r.CrID)
	dst = appendTime(dst, "domain:crDate", r.CrDate)
	dst = appendOptional(dst, "domain:upID", r.UpID)
	dst = appendTime(dst, "domain:upDate", r.UpDate)
	dst = appendTime(dst, "domain:exDate", r.ExDate)
	dst = appendTime(dst, "domain:trDate", r.TrDate)
	dst = appendAuthInfo(dst, "domain", r.AuthInfo)
	return appendClose(dst, "domain:infData")
}
