package eppxml

func (c *ContactCheck) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbCheck, "contact", NSContact)
	return appendVerbEnd(appendLeaves(dst, "contact:id", c.IDs), VerbCheck, "contact")
}

func (c *ContactInfo) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbInfo, "contact", NSContact)
	dst = appendLeaf(dst, "contact:id", c.ID)
	return appendVerbEnd(appendAuthInfo(dst, "contact", c.AuthInfo), VerbInfo, "contact")
}

func (c *ContactCreate) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbCreate, "contact", NSContact)
	dst = appendLeaf(dst, "contact:id", c.ID)
	for i := range c.PostalInfos {
		dst = appendPostalInfo(dst, &c.PostalInfos[i])
	}
	dst = appendPhone(dst, "contact:voice", c.Voice)
	dst = appendPhone(dst, "contact:fax", c.Fax)
	dst = appendLeaf(dst, "contact:email", c.Email)
	dst = appendAuthInfo(dst, "contact", c.AuthInfo)
	return appendVerbEnd(appendDisclose(dst, c.Disclose), VerbCreate, "contact")
}

func (c *ContactUpdate) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbUpdate, "contact", NSContact)
	dst = appendLeaf(dst, "contact:id", c.ID)
	if len(c.Add) > 0 {
		dst = appendStatuses(append(dst, "<contact:add>"...), "contact:status", c.Add)
		dst = append(dst, "</contact:add>"...)
	}
	if len(c.Rem) > 0 {
		dst = appendStatuses(append(dst, "<contact:rem>"...), "contact:status", c.Rem)
		dst = append(dst, "</contact:rem>"...)
	}
	if chg := c.Chg; chg != nil {
		dst = append(dst, "<contact:chg>"...)
		for i := range chg.PostalInfos {
			dst = appendPostalInfoChg(dst, &chg.PostalInfos[i])
		}
		dst = appendPhone(dst, "contact:voice", chg.Voice)
		dst = appendPhone(dst, "contact:fax", chg.Fax)
		dst = appendOptional(dst, "contact:email", chg.Email)
		dst = appendAuthInfo(dst, "contact", chg.AuthInfo)
		dst = appendDisclose(dst, chg.Disclose)
		dst = append(dst, "</contact:chg>"...)
	}
	return appendVerbEnd(dst, VerbUpdate, "contact")
}

func (c *ContactDelete) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbDelete, "contact", NSContact)
	return appendVerbEnd(appendLeaf(dst, "contact:id", c.ID), VerbDelete, "contact")
}

func (c *ContactTransfer) appendBody(dst []byte) []byte {
	dst = appendTransfer(dst, c.Op, "contact", NSContact)
	dst = appendLeaf(dst, "contact:id", c.ID)
	return appendVerbEnd(appendAuthInfo(dst, "contact", c.AuthInfo), VerbTransfer, "contact")
}
