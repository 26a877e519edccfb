package eppxml

func (c *OrgCheck) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbCheck, "org", NSOrg)
	return appendVerbEnd(appendLeaves(dst, "org:id", c.IDs), VerbCheck, "org")
}

func (c *OrgInfo) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbInfo, "org", NSOrg)
	return appendVerbEnd(appendLeaf(dst, "org:id", c.ID), VerbInfo, "org")
}

func (c *OrgCreate) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbCreate, "org", NSOrg)
	dst = appendLeaf(dst, "org:id", c.ID)
	dst = appendOrgRoles(dst, c.Roles)
	dst = appendLeaves(dst, "org:status", c.Statuses)
	dst = appendOptional(dst, "org:parentId", c.Parent)
	dst = appendOrgPostalInfos(dst, c.PostalInfos)
	dst = appendPhone(dst, "org:voice", c.Voice)
	dst = appendPhone(dst, "org:fax", c.Fax)
	dst = appendOptional(dst, "org:email", c.Email)
	dst = appendOptionalURL(dst, c.URL)
	return appendVerbEnd(appendOrgContacts(dst, c.Contacts), VerbCreate, "org")
}

func (c *OrgUpdate) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbUpdate, "org", NSOrg)
	dst = appendLeaf(dst, "org:id", c.ID)
	dst = appendOrgAddRem(dst, "org:add", c.Add)
	dst = appendOrgAddRem(dst, "org:rem", c.Rem)
	if chg := c.Chg; chg != nil {
		dst = appendOptional(append(dst, "<org:chg>"...), "org:parentId", chg.Parent)
		dst = appendOrgPostalInfos(dst, chg.PostalInfos)
		dst = appendPhone(dst, "org:voice", chg.Voice)
		dst = appendPhone(dst, "org:fax", chg.Fax)
		dst = appendOptional(dst, "org:email", chg.Email)
		dst = append(appendOptionalURL(dst, chg.URL), "</org:chg>"...)
	}
	return appendVerbEnd(dst, VerbUpdate, "org")
}

func appendOrgAddRem(dst []byte, qname string, part *OrgAddRem) []byte {
	if part == nil {
		return dst
	}
	dst = append(append(append(dst, '<'), qname...), '>')
	dst = appendOrgContacts(dst, part.Contacts)
	dst = appendOrgRoles(dst, part.Roles)
	return appendClose(appendLeaves(dst, "org:status", part.Statuses), qname)
}

func (c *OrgDelete) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbDelete, "org", NSOrg)
	return appendVerbEnd(appendLeaf(dst, "org:id", c.ID), VerbDelete, "org")
}
