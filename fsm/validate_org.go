package fsm

import (
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// Bounds on organisations and links to them.
const (
	maxOrgRoles    = 8   // twice the roles that exist
	maxOrgContacts = 100 // far above what an organisation has
	maxOrgLinks    = 8   // one for each role
	maxURLOctets   = 2048
	// maxRelayedKeys is what a message of the queue holds: two keys for each of four algorithms.
	maxRelayedKeys    = 8
	maxDurationOctets = 64
)

// organisations checks commands on organisations, and those that relay keys.
func (k *checker) organisations(command *fsmpb.Command) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_OrgCreate:
		k.orgCreate(body.OrgCreate)
	case *fsmpb.Command_OrgUpdate:
		k.orgUpdate(body.OrgUpdate)
	case *fsmpb.Command_OrgDelete:
		k.orgID("id", body.OrgDelete.GetId())
	case *fsmpb.Command_OrgServerUpdate:
		c := body.OrgServerUpdate
		k.orgID("id", c.GetId())
		k.serverStatuses(command, c.GetAddStatuses(), c.GetRemoveStatuses(), c.GetCase())
	case *fsmpb.Command_KeyrelayCreate:
		k.keyrelayCreate(body.KeyrelayCreate)
	}
}

func (k *checker) orgID(field, value string) {
	if _, err := registry.ParseOrgID(value); err != nil {
		k.fail(registry.CodeParameterSyntax, field, value, "the id of an organisation is 3 to 16 printable ASCII characters without spaces")
	}
}

func (k *checker) orgCreate(c *fsmpb.OrgCreate) {
	k.orgID("id", c.GetId())
	k.roid(c.GetRoid())
	k.orgRoles(c.GetRoles())
	k.statuses(c.GetStatuses(), nil)
	if c.GetParent() != "" {
		k.orgID("parentId", c.GetParent())
	}
	k.count("postalInfo", len(c.GetPostal()), 2)
	types := map[string]bool{}
	for _, p := range c.GetPostal() {
		k.postalType(p.GetType())
		k.require(!types[p.GetType()], "postalInfo", p.GetType(), "the two postal addresses are of different types")
		types[p.GetType()] = true
		k.require(p.GetName() != "", "postalInfo", p.GetType(), "a postal address has a name")
		k.orgAddress(p.GetType(), p.GetStreet(), []string{p.GetName(), p.GetCity(), p.GetStateProvince(), p.GetPostalCode()}, p.GetCountryCode())
	}
	k.phone("voice", c.GetVoice())
	k.phone("fax", c.GetFax())
	k.text("email", c.GetEmail())
	k.require(len(c.GetUrl()) <= maxURLOctets, "url", "", "a URL has at most %d octets", maxURLOctets)
	k.orgContacts(c.GetContacts())
}

func (k *checker) orgUpdate(c *fsmpb.OrgUpdate) {
	k.orgID("id", c.GetId())
	k.statuses(c.GetAddStatuses(), c.GetRemoveStatuses())
	k.orgRoles(c.GetAddRoles())
	k.orgRoles(c.GetRemoveRoles())
	k.orgContacts(c.GetAddContacts())
	k.orgContacts(c.GetRemoveContacts())
	if c.Parent != nil {
		k.orgID("parentId", c.GetParent())
	}
	k.count("postalInfo", len(c.GetPostal()), 2)
	for _, p := range c.GetPostal() {
		k.postalType(p.GetType())
		k.require(p.Name == nil || p.GetName() != "", "postalInfo", p.GetType(), "a postal address has a name")
		a := p.GetAddress()
		k.require(a == nil || a.GetCity() != "" && a.GetCountryCode() != "", "postalInfo", p.GetType(), "an address has a city and a country code")
		k.orgAddress(p.GetType(), a.GetStreet(), []string{p.GetName(), a.GetCity(), a.GetStateProvince(), a.GetPostalCode()}, a.GetCountryCode())
	}
	k.phone("voice", c.GetVoice())
	k.phone("fax", c.GetFax())
	k.require(c.Email == nil || c.GetEmail() != "", "email", "", "an e-mail address that is given is not empty")
	k.text("email", c.GetEmail())
	k.require(len(c.GetUrl()) <= maxURLOctets, "url", "", "a URL has at most %d octets", maxURLOctets)
}

// orgAddress is address for a form that may be without one.
func (k *checker) orgAddress(kind string, street, texts []string, country string) {
	k.address(kind, street, texts, "-", country)
}

func (k *checker) orgRoles(roles []*fsmpb.OrgRole) {
	k.count("role", len(roles), maxOrgRoles)
	for i, role := range roles {
		k.text("role", role.GetType())
		k.text("role", role.GetId())
		k.count("role", len(role.GetStatuses()), 3)
		k.require(!slices.ContainsFunc(roles[:i], func(other *fsmpb.OrgRole) bool { return other.GetType() == role.GetType() }),
			"role", role.GetType(), "a role is given once")
	}
}

func (k *checker) orgContacts(contacts []*fsmpb.OrgContact) {
	k.count("contact", len(contacts), maxOrgContacts)
	for _, c := range contacts {
		k.contactID("contact", c.GetId())
		k.text("contact", c.GetTypeName())
		k.require(slices.Contains([]string{"admin", "billing", "tech", "abuse", "custom"}, c.GetType()), "contact", c.GetType(),
			"a contact is of type admin, billing, tech, abuse or custom (RFC 8543 section 3.3)")
		if c.GetType() == "custom" && c.GetTypeName() == "" {
			k.fail(registry.CodeParameterMissing, "contact", c.GetId(), "a contact of type custom needs a typeName (RFC 8543 section 3.3)")
		}
	}
}

// orgLinks checks links to add, to change and to remove; only the last may leave the id out.
func (k *checker) orgLinks(add, change, remove []*fsmpb.OrgLink) {
	k.count(orgExtField, len(add)+len(change)+len(remove), 3*maxOrgLinks)
	for _, link := range slices.Concat(add, change) {
		k.orgID(orgExtField, link.GetId())
		k.text(orgExtField, link.GetRole())
	}
	for _, link := range remove {
		k.text(orgExtField, link.GetRole())
		if link.GetId() != "" {
			k.orgID(orgExtField, link.GetId())
		}
	}
}

func (k *checker) keyrelayCreate(c *fsmpb.KeyrelayCreate) {
	k.name("name", c.GetName())
	k.authProof(c.GetAuthProof())
	if len(c.GetKeys()) == 0 || len(c.GetKeys()) > maxRelayedKeys {
		k.fail(registry.CodeParameterPolicy, "keyRelayData", "", "a message relays 1 to %d keys", maxRelayedKeys)
	}
	for _, relayed := range c.GetKeys() {
		k.publicKey(relayed.GetKey())
		if relayed.UntilMs != nil {
			k.instant("expiry", relayed.GetUntilMs())
		}
		k.require(relayed.UntilMs == nil || relayed.GetFor() == "", "expiry", "", "an expiry is absolute or relative")
		if d := relayed.GetFor(); d != "" {
			k.require(len(d) <= maxDurationOctets && registry.IsDuration(d), "expiry", "", "the value is not a duration of XML Schema")
			if d[0] == '-' {
				k.fail(registry.CodeParameterRange, "expiry", d, "a key cannot be wanted for a negative time; zero takes it back")
			}
		}
	}
}
