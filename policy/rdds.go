package policy

import (
	"slices"
	"strings"

	"cadastre/registry"
)

// The contact fields that a policy can disclose or a contact consent to. State or province and
// country are always shown (gTLD RDAP response profile, section 2.7.4).
const (
	FieldID         = "id"
	FieldName       = "name"
	FieldOrg        = "org"
	FieldStreet     = "street"
	FieldCity       = "city"
	FieldPostalCode = "postal_code"
	FieldPhone      = "phone"
	FieldFax        = "fax"
	FieldEmail      = "email"
)

// maxURIOctets bounds the addresses of pages.
const maxURIOctets = 1024

// ContactFields lists the contact fields that can be withheld.
func ContactFields() []string {
	return []string{FieldID, FieldName, FieldOrg, FieldStreet, FieldCity, FieldPostalCode, FieldPhone, FieldFax, FieldEmail}
}

// checkRDDS returns the rule that the policy breaks, or "".
func checkRDDS(p *registry.RDDSPolicy) string {
	for i, field := range p.Disclosed {
		if !slices.Contains(ContactFields(), field) {
			return "a field that is disclosed is one of " + strings.Join(ContactFields(), ", ")
		}
		if slices.Contains(p.Disclosed[:i], field) {
			return "a field is listed once"
		}
	}
	for _, uri := range []string{p.ContactURI, p.TermsURI} {
		if uri != "" && !strings.HasPrefix(uri, "https://") && !strings.HasPrefix(uri, "http://") || len(uri) > maxURIOctets || strings.ContainsAny(uri, " \r\n\t\"<>") {
			return "a page has an http or https address of at most 1024 octets"
		}
	}
	return ""
}
