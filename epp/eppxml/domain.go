package eppxml

// Period is a registration period. The zero Period means that none was given.
type Period struct {
	// Count is 1 to 99.
	Count int
	// Unit is UnitYear or UnitMonth.
	Unit string
}

// The units of a period.
const (
	UnitYear  = "y"
	UnitMonth = "m"
)

// maxPeriod is the largest period of domain:pLimitType.
const maxPeriod = 99

// optionalPeriod decodes an optional domain:periodType.
func (c *cursor) optionalPeriod() Period {
	n, ok := c.optional("period")
	if !ok {
		return Period{}
	}
	d := c.d
	a := d.attributes(n)
	p := Period{Unit: d.oneOf(n, a.required("unit"), UnitYear, UnitMonth)}
	a.end()
	p.Count = int(d.unsigned(n, d.simple(n), 1, maxPeriod))
	return p
}

// NameServers is the content of a <domain:ns>: either host objects or host attributes, never both.
type NameServers struct {
	HostObjs  []string
	HostAttrs []HostAttr
}

// HostAttr is a name server given as an attribute of the domain.
type HostAttr struct {
	Name  string
	Addrs []HostAddr
}

// optionalNS decodes an optional domain:nsType.
func (c *cursor) optionalNS() *NameServers {
	n, ok := c.optional("ns")
	if !ok {
		return nil
	}
	d := c.d
	in := d.sequence(n)
	ns := &NameServers{}
	if k := in.count("hostAttr"); k > 0 {
		ns.HostAttrs = make([]HostAttr, 0, k)
		in.many("hostAttr", 1, unbounded, func(n int32) {
			attr := d.sequence(n)
			h := HostAttr{Name: d.label(attr.expect("hostName"))}
			h.Addrs = attr.addresses("hostAddr")
			attr.end()
			ns.HostAttrs = append(ns.HostAttrs, h)
		})
	} else {
		ns.HostObjs = in.manyTokens("hostObj", 1, minLabel, maxLabel)
	}
	in.end()
	return ns
}

// DomainContact is a contact of a domain with its role.
type DomainContact struct {
	// Type is admin, billing or tech; the schema allows it to be missing.
	Type string
	ID   string
}

// domainContacts decodes consecutive elements of domain:contactType.
func (c *cursor) domainContacts() []DomainContact {
	count := c.count("contact")
	if count == 0 {
		return nil
	}
	d := c.d
	out := make([]DomainContact, 0, count)
	c.many("contact", 0, unbounded, func(n int32) {
		var dc DomainContact
		a := d.attributes(n)
		if typ, ok := a.optional("type"); ok {
			dc.Type = d.oneOf(n, typ, "admin", "billing", "tech")
		}
		a.end()
		dc.ID = d.tokenBody(n, minID, maxID)
		out = append(out, dc)
	})
	return out
}

// isDomainStatus is domain:statusValueType.
func isDomainStatus(s string) bool {
	switch s {
	case "clientDeleteProhibited", "clientHold", "clientRenewProhibited", "clientTransferProhibited",
		"clientUpdateProhibited", "inactive", "ok", "pendingCreate", "pendingDelete", "pendingRenew", "pendingTransfer",
		"pendingUpdate", "serverDeleteProhibited", "serverHold", "serverRenewProhibited", "serverTransferProhibited",
		"serverUpdateProhibited":
		return true
	}
	return false
}

// appendNS appends an optional <domain:ns>. Host attributes win if a caller sets both.
func appendNS(dst []byte, ns *NameServers) []byte {
	if ns == nil || len(ns.HostObjs)+len(ns.HostAttrs) == 0 {
		return dst
	}
	dst = append(dst, "<domain:ns>"...)
	if len(ns.HostAttrs) == 0 {
		for _, h := range ns.HostObjs {
			dst = appendLeaf(dst, "domain:hostObj", h)
		}
	}
	for _, h := range ns.HostAttrs {
		dst = append(dst, "<domain:hostAttr>"...)
		dst = appendLeaf(dst, "domain:hostName", h.Name)
		dst = appendAddrs(dst, "domain:hostAddr", h.Addrs)
		dst = append(dst, "</domain:hostAttr>"...)
	}
	return append(dst, "</domain:ns>"...)
}

// appendDomainContacts appends <domain:contact> elements.
func appendDomainContacts(dst []byte, contacts []DomainContact) []byte {
	for _, c := range contacts {
		dst = append(dst, "<domain:contact"...)
		if c.Type != "" {
			dst = appendAttr(dst, "type", c.Type)
		}
		dst = appendText(append(dst, '>'), c.ID)
		dst = append(dst, "</domain:contact>"...)
	}
	return dst
}
