package rdap

import "cadastre/registry"

// card writes a jCard (RFC 7095) with the properties that fn writes.
func (w *writer) card(fn func()) {
	w.key("vcardArray")
	w.b = append(w.b, `["vcard",[["version",{},"text","4.0"]`...)
	fn()
	w.b = append(w.b, "]]"...)
}

func (w *writer) property(name, kind, value string) {
	w.open('[')
	w.str(name)
	w.raw("{}")
	w.str(kind)
	w.str(value)
	w.close(']')
}

func (w *writer) propertyIf(name, kind, value string) {
	if value != "" {
		w.property(name, kind, value)
	}
}

// address writes the seven parts of a postal address. The country is its code, as a parameter
// (RFC 8605 section 3.1), and its name is empty.
func (w *writer) address(p *registry.PostalInfo) {
	w.open('[')
	w.str("adr")
	w.open('{')
	w.memberIf("cc", p.CountryCode)
	w.close('}')
	w.str("text")
	w.open('[')
	w.str("")
	w.str("")
	switch len(p.Street) {
	case 0:
		w.str("")
	case 1:
		w.str(p.Street[0])
	default:
		w.open('[')
		for _, line := range p.Street {
			w.str(line)
		}
		w.close(']')
	}
	w.str(p.City)
	w.str(p.StateProvince)
	w.str(p.PostalCode)
	w.str("")
	w.close(']')
	w.close(']')
}

// phone writes a number as a tel URI (RFC 3966), of the type voice or fax.
func (w *writer) phone(kind string, p registry.Phone) {
	if p.Number == "" {
		return
	}
	w.open('[')
	w.str("tel")
	w.open('{')
	w.member("type", kind)
	w.close('}')
	w.str("uri")
	uri := "tel:" + p.Number
	if p.Extension != "" {
		uri += ";ext=" + p.Extension
	}
	w.str(uri)
	w.close(']')
}
