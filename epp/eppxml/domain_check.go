package eppxml

// DomainCheck is <check> of domains (RFC 5731 section 3.1.1).
type DomainCheck struct {
	Names []string
}

// Verb implements Body.
func (*DomainCheck) Verb() Verb { return VerbCheck }

func (d *decoder) domainCheck(n int32) *DomainCheck {
	c := d.sequence(n)
	out := &DomainCheck{Names: c.manyTokens("name", 1, minLabel, maxLabel)}
	c.end()
	return out
}

// AppendDomainChkData appends the response data of a domain check; results must not be empty.
func AppendDomainChkData(dst []byte, results []CheckResult) []byte {
	return appendCheckData(dst, "domain", NSDomain, "name", results)
}
