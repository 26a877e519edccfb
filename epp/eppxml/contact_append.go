package eppxml

// appendPostalInfo appends contact:postalInfoType.
func appendPostalInfo(dst []byte, p *PostalInfo) []byte {
	dst = append(appendAttr(append(dst, "<contact:postalInfo"...), "type", p.Type), '>')
	dst = appendLeaf(dst, "contact:name", p.Name)
	dst = appendOptional(dst, "contact:org", p.Org)
	dst = appendPostalAddr(dst, "contact", &p.Addr)
	return appendClose(dst, "contact:postalInfo")
}

// appendPostalInfoChg appends contact:chgPostalInfoType.
func appendPostalInfoChg(dst []byte, p *PostalInfoChg) []byte {
	dst = append(appendAttr(append(dst, "<contact:postalInfo"...), "type", p.Type), '>')
	dst = appendOptional(dst, "contact:name", p.Name)
	if p.Org != nil {
		dst = appendLeaf(dst, "contact:org", *p.Org)
	}
	if p.Addr != nil {
		dst = appendPostalAddr(dst, "contact", p.Addr)
	}
	return appendClose(dst, "contact:postalInfo")
}

// appendPostalAddr appends contact:addrType, or that of another mapping.
func appendPostalAddr(dst []byte, prefix string, p *PostalAddr) []byte {
	dst = append(append(append(dst, '<'), prefix...), ":addr>"...)
	for _, s := range p.Street {
		dst = appendLeaf(dst, prefix+":street", s)
	}
	dst = appendLeaf(dst, prefix+":city", p.City)
	dst = appendOptional(dst, prefix+":sp", p.SP)
	dst = appendOptional(dst, prefix+":pc", p.PC)
	dst = appendLeaf(dst, prefix+":cc", p.CC)
	return appendClose(dst, prefix+":addr")
}

// appendPhone appends contact:e164Type, and nothing for nil.
func appendPhone(dst []byte, qname string, p *Phone) []byte {
	if p == nil {
		return dst
	}
	dst = append(append(dst, '<'), qname...)
	if p.Ext != "" {
		dst = appendAttr(dst, "x", p.Ext)
	}
	return appendClose(appendText(append(dst, '>'), p.Number), qname)
}

// appendDisclose appends contact:discloseType, and nothing for nil.
func appendDisclose(dst []byte, p *Disclose) []byte {
	if p == nil {
		return dst
	}
	dst = append(appendBool(append(dst, "<contact:disclose"...), "flag", p.Flag), '>')
	typed := func(name string, international, local bool) {
		if international {
			dst = append(append(append(dst, "<contact:"...), name...), ` type="int"/>`...)
		}
		if local {
			dst = append(append(append(dst, "<contact:"...), name...), ` type="loc"/>`...)
		}
	}
	typed("name", p.NameInt, p.NameLoc)
	typed("org", p.OrgInt, p.OrgLoc)
	typed("addr", p.AddrInt, p.AddrLoc)
	if p.Voice {
		dst = append(dst, "<contact:voice/>"...)
	}
	if p.Fax {
		dst = append(dst, "<contact:fax/>"...)
	}
	if p.Email {
		dst = append(dst, "<contact:email/>"...)
	}
	return appendClose(dst, "contact:disclose")
}
