package disclose

import (
	"slices"
	"strings"
	"time"

	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// Role is what a contact is for a domain, in the words of RFC 9083 section 10.2.4.
type Role string

// The roles.
const (
	RoleRegistrant     Role = "registrant"
	RoleTechnical      Role = "technical"
	RoleAdministrative Role = "administrative"
	RoleBilling        Role = "billing"
	// RoleNone is of a contact that was asked for by itself.
	RoleNone Role = ""
)

// Label is the role as the names of fields have it in WHOIS and in lists of what is withheld.
func (r Role) Label() string {
	switch r {
	case RoleRegistrant:
		return "Registrant"
	case RoleTechnical:
		return "Tech"
	case RoleAdministrative:
		return "Admin"
	case RoleBilling:
		return "Billing"
	default:
		return "Contact"
	}
}

// Contact is a contact as somebody sees it: what is withheld is empty.
type Contact struct {
	Role Role
	ID   registry.ContactID
	ROID registry.ROID
	// Postal is the international form, or the only one.
	Postal registry.PostalInfo
	Voice  registry.Phone
	Fax    registry.Phone
	Email  string
	// ContactURI is a page by which the contact is reached, if the address is withheld.
	ContactURI string
	Statuses   []string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	// TransferredAt is when the sponsor last changed.
	TransferredAt time.Time
	Sponsor       *Registrar
	// Withheld are the fields that are not shown, of policy.ContactFields, whether or not the
	// contact has them.
	Withheld []string
}

// Withholds says whether the field is withheld.
func (c *Contact) Withholds(field string) bool { return slices.Contains(c.Withheld, field) }

// withheldFields returns the fields that the audience does not see.
func withheldFields(policies []*registry.RDDSPolicy, c *registry.Contact, whole bool) []string {
	if whole {
		return nil
	}
	var withheld []string
	for _, field := range policy.ContactFields() {
		if !shows(policies, c, field) {
			withheld = append(withheld, field)
		}
	}
	return withheld
}

// contactOf shows the contact but for the fields that are withheld.
func contactOf(c *registry.Contact, role Role, withheld []string, contactURI string) *Contact {
	out := &Contact{
		Role: role, ID: c.ID, ROID: c.ROID, Voice: c.Voice, Fax: c.Fax, Email: c.Email, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		TransferredAt: c.TransferredAt, Withheld: withheld, Statuses: contactStatuses(c),
	}
	out.Postal = postalOf(c)
	if c.AdditionalEmail.Primary && c.AdditionalEmail.Address != "" {
		out.Email = c.AdditionalEmail.Address
	}
	for _, field := range withheld {
		out.withhold(field)
	}
	if out.Withholds(policy.FieldEmail) {
		out.ContactURI = contactURI
	}
	return out
}

// postalOf returns the form that is shown: the international one, or the only one.
func postalOf(c *registry.Contact) (shown registry.PostalInfo) {
	for _, form := range c.Postal {
		if shown = form; form.Type == "int" {
			break
		}
	}
	return shown
}

func (c *Contact) withhold(field string) {
	switch field {
	case policy.FieldID:
		c.ID, c.ROID = "", ""
	case policy.FieldName:
		c.Postal.Name = ""
	case policy.FieldOrg:
		c.Postal.Organization = ""
	case policy.FieldStreet:
		c.Postal.Street = nil
	case policy.FieldCity:
		c.Postal.City = ""
	case policy.FieldPostalCode:
		c.Postal.PostalCode = ""
	case policy.FieldPhone:
		c.Voice = registry.Phone{}
	case policy.FieldFax:
		c.Fax = registry.Phone{}
	case policy.FieldEmail:
		c.Email = ""
	}
}

// contactStatuses returns the statuses but for linked, which the caller knows (RFC 5733 section 2.2).
func contactStatuses(c *registry.Contact) []string {
	var all []string
	for _, s := range c.Statuses {
		all = append(all, string(s))
	}
	if len(all) == 0 {
		all = append(all, string(registry.StatusOK))
	}
	return all
}

// contactPage is where the public reaches a contact of the domain.
func contactPage(p *registry.RDDSPolicy, domain registry.DomainName, sponsor *Registrar) string {
	if p.ContactURI != "" {
		return strings.ReplaceAll(p.ContactURI, "{name}", string(domain))
	}
	return sponsorPage(sponsor)
}

// sponsorPage is where a registrar is reached, which passes messages on to its customers.
func sponsorPage(sponsor *Registrar) string {
	if sponsor.URL == "" && sponsor.Email != "" {
		return "mailto:" + sponsor.Email
	}
	return sponsor.URL
}

// maxUsersLookedAt bounds what is looked at to find out under which TLDs a contact is used.
const maxUsersLookedAt = 100

// ContactOf returns the contact with the handle, which is its object identifier or its id. Contacts
// belong to no TLD, so that a field is shown to the public only if every TLD shows it.
func ContactOf(tx *store.ReadTx, handle string, to Audience) (*Contact, bool) {
	c, found := findContact(tx, handle)
	if !found {
		return nil, false
	}
	users := tx.ContactUsers(c.ID, maxUsersLookedAt)
	var policies []*registry.RDDSPolicy
	uri := ""
	for _, tld := range tx.TLDs() {
		policies = append(policies, &tld.Policy.RDDS)
		if uri == "" && !strings.Contains(tld.Policy.RDDS.ContactURI, "{name}") {
			uri = tld.Policy.RDDS.ContactURI
		}
	}
	sponsor := sponsorOf(tx, c.Sponsor)
	if uri == "" {
		uri = sponsorPage(sponsor)
	}
	whole := to.owns(c.Sponsor) || to.Grant != nil && coversUsers(to.Grant, users)
	out := contactOf(c, RoleNone, withheldFields(policies, c, whole), uri)
	if !whole { // who knows the handle may see it
		out.ID, out.ROID = c.ID, c.ROID
		out.Withheld = slices.DeleteFunc(out.Withheld, func(field string) bool { return field == policy.FieldID })
	}
	out.Sponsor = sponsor
	if len(users) > 0 {
		out.Statuses = append(slices.DeleteFunc(out.Statuses, func(s string) bool { return s == string(registry.StatusOK) }), string(registry.StatusLinked))
	}
	return out, true
}

func findContact(tx *store.ReadTx, handle string) (*registry.Contact, bool) {
	if id, err := registry.ParseContactID(handle); err == nil {
		if c, found := tx.Contact(id); found {
			return c, true
		}
	}
	if !isROID(handle) {
		return nil, false
	}
	kind, id, found := tx.ROID(registry.ROID(strings.ToUpper(handle)))
	if !found || kind != registry.KindContact {
		return nil, false
	}
	return tx.Contact(registry.ContactID(id))
}

// isROID says whether the text could be an object identifier (RFC 5730 section 2.8).
func isROID(text string) bool {
	if len(text) > 89 || !strings.Contains(text, "-") {
		return false
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// coversUsers says whether the grant is for the data of every domain that uses a contact.
func coversUsers(g *registry.DisclosureGrant, users []registry.DomainName) bool {
	if len(g.TLDs) == 0 {
		return true
	}
	if len(users) == 0 || len(users) >= maxUsersLookedAt {
		return false
	}
	for _, name := range users {
		if !g.Covers(name.Parent()) {
			return false
		}
	}
	return true
}
