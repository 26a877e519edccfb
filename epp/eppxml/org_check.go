package eppxml

// OrgCheck is <check> of organisations (RFC 8543 section 4.1.1).
type OrgCheck struct {
	IDs []string
}

// Verb implements Body.
func (*OrgCheck) Verb() Verb { return VerbCheck }

func (d *decoder) orgCheck(n int32) *OrgCheck {
	c := d.sequence(n)
	out := &OrgCheck{IDs: c.manyTokens("id", 1, minID, maxID)}
	c.end()
	return out
}

// AppendOrgChkData appends the response data of a check of organisations; results must not be empty.
func AppendOrgChkData(dst []byte, results []CheckResult) []byte {
	return appendCheckData(dst, "org", NSOrg, "id", results)
}
