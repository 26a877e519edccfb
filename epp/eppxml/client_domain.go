package eppxml

import "strconv"

func (c *DomainCheck) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbCheck, "domain", NSDomain)
	return appendVerbEnd(appendLeaves(dst, "domain:name", c.Names), VerbCheck, "domain")
}

func (c *DomainInfo) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbInfo, "domain", NSDomain)
	dst = append(dst, "<domain:name"...)
	if c.Hosts != "" {
		dst = appendAttr(dst, "hosts", string(c.Hosts))
	}
	dst = appendClose(appendText(append(dst, '>'), c.Name), "domain:name")
	return appendVerbEnd(appendAuthInfo(dst, "domain", c.AuthInfo), VerbInfo, "domain")
}

func (c *DomainCreate) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbCreate, "domain", NSDomain)
	dst = appendLeaf(dst, "domain:name", c.Name)
	dst = appendPeriod(dst, c.Period)
	dst = appendNS(dst, c.NS)
	dst = appendOptional(dst, "domain:registrant", c.Registrant)
	dst = appendDomainContacts(dst, c.Contacts)
	return appendVerbEnd(appendAuthInfo(dst, "domain", c.AuthInfo), VerbCreate, "domain")
}

func (c *DomainUpdate) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbUpdate, "domain", NSDomain)
	dst = appendLeaf(dst, "domain:name", c.Name)
	dst = c.Add.append(dst, "domain:add")
	dst = c.Rem.append(dst, "domain:rem")
	if c.Chg != nil {
		dst = append(dst, "<domain:chg>"...)
		if c.Chg.Registrant != nil {
			dst = appendLeaf(dst, "domain:registrant", *c.Chg.Registrant)
		}
		dst = appendAuthInfo(dst, "domain", c.Chg.AuthInfo)
		dst = append(dst, "</domain:chg>"...)
	}
	return appendVerbEnd(dst, VerbUpdate, "domain")
}

// append appends an add or rem element, and nothing for nil.
func (a *DomainAddRem) append(dst []byte, qname string) []byte {
	if a == nil {
		return dst
	}
	dst = append(append(append(dst, '<'), qname...), '>')
	dst = appendNS(dst, a.NS)
	dst = appendDomainContacts(dst, a.Contacts)
	return appendClose(appendStatuses(dst, "domain:status", a.Statuses), qname)
}

func (c *DomainDelete) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbDelete, "domain", NSDomain)
	return appendVerbEnd(appendLeaf(dst, "domain:name", c.Name), VerbDelete, "domain")
}

func (c *DomainRenew) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbRenew, "domain", NSDomain)
	dst = appendLeaf(dst, "domain:name", c.Name)
	dst = append(dst, "<domain:curExpDate>"...)
	dst = c.CurExpDate.AppendFormat(dst, dateLayout)
	dst = append(dst, "</domain:curExpDate>"...)
	return appendVerbEnd(appendPeriod(dst, c.Period), VerbRenew, "domain")
}

func (c *DomainTransfer) appendBody(dst []byte) []byte {
	dst = appendTransfer(dst, c.Op, "domain", NSDomain)
	dst = appendLeaf(dst, "domain:name", c.Name)
	dst = appendPeriod(dst, c.Period)
	return appendVerbEnd(appendAuthInfo(dst, "domain", c.AuthInfo), VerbTransfer, "domain")
}

// appendPeriod appends <domain:period>, and nothing for the zero Period.
func appendPeriod(dst []byte, p Period) []byte {
	if p == (Period{}) {
		return dst
	}
	dst = append(appendAttr(append(dst, "<domain:period"...), "unit", p.Unit), '>')
	dst = strconv.AppendInt(dst, int64(p.Count), 10)
	return append(dst, "</domain:period>"...)
}
