package eppxml

// NSOrg is the namespace of the organisation mapping (RFC 8543).
const NSOrg = "urn:ietf:params:xml:ns:epp:org-1.0"

// Counts of elements in org-1.0.
const (
	maxOrgCreateStatuses = 4
	maxOrgUpdateStatuses = 9
	maxOrgRoleStatuses   = 3
)

// OrgRole is a role of an organisation.
type OrgRole struct {
	// Type is such as reseller. The schema lets it be empty.
	Type     string
	Statuses []string
	// ID may be empty.
	ID string
}

// OrgPostalInfo is one form of the name and address of an organisation.
type OrgPostalInfo struct {
	// Type is PostalInt or PostalLoc.
	Type, Name string
	// Addr is nil if there is none.
	Addr *PostalAddr
}

// OrgContact links an organisation to a contact.
type OrgContact struct {
	// Type is admin, billing, tech, abuse or custom; TypeName says what kind of custom contact it is.
	Type, TypeName, ID string
}

// orgStatuses decodes consecutive elements of org:statusType.
func (c *cursor) orgStatuses(most int) []string {
	var out []string
	c.many("status", 0, most, func(n int32) {
		c.d.noAttributes(n)
		out = append(out, c.d.oneOf(n, c.d.simple(n), "ok", "hold", "terminated", "clientDeleteProhibited", "clientUpdateProhibited",
			"clientLinkProhibited", "linked", "pendingCreate", "pendingUpdate", "pendingDelete", "serverDeleteProhibited",
			"serverUpdateProhibited", "serverLinkProhibited"))
	})
	return out
}

// orgRoles decodes consecutive elements of org:roleType.
func (c *cursor) orgRoles(least int) []OrgRole {
	var out []OrgRole
	d := c.d
	c.many("role", least, unbounded, func(n int32) {
		in := d.sequence(n)
		role := OrgRole{Type: d.token(in.expect("type"), 0, noMax)}
		in.many("status", 0, maxOrgRoleStatuses, func(n int32) {
			d.noAttributes(n)
			role.Statuses = append(role.Statuses, d.oneOf(n, d.simple(n), "ok", "clientLinkProhibited", "linked", "serverLinkProhibited"))
		})
		if n, ok := in.optional("roleID"); ok {
			role.ID = d.token(n, 0, noMax)
		}
		in.end()
		out = append(out, role)
	})
	return out
}

// orgContacts decodes consecutive elements of org:contactType.
func (c *cursor) orgContacts() []OrgContact {
	var out []OrgContact
	d := c.d
	c.many("contact", 0, unbounded, func(n int32) {
		a := d.attributes(n)
		contact := OrgContact{Type: d.oneOf(n, a.required("type"), "admin", "billing", "tech", "abuse", "custom")}
		if name, ok := a.optional("typeName"); ok {
			contact.TypeName = collapse(name)
		}
		a.end()
		contact.ID = d.tokenBody(n, minID, maxID)
		out = append(out, contact)
	})
	return out
}

// orgPostalInfos decodes consecutive postal infos, of which a change may leave the name out.
func (c *cursor) orgPostalInfos(change bool) []OrgPostalInfo {
	var out []OrgPostalInfo
	d := c.d
	c.many("postalInfo", 0, maxPostalInfos, func(n int32) {
		p := OrgPostalInfo{Type: d.postalType(n)}
		in := d.sequenceOnly(n)
		if n, ok := in.optional("name"); ok {
			p.Name = d.line(n, 1, maxPostalLine)
		} else if !change {
			in.expect("name")
		}
		if n, ok := in.optional("addr"); ok {
			addr := d.postalAddr(n)
			p.Addr = &addr
		}
		in.end()
		out = append(out, p)
	})
	return out
}

// optionalOrgEmail decodes an optional e-mail address, "" if there is none.
func (c *cursor) optionalOrgEmail() string {
	n, ok := c.optional("email")
	if !ok {
		return ""
	}
	return c.d.token(n, 1, noMax)
}

// optionalURL decodes an optional URL, nil if there is none.
func (c *cursor) optionalURL() *string {
	n, ok := c.optional("url")
	if !ok {
		return nil
	}
	url := c.d.uri(n)
	return &url
}

func appendOrgRoles(dst []byte, roles []OrgRole) []byte {
	for i := range roles {
		dst = appendLeaf(append(dst, "<org:role>"...), "org:type", roles[i].Type)
		dst = appendLeaves(dst, "org:status", roles[i].Statuses)
		dst = appendOptional(dst, "org:roleID", roles[i].ID)
		dst = append(dst, "</org:role>"...)
	}
	return dst
}

func appendOrgContacts(dst []byte, contacts []OrgContact) []byte {
	for _, c := range contacts {
		dst = appendAttr(append(dst, "<org:contact"...), "type", c.Type)
		if c.TypeName != "" {
			dst = appendAttr(dst, "typeName", c.TypeName)
		}
		dst = appendClose(appendText(append(dst, '>'), c.ID), "org:contact")
	}
	return dst
}

func appendOrgPostalInfos(dst []byte, forms []OrgPostalInfo) []byte {
	for i := range forms {
		dst = append(appendAttr(append(dst, "<org:postalInfo"...), "type", forms[i].Type), '>')
		dst = appendOptional(dst, "org:name", forms[i].Name)
		if forms[i].Addr != nil {
			dst = appendPostalAddr(dst, "org", forms[i].Addr)
		}
		dst = appendClose(dst, "org:postalInfo")
	}
	return dst
}

func appendOptionalURL(dst []byte, url *string) []byte {
	if url == nil {
		return dst
	}
	return appendLeaf(dst, "org:url", *url)
}
