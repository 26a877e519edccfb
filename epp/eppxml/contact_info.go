package eppxml

import "time"

// ContactInfo is <info> of a contact (RFC 5733 section 3.1.2).
type ContactInfo struct {
	ID       string
	AuthInfo *AuthInfo
}

// Verb implements Body.
func (*ContactInfo) Verb() Verb { return VerbInfo }

func (d *decoder) contactInfo(n int32) *ContactInfo {
	out := &ContactInfo{}
	out.ID, out.AuthInfo = d.contactAuthID(n)
	return out
}

// contactAuthID decodes contact:authIDType, which info and transfer share.
func (d *decoder) contactAuthID(n int32) (id string, info *AuthInfo) {
	c := d.sequence(n)
	id = d.id(c.expect("id"))
	if n, ok := c.optional("authInfo"); ok {
		info = d.authInfo(n, false)
	}
	c.end()
	return id, info
}

// ContactInfData is the response data of a contact info. The schema requires one to seven statuses and one or two postal
// infos; empty strings, zero times and nil leave the optional elements out.
type ContactInfData struct {
	ID, ROID               string
	Statuses               []Status
	PostalInfos            []PostalInfo
	Voice, Fax             *Phone
	Email                  string
	ClID, CrID, UpID       string
	CrDate, UpDate, TrDate time.Time
	AuthInfo               *AuthInfo
	Disclose               *Disclose
}

// AppendContactInfData appends the response data of a contact info.
func AppendContactInfData(dst []byte, r *ContactInfData) []byte {
	dst = appendObjectOpen(dst, "contact", NSContact, "infData")
	dst = appendLeaf(dst, "contact:id", r.ID)
	dst = appendLeaf(dst, "contact:roid", r.ROID)
	dst = appendStatuses(dst, "contact:status", r.Statuses)
	for i := range r.PostalInfos {
		dst = appendPostalInfo(dst, &r.PostalInfos[i])
	}
	dst = appendPhone(dst, "contact:voice", r.Voice)
	dst = appendPhone(dst, "contact:fax", r.Fax)
	dst = appendLeaf(dst, "contact:email", r.Email)
	dst = appendLeaf(dst, "contact:clID", r.ClID)
	dst = appendLeaf(dst, "contact:crID", r.CrID)
	dst = appendTime(dst, "contact:crDate", r.CrDate)
	dst = appendOptional(dst, "contact:upID", r.UpID)
	dst = appendTime(dst, "contact:upDate", r.UpDate)
	dst = appendTime(dst, "contact:trDate", r.TrDate)
	dst = appendAuthInfo(dst, "contact", r.AuthInfo)
	dst = appendDisclose(dst, r.Disclose)
	return appendClose(dst, "contact:infData")
}
