package eppxml

// NSIDN is the namespace of the extension for internationalised names
// (draft-ietf-eppext-idnmap-02, as registries run it).
const NSIDN = "urn:ietf:params:xml:ns:idn-1.0"

// IDNData is <idn:data>, which says what an internationalised name was registered as.
type IDNData struct {
	// Table is the identifier of the IDN table.
	Table string
	// UName is the whole name in Unicode, empty if it is not said.
	UName string
}

// DecodeIDNData decodes <idn:data>.
func DecodeIDNData(e *Element) (*IDNData, *Error) {
	out := &IDNData{}
	err := decodeElement(e, func(d *decoder, n int32) {
		c := d.sequence(d.rootOf(n, NSIDN, "data"))
		out.Table = d.token(c.expect("table"), 1, noMax)
		if n, ok := c.optional("uname"); ok {
			out.UName = d.label(n)
		}
		c.end()
	})
	return out, err
}

// AppendIDNData appends <idn:data>.
func AppendIDNData(dst []byte, i *IDNData) []byte {
	dst = appendObjectOpen(dst, "idn", NSIDN, "data")
	dst = appendLeaf(dst, "idn:table", i.Table)
	dst = appendOptional(dst, "idn:uname", i.UName)
	return appendClose(dst, "idn:data")
}
