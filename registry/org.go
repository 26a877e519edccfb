package registry

import (
	"slices"
	"strings"
)

// OrgID identifies an organisation (RFC 8543 section 3.1). Its key is case-insensitive, as
// that of a contact is.
type OrgID string

// Key returns the form of the id that is unique in the registry.
func (id OrgID) Key() string { return strings.ToLower(string(id)) }

// ParseOrgID checks s against clIDType of eppcom-1.0, narrowed as for contacts.
func ParseOrgID(s string) (OrgID, error) {
	if _, err := ParseContactID(s); err != nil {
		return "", &Error{Code: CodeParameterSyntax, Field: "id", Value: s,
			Reason: "the id of an organisation is 3 to 16 printable ASCII characters without spaces"}
	}
	return OrgID(s), nil
}

// Statuses that only organisations have (RFC 8543 section 3.4).
const (
	StatusHold                 Status = "hold"
	StatusTerminated           Status = "terminated"
	StatusClientLinkProhibited Status = "clientLinkProhibited"
	StatusServerLinkProhibited Status = "serverLinkProhibited"
)

// OrgRoleType is what an organisation does (RFC 8543 section 3.2.1).
type OrgRoleType string

// IsOrgRoleType says whether the value is one of IANA's registry of EPP organisation roles.
func IsOrgRoleType(t OrgRoleType) bool {
	switch t {
	case "registrar", "reseller", "privacyproxy", "dns-operator":
		return true
	default:
		return false
	}
}

// OrgRole is one role of an organisation.
type OrgRole struct {
	Type     OrgRoleType
	ID       string   // by which a third party knows it in the role, such as an IANA number; may be empty
	Statuses Statuses // explicit ones only
}

// OrgContact links an organisation to a contact (RFC 8543 section 3.3).
type OrgContact struct {
	Type     string // admin, billing, tech, abuse or custom
	TypeName string // what kind of custom contact it is
	ID       ContactID
}

// Org is an organisation: a reseller, a privacy service, a DNS operator or a registrar.
type Org struct {
	Provenance
	ID       OrgID
	Roles    []OrgRole // one at least, sorted by type, each type once
	Statuses Statuses  // explicit ones only
	Parent   OrgID     // "" for the top of a tree
	// Postal is up to two forms of name and address; a form without a city has no address.
	Postal   []PostalInfo
	Voice    Phone
	Fax      Phone
	Email    string
	URL      string
	Contacts []OrgContact
}

// Role returns the role of the type.
func (o *Org) Role(t OrgRoleType) (*OrgRole, bool) {
	at := slices.IndexFunc(o.Roles, func(r OrgRole) bool { return r.Type == t })
	if at < 0 {
		return nil, false
	}
	return &o.Roles[at], true
}

// OrgLink says that an organisation acts in a role for an object (RFC 8544 section 3).
type OrgLink struct {
	Role OrgRoleType
	ID   OrgID
}
