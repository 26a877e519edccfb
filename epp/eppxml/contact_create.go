package eppxml

import "time"

// ContactCreate is <create> of a contact (RFC 5733 section 3.2.1).
type ContactCreate struct {
	ID string
	// PostalInfos are one or two.
	PostalInfos []PostalInfo
	Voice, Fax  *Phone
	Email       string
	AuthInfo    *AuthInfo
	Disclose    *Disclose
}

// Verb implements Body.
func (*ContactCreate) Verb() Verb { return VerbCreate }

func (d *decoder) contactCreate(n int32) *ContactCreate {
	c := d.sequence(n)
	out := &ContactCreate{ID: d.id(c.expect("id"))}
	c.many("postalInfo", 1, maxPostalInfos, func(n int32) {
		out.PostalInfos = append(out.PostalInfos, d.postalInfo(n))
	})
	out.Voice = c.optionalPhone("voice")
	out.Fax = c.optionalPhone("fax")
	out.Email = d.token(c.expect("email"), 1, noMax)
	out.AuthInfo = d.authInfo(c.expect("authInfo"), false)
	out.Disclose = c.optionalDisclose()
	c.end()
	return out
}

// ContactCreData is the response data of a contact create.
type ContactCreData struct {
	ID     string
	CrDate time.Time
}

// AppendContactCreData appends the response data of a contact create.
func AppendContactCreData(dst []byte, r *ContactCreData) []byte {
	dst = appendObjectOpen(dst, "contact", NSContact, "creData")
	dst = appendLeaf(dst, "contact:id", r.ID)
	dst = appendTime(dst, "contact:crDate", r.CrDate)
	return appendClose(dst, "contact:creData")
}
