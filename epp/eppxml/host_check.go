package eppxml

// HostCheck is <check> of hosts (RFC 5732 section 3.1.1).
type HostCheck struct {
	Names []string
}

// Verb implements Body.
func (*HostCheck) Verb() Verb { return VerbCheck }

func (d *decoder) hostCheck(n int32) *HostCheck {
	c := d.sequence(n)
	out := &HostCheck{Names: c.manyTokens("name", 1, minLabel, maxLabel)}
	c.end()
	return out
}

// AppendHostChkData appends the response data of a host check; results must not be empty.
func AppendHostChkData(dst []byte, results []CheckResult) []byte {
	return appendCheckData(dst, "host", NSHost, "name", results)
}
