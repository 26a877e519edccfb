package disclose

import (
	"slices"
	"time"

	"cadastre/idn"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
	"cadastre/zone"
)

// NameServer is a name server of a domain.
type NameServer struct {
	Name    registry.DomainName
	Unicode string
}

// Domain is a domain as somebody sees it.
type Domain struct {
	Name registry.DomainName
	// Unicode is the name in Unicode, the same as Name if it has no A-label.
	Unicode string
	TLD     registry.DomainName
	ROID    registry.ROID
	Sponsor *Registrar

	CreatedAt     time.Time
	UpdatedAt     time.Time
	ExpiresAt     time.Time
	TransferredAt time.Time

	// Statuses are those of EPP and of grace periods, sorted, each once.
	Statuses    []string
	NameServers []NameServer
	// Signers are the DS records in the zone; Keys what they are made from, where registrars
	// give keys.
	Signers           []registry.DelegationSigner
	Keys              []registry.PublicKey
	MaxSigLifeSeconds uint32

	// Contacts are those that are shown, by role.
	Contacts []*Contact
	// Removed are roles whose contacts are not shown at all.
	Removed []Role
	// IsWhole says that nothing is withheld, and IsGranted that this is because of a grant.
	IsWhole, IsGranted bool
	// TermsURI is the page with the terms of use of the TLD, "" for the usual ones.
	TermsURI string
}

// DomainOf returns the domain of the name as the audience sees it.
func DomainOf(tx *store.ReadTx, name registry.DomainName, to Audience) (*Domain, bool) {
	d, found := tx.Domain(name)
	if !found {
		return nil, false
	}
	tld, found := tx.TLD(d.TLD)
	if !found {
		return nil, false
	}
	registrar, found := tx.Registrar(d.Sponsor)
	if !found {
		registrar = &registry.Registrar{ID: d.Sponsor, Name: string(d.Sponsor)}
	}
	out := &Domain{
		Name: d.Name, Unicode: idn.Display(string(d.Name)), TLD: d.TLD, ROID: d.ROID, Sponsor: registrarOf(registrar),
		CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, ExpiresAt: d.ExpiresAt, TransferredAt: d.TransferredAt,
		Statuses: domainStatuses(d, tx.Now()), Signers: zone.DelegationSigners(d), Keys: d.Keys, MaxSigLifeSeconds: d.MaxSigLifeSeconds,
		TermsURI: tld.Policy.RDDS.TermsURI,
	}
	for _, server := range d.NameServerNames() {
		out.NameServers = append(out.NameServers, NameServer{Name: server, Unicode: idn.Display(string(server))})
	}
	out.IsGranted = to.Grant != nil && to.Grant.Covers(d.TLD) && !to.owns(d.Sponsor)
	out.IsWhole = to.owns(d.Sponsor) || out.IsGranted
	if !policy.IsThin(tld, registrar) {
		out.addContacts(tx, d, &tld.Policy.RDDS)
	}
	return out, true
}

// domainStatuses returns the explicit statuses and those that follow from the rest
// (RFC 5731 section 2.3, RFC 3915 section 3.1).
func domainStatuses(d *registry.Domain, now time.Time) []string {
	all := make([]string, 0, len(d.Statuses)+2)
	for _, s := range d.Statuses {
		all = append(all, string(s))
	}
	if !d.HasNameServers() {
		all = append(all, string(registry.StatusInactive))
	}
	if len(all) == 0 {
		all = append(all, string(registry.StatusOK))
	}
	for _, s := range d.RGPStatuses(now) {
		all = append(all, string(s))
	}
	slices.Sort(all)
	return slices.Compact(all) // pendingDelete is a status of both
}

// addContacts adds the contacts. The public sees registrant and technical contact, without what is
// withheld; the others only who sees all.
func (out *Domain) addContacts(tx *store.ReadTx, d *registry.Domain, p *registry.RDDSPolicy) {
	page := contactPage(p, d.Name, out.Sponsor)
	policies := []*registry.RDDSPolicy{p}
	known := map[registry.ContactID]*registry.Contact{} // often one contact has all roles
	add := func(id registry.ContactID, role Role) {
		c, found := known[id]
		if !found {
			c, found = tx.Contact(id)
			known[id] = c
		}
		if found && c != nil {
			out.Contacts = append(out.Contacts, contactOf(c, role, withheldFields(policies, c, out.IsWhole), page))
		}
	}
	if d.Registrant != "" {
		add(d.Registrant, RoleRegistrant)
	}
	for _, link := range d.Contacts {
		switch role := RoleOf(link.Role); {
		case role == RoleTechnical || out.IsWhole:
			add(link.ID, role)
		case !slices.Contains(out.Removed, role):
			out.Removed = append(out.Removed, role)
		}
	}
}

// RoleOf returns the role in the words of RDAP.
func RoleOf(role registry.ContactRole) Role {
	switch role {
	case registry.RoleTech:
		return RoleTechnical
	case registry.RoleBilling:
		return RoleBilling
	default:
		return RoleAdministrative
	}
}

// IsAvailable says whether the name could be registered as far as the state shows: it lies below a
// TLD served here, by one label, and is neither registered nor reserved.
func IsAvailable(tx *store.ReadTx, name registry.DomainName) (available, offered bool) {
	tld, found := tx.TLDOf(name)
	if !found || !tld.Policy.RDDS.Availability {
		return false, false
	}
	if tx.HasDomain(name) {
		return false, true
	}
	return policy.CheckRegistrable(tx, tld, name) == nil, true
}
