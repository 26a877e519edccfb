package eppxml

// ContactCheck is <check> of contacts (RFC 5733 section 3.1.1).
type ContactCheck struct {
	IDs []string
}

// Verb implements Body.
func (*ContactCheck) Verb() Verb { return VerbCheck }

func (d *decoder) contactCheck(n int32) *ContactCheck {
	c := d.sequence(n)
	out := &ContactCheck{IDs: c.manyTokens("id", 1, minID, maxID)}
	c.end()
	return out
}

// AppendContactChkData appends the response data of a contact check; results must not be empty.
func AppendContactChkData(dst []byte, results []CheckResult) []byte {
	return appendCheckData(dst, "contact", NSContact, "id", results)
}
