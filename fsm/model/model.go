// Package model is a second, plain description of what the registry's commands do, written
// from RFC 5730 to 5733 and 3915 over maps, without storage, indexes or speed. Tests run
// random commands through it and through the state machine and compare.
package model

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// Policy is the part of a TLD's policy that the model knows.
type Policy struct {
	TLD                                         string
	CreatePriceMinor, RenewPriceMinor           int64
	MinYears, MaxYears                          uint32
	AutoRenew                                   bool
	AddGraceDays, RenewGraceDays, AutoGraceDays uint32
	RedemptionDays, PendingDeleteDays           uint32
	MinNameServers, MaxNameServers, MaxContacts int
	RegistrantRequired                          bool
	Reserved                                    []string
}

// Registrar is an account that may register under the TLD unless Accredited is false.
type Registrar struct {
	BalanceMinor, CreditMinor int64
	Accredited                bool
	// Month is the month of the following: registrations, deletions in the add grace period,
	// and for how many of them money was given back.
	Month                  string
	Adds, Deletes, Refunds int
}

// Contact is a contact with what the rules look at.
type Contact struct {
	ID, Sponsor string
	Statuses    []string
}

// Host is a host object.
type Host struct {
	Name, Sponsor string
	Addresses     []netip.Addr
	Statuses      []string
}

// Grace is a running grace period with what a deletion would give back.
type Grace struct {
	Kind        string
	EndsAt      time.Time
	RefundMinor int64
	Years       int // that the charge paid for
}

// Domain is a registration.
type Domain struct {
	Name, Sponsor, Registrant string
	ExpiresAt                 time.Time
	NameServers, Contacts     []string // contacts as role:id
	Statuses                  []string
	Graces                    []Grace
	Phase                     string // "", "redemption" or "pendingDelete"
	PhaseEndsAt               time.Time
}

// Model is a registry of one TLD.
type Model struct {
	Policy     Policy
	Now        time.Time
	Registrars map[string]*Registrar
	Contacts   map[string]*Contact // by lower-case id
	Hosts      map[string]*Host
	Domains    map[string]*Domain
}

// New returns an empty registry.
func New(p Policy, now time.Time) *Model {
	return &Model{Policy: p, Now: now, Registrars: map[string]*Registrar{}, Contacts: map[string]*Contact{}, Hosts: map[string]*Host{}, Domains: map[string]*Domain{}}
}

// Apply does a registrar's command and returns how it ends.
func (m *Model) Apply(actor string, command *fsmpb.Command) registry.Code {
	if m.Registrars[actor] == nil {
		return registry.CodeAuthorization
	}
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_ContactCreate:
		return m.contactCreate(actor, body.ContactCreate)
	case *fsmpb.Command_ContactUpdate:
		return m.contactUpdate(actor, body.ContactUpdate)
	case *fsmpb.Command_ContactDelete:
		return m.contactDelete(actor, body.ContactDelete)
	case *fsmpb.Command_HostCreate:
		return m.hostCreate(actor, body.HostCreate)
	case *fsmpb.Command_HostUpdate:
		return m.hostUpdate(actor, body.HostUpdate)
	case *fsmpb.Command_HostDelete:
		return m.hostDelete(actor, body.HostDelete)
	case *fsmpb.Command_DomainCreate:
		return m.domainCreate(actor, body.DomainCreate)
	case *fsmpb.Command_DomainUpdate:
		return m.domainUpdate(actor, body.DomainUpdate)
	case *fsmpb.Command_DomainDelete:
		return m.domainDelete(actor, body.DomainDelete)
	case *fsmpb.Command_DomainRenew:
		return m.domainRenew(actor, body.DomainRenew)
	default:
		return registry.CodeInternal
	}
}

// clientStatuses are those that a registrar can set (RFC 5731 to 5733, section 2).
func clientStatuses(kind string) []string {
	switch kind {
	case "domain":
		return []string{"clientDeleteProhibited", "clientHold", "clientRenewProhibited", "clientTransferProhibited", "clientUpdateProhibited"}
	case "host":
		return []string{"clientDeleteProhibited", "clientUpdateProhibited"}
	default:
		return []string{"clientDeleteProhibited", "clientTransferProhibited", "clientUpdateProhibited"}
	}
}

// changeStatuses removes, then adds; every removed one must be there and every added one not.
func changeStatuses(kind string, have, add, remove []string) ([]string, registry.Code) {
	next := slices.Clone(have)
	for _, s := range remove {
		if !slices.Contains(clientStatuses(kind), s) || !slices.Contains(have, s) {
			return nil, registry.CodeParameterPolicy
		}
		next = slices.DeleteFunc(next, func(x string) bool { return x == s })
	}
	for _, s := range add {
		if !slices.Contains(clientStatuses(kind), s) || slices.Contains(next, s) {
			return nil, registry.CodeParameterPolicy
		}
		next = append(next, s)
	}
	slices.Sort(next)
	return next, registry.CodeOK
}

// mayUpdate: pendingDelete forbids it; clientUpdateProhibited forbids all but its removal.
func mayUpdate(have []string, nothingElse bool, add, remove []string) bool {
	if slices.Contains(have, "pendingDelete") {
		return false
	}
	return !slices.Contains(have, "clientUpdateProhibited") ||
		nothingElse && len(add) == 0 && slices.Equal(remove, []string{"clientUpdateProhibited"})
}

func (m *Model) contactCreate(actor string, c *fsmpb.ContactCreate) registry.Code {
	key := strings.ToLower(c.GetId())
	if m.Contacts[key] != nil {
		return registry.CodeObjectExists
	}
	m.Contacts[key] = &Contact{ID: c.GetId(), Sponsor: actor}
	return registry.CodeOK
}

func (m *Model) contactUpdate(actor string, c *fsmpb.ContactUpdate) registry.Code {
	contact := m.Contacts[strings.ToLower(c.GetId())]
	switch {
	case contact == nil:
		return registry.CodeObjectDoesNotExist
	case contact.Sponsor != actor:
		return registry.CodeAuthorization
	case !mayUpdate(contact.Statuses, c.Email == nil, c.GetAddStatuses(), c.GetRemoveStatuses()):
		return registry.CodeStatusProhibits
	}
	statuses, code := changeStatuses("contact", contact.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
	if code == registry.CodeOK {
		contact.Statuses = statuses
	}
	return code
}

func (m *Model) contactDelete(actor string, c *fsmpb.ContactDelete) registry.Code {
	key := strings.ToLower(c.GetId())
	contact := m.Contacts[key]
	switch {
	case contact == nil:
		return registry.CodeObjectDoesNotExist
	case contact.Sponsor != actor:
		return registry.CodeAuthorization
	case slices.Contains(contact.Statuses, "clientDeleteProhibited"):
		return registry.CodeStatusProhibits
	}
	for _, d := range m.Domains {
		if strings.EqualFold(d.Registrant, key) {
			return registry.CodeAssociationForbids
		}
		for _, link := range d.Contacts {
			if _, id, _ := strings.Cut(link, ":"); strings.EqualFold(id, key) {
				return registry.CodeAssociationForbids
			}
		}
	}
	delete(m.Contacts, key)
	return registry.CodeOK
}
