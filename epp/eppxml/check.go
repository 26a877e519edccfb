package eppxml

// CheckResult is the answer about one object of a <check>.
type CheckResult struct {
	// ID is the name of a domain or host, or the identifier of a contact.
	ID    string
	Avail bool
	// Reason says why the object is not available; it is cut to the 32 characters of the schema. Empty is left out.
	Reason string
	// Lang is the language of Reason; empty means en.
	Lang string
}

// appendCheckData appends <prefix:chkData>. key is the element that names the object.
func appendCheckData(dst []byte, prefix, ns, key string, results []CheckResult) []byte {
	dst = appendObjectOpen(dst, prefix, ns, "chkData")
	for _, r := range results {
		dst = append(append(append(dst, '<'), prefix...), ":cd><"...)
		dst = append(append(append(dst, prefix...), ':'), key...)
		dst = append(appendBool(dst, "avail", r.Avail), '>')
		dst = appendText(dst, r.ID)
		dst = append(append(append(append(append(dst, "</"...), prefix...), ':'), key...), '>')
		if reason := collapse(clip(collapse(r.Reason), maxCheckReason)); reason != "" {
			dst = append(append(append(dst, '<'), prefix...), ":reason"...)
			if r.Lang != "" {
				dst = appendAttr(dst, "lang", r.Lang)
			}
			dst = appendText(append(dst, '>'), reason)
			dst = append(append(append(dst, "</"...), prefix...), ":reason>"...)
		}
		dst = append(append(append(dst, "</"...), prefix...), ":cd>"...)
	}
	return append(append(append(dst, "</"...), prefix...), ":chkData>"...)
}
