package eppxml

import "time"

// OrgInfo is <info> of an organisation (RFC 8543 section 4.1.2).
type OrgInfo struct {
	ID string
}

// Verb implements Body.
func (*OrgInfo) Verb() Verb { return VerbInfo }

func (d *decoder) orgInfo(n int32) *OrgInfo {
	c := d.sequence(n)
	out := &OrgInfo{ID: d.id(c.expect("id"))}
	c.end()
	return out
}

// OrgInfData is the response data of an info of an organisation. The schema requires one role and one to nine statuses;
// empty strings, zero times and nil leave the optional elements out.
type OrgInfData struct {
	ID, ROID         string
	Roles            []OrgRole
	Statuses         []string
	Parent           string
	PostalInfos      []OrgPostalInfo
	Voice, Fax       *Phone
	Email            string
	URL              *string
	Contacts         []OrgContact
	ClID, CrID, UpID string
	CrDate, UpDate   time.Time
}

// AppendOrgInfData appends the response data of an info of an organisation.
func AppendOrgInfData(dst []byte, r *OrgInfData) []byte {
	dst = appendObjectOpen(dst, "org", NSOrg, "infData")
	dst = appendLeaf(dst, "org:id", r.ID)
	dst = appendLeaf(dst, "org:roid", r.ROID)
	dst = appendOrgRoles(dst, r.Roles)
	dst = appendLeaves(dst, "org:status", r.Statuses)
	dst = appendOptional(dst, "org:parentId", r.Parent)
	dst = appendOrgPostalInfos(dst, r.PostalInfos)
	dst = appendPhone(dst, "org:voice", r.Voice)
	dst = appendPhone(dst, "org:fax", r.Fax)
	dst = appendOptional(dst, "org:email", r.Email)
	dst = appendOptionalURL(dst, r.URL)
	dst = appendOrgContacts(dst, r.Contacts)
	dst = appendOptional(dst, "org:clID", r.ClID)
	dst = appendLeaf(dst, "org:crID", r.CrID)
	dst = appendTime(dst, "org:crDate", r.CrDate)
	dst = appendOptional(dst, "org:upID", r.UpID)
	dst = appendTime(dst, "org:upDate", r.UpDate)
	return appendClose(dst, "org:infData")
}
