package eppxml

// NSOrgExt is the namespace of the extension that links objects to organisations (RFC 8544).
const NSOrgExt = "urn:ietf:params:xml:ns:epp:orgext-1.0"

// OrgLink says which organisation acts in a role for an object.
type OrgLink struct {
	// Role is such as reseller. ID may be empty where links are removed. The schema lets both be empty.
	Role, ID string
}

// OrgExtUpdate is <orgext:update>.
type OrgExtUpdate struct {
	Add, Rem, Chg []OrgLink
}

// DecodeOrgExtCreate decodes <orgext:create>.
func DecodeOrgExtCreate(e *Element) ([]OrgLink, *Error) {
	var out []OrgLink
	err := decodeElement(e, func(d *decoder, n int32) { out = d.orgLinks(d.rootOf(n, NSOrgExt, "create"), 1) })
	return out, err
}

// DecodeOrgExtInfData decodes <orgext:infData>, as a client reads it.
func DecodeOrgExtInfData(e *Element) ([]OrgLink, *Error) {
	var out []OrgLink
	err := decodeElement(e, func(d *decoder, n int32) { out = d.orgLinks(d.rootOf(n, NSOrgExt, "infData"), 0) })
	return out, err
}

// DecodeOrgExtUpdate decodes <orgext:update>.
func DecodeOrgExtUpdate(e *Element) (*OrgExtUpdate, *Error) {
	out := &OrgExtUpdate{}
	err := decodeElement(e, func(d *decoder, n int32) {
		c := d.sequence(d.rootOf(n, NSOrgExt, "update"))
		for _, part := range []struct {
			name string
			into *[]OrgLink
		}{{"add", &out.Add}, {"rem", &out.Rem}, {"chg", &out.Chg}} {
			if n, ok := c.optional(part.name); ok {
				*part.into = d.orgLinks(n, 1)
			}
		}
		c.end()
	})
	return out, err
}

func (d *decoder) orgLinks(n int32, least int) []OrgLink {
	c := d.sequence(n)
	var out []OrgLink
	c.many("id", least, unbounded, func(n int32) {
		a := d.attributes(n)
		link := OrgLink{Role: collapse(a.required("role"))}
		a.end()
		link.ID = d.tokenBody(n, 0, noMax)
		out = append(out, link)
	})
	c.end()
	return out
}

// AppendOrgExtCreate appends <orgext:create>. The schema asks for one link at least.
func AppendOrgExtCreate(dst []byte, links []OrgLink) []byte {
	dst = appendObjectOpen(dst, "orgext", NSOrgExt, "create")
	return appendClose(appendOrgLinks(dst, links), "orgext:create")
}

// AppendOrgExtInfData appends <orgext:infData>.
func AppendOrgExtInfData(dst []byte, links []OrgLink) []byte {
	dst = appendObjectOpen(dst, "orgext", NSOrgExt, "infData")
	return appendClose(appendOrgLinks(dst, links), "orgext:infData")
}

// AppendOrgExtUpdate appends <orgext:update>, without the parts that are empty.
func AppendOrgExtUpdate(dst []byte, u *OrgExtUpdate) []byte {
	dst = appendObjectOpen(dst, "orgext", NSOrgExt, "update")
	for _, part := range []struct {
		qname string
		links []OrgLink
	}{{"orgext:add", u.Add}, {"orgext:rem", u.Rem}, {"orgext:chg", u.Chg}} {
		if len(part.links) > 0 {
			dst = append(append(append(dst, '<'), part.qname...), '>')
			dst = appendClose(appendOrgLinks(dst, part.links), part.qname)
		}
	}
	return appendClose(dst, "orgext:update")
}

func appendOrgLinks(dst []byte, links []OrgLink) []byte {
	for _, link := range links {
		dst = append(appendAttr(append(dst, "<orgext:id"...), "role", link.Role), '>')
		dst = appendClose(appendText(dst, link.ID), "orgext:id")
	}
	return dst
}
