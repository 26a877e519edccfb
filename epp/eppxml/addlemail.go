package eppxml

// NSAddlEmail is the namespace of the extension for an additional e-mail address (RFC 9873).
const NSAddlEmail = "urn:ietf:params:xml:ns:epp:addlEmail-1.0"

// AddlEmail is <addlEmail:addlEmail>, the second e-mail address of a contact.
type AddlEmail struct {
	// Address may be internationalised (RFC 6530); empty means that there is none.
	Address string
	// Primary says that it goes before the address of the contact itself.
	Primary bool
}

// DecodeAddlEmail decodes <addlEmail:addlEmail>.
func DecodeAddlEmail(e *Element) (*AddlEmail, *Error) {
	out := &AddlEmail{}
	err := decodeElement(e, func(d *decoder, n int32) {
		c := d.sequence(d.rootOf(n, NSAddlEmail, "addlEmail"))
		email := c.expect("email")
		c.end()
		a := d.attributes(email)
		if primary, ok := a.optional("primary"); ok {
			out.Primary = d.boolean(email, primary)
		}
		a.end()
		out.Address = d.tokenBody(email, 0, noMax)
	})
	return out, err
}

// AppendAddlEmail appends <addlEmail:addlEmail>.
func AppendAddlEmail(dst []byte, a *AddlEmail) []byte {
	dst = appendObjectOpen(dst, "addlEmail", NSAddlEmail, "addlEmail")
	dst = append(dst, "<addlEmail:email"...)
	if a.Primary {
		dst = appendBool(dst, "primary", true)
	}
	dst = appendClose(appendText(append(dst, '>'), a.Address), "addlEmail:email")
	return appendClose(dst, "addlEmail:addlEmail")
}
