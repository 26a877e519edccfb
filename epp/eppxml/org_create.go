package eppxml

import "time"

// OrgCreate is <create> of an organisation (RFC 8543 section 4.2.1). What was not given is empty or nil.
type OrgCreate struct {
	ID string
	// Roles are one at least.
	Roles       []OrgRole
	Statuses    []string
	Parent      string
	PostalInfos []OrgPostalInfo
	Voice, Fax  *Phone
	Email       string
	URL         *string
	Contacts    []OrgContact
}

// Verb implements Body.
func (*OrgCreate) Verb() Verb { return VerbCreate }

func (d *decoder) orgCreate(n int32) *OrgCreate {
	c := d.sequence(n)
	out := &OrgCreate{ID: d.id(c.expect("id"))}
	out.Roles = c.orgRoles(1)
	out.Statuses = c.orgStatuses(maxOrgCreateStatuses)
	if n, ok := c.optional("parentId"); ok {
		out.Parent = d.id(n)
	}
	out.PostalInfos = c.orgPostalInfos(false)
	out.Voice = c.optionalPhone("voice")
	out.Fax = c.optionalPhone("fax")
	out.Email = c.optionalOrgEmail()
	out.URL = c.optionalURL()
	out.Contacts = c.orgContacts()
	c.end()
	return out
}

// OrgCreData is the response data of a create of an organisation.
type OrgCreData struct {
	ID     string
	CrDate time.Time
}

// AppendOrgCreData appends the response data of a create of an organisation.
func AppendOrgCreData(dst []byte, r *OrgCreData) []byte {
	dst = appendObjectOpen(dst, "org", NSOrg, "creData")
	dst = appendLeaf(dst, "org:id", r.ID)
	dst = appendTime(dst, "org:crDate", r.CrDate)
	return appendClose(dst, "org:creData")
}
