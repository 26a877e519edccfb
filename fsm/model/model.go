// Package model is a second, plain description of what the registry's commands do, written
// from RFC 5730 to 5733, 3915, 5910 and 8748 over maps, without storage, indexes or speed. Tests run
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
	TransferPriceMinor, RestorePriceMinor       int64
	Premium                                     map[string]Prices // by label
	MinYears, MaxYears                          uint32
	AutoRenew                                   bool
	AddGraceDays, RenewGraceDays, AutoGraceDays uint32
	TransferGraceDays, TransferPendingDays      uint32
	RedemptionDays, PendingDeleteDays           uint32
	RestoreReportDays                           uint32
	ExpiryGraceDays                             uint32        // of an expired name that is not renewed by itself
	PurgeTime                                   time.Duration // after midnight; 0: at any time
	MaxDS                                       int
	MinNameServers, MaxNameServers, MaxContacts int
	RegistrantRequired                          bool
	ExactTerms                                  bool // a deletion takes back exactly the time that it pays back
	Reserved                                    []string
}

// Registrar is an account that may register under the TLD unless Accredited is false.
type Registrar struct {
	BalanceMinor, CreditMinor int64
	LowBalanceMinor           int64
	Accredited                bool
	Queue                     []Message
	Acknowledged              uint64 // how many messages are out of the queue
	// Month is the month of the following: registrations, deletions in the add grace period,
	// and for how many of them money was given back.
	Month                  string
	Adds, Deletes, Refunds int
}

// Contact is a contact with what the rules look at.
type Contact struct {
	ID, Sponsor, ROID string
	Statuses          []string
	Secret            Secret
	Transfer          *Transfer
}

// Host is a host object.
type Host struct {
	Name, Sponsor string
	Addresses     []netip.Addr
	Statuses      []string
}

// Grace is a running grace period with what a deletion would give back.
type Grace struct {
	Kind   string
	EndsAt time.Time
	Charge *Row
	// Before and After are when the registration ended without and with what was charged.
	Before, After time.Time
}

// Domain is a registration.
type Domain struct {
	Name, Sponsor, Registrant, ROID string
	ExpiresAt                       time.Time
	NameServers, Contacts           []string // contacts as role:id
	DS                              []string
	Statuses                        []string
	Secret                          Secret
	Transfer                        *Transfer
	Prices                          Prices
	Graces                          []Grace
	Phase                           string // "", "redemption", "pendingRestore" or "pendingDelete"
	PhaseEndsAt                     time.Time
	ExpiryGraceEndsAt               time.Time     // of an expired name that can still be renewed
	RedemptionLeft                  time.Duration // when the restore was requested
	DeletedByCommand                bool
}

// Model is a registry of one TLD.
type Model struct {
	Policy     Policy
	Now        time.Time
	Registrars map[string]*Registrar
	Contacts   map[string]*Contact // by lower-case id
	Hosts      map[string]*Host
	Domains    map[string]*Domain
	Ledger     []*Row
}

// New returns an empty registry.
func New(p Policy, now time.Time) *Model {
	return &Model{Policy: p, Now: now, Registrars: map[string]*Registrar{}, Contacts: map[string]*Contact{}, Hosts: map[string]*Host{}, Domains: map[string]*Domain{}}
}

// Apply does a command and returns how it ends.
func (m *Model) Apply(command *fsmpb.Command) registry.Code {
	tell := m.lowBalances()
	code := m.apply(command)
	if code.IsSuccess() {
		tell()
	}
	return code
}

func (m *Model) apply(command *fsmpb.Command) registry.Code {
	actor := command.GetActor().GetId()
	switch {
	case command.GetActor().GetKind() == fsmpb.ActorKind_ACTOR_KIND_OPERATOR:
		return m.operate(command)
	case m.Registrars[actor] == nil:
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
	case *fsmpb.Command_DomainRestoreRequest:
		return m.restoreRequest(actor, body.DomainRestoreRequest)
	case *fsmpb.Command_DomainRestoreReport:
		return m.restoreReport(actor, body.DomainRestoreReport)
	default:
		return m.applyTransferOrPoll(actor, command)
	}
}

func (m *Model) applyTransferOrPoll(actor string, command *fsmpb.Command) registry.Code {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_DomainTransferRequest:
		return m.domainTransferRequest(actor, body.DomainTransferRequest)
	case *fsmpb.Command_DomainTransferApprove:
		return m.domainTransferAnswer(actor, body.DomainTransferApprove.GetName(), "approve")
	case *fsmpb.Command_DomainTransferReject:
		return m.domainTransferAnswer(actor, body.DomainTransferReject.GetName(), "reject")
	case *fsmpb.Command_DomainTransferCancel:
		return m.domainTransferAnswer(actor, body.DomainTransferCancel.GetName(), "cancel")
	case *fsmpb.Command_ContactTransferRequest:
		return m.contactTransferRequest(actor, body.ContactTransferRequest)
	case *fsmpb.Command_ContactTransferApprove:
		return m.contactTransferAnswer(actor, body.ContactTransferApprove.GetId(), "approve")
	case *fsmpb.Command_ContactTransferReject:
		return m.contactTransferAnswer(actor, body.ContactTransferReject.GetId(), "reject")
	case *fsmpb.Command_ContactTransferCancel:
		return m.contactTransferAnswer(actor, body.ContactTransferCancel.GetId(), "cancel")
	case *fsmpb.Command_PollAck:
		return m.pollAck(actor, body.PollAck)
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

// mayUpdate: pending actions and the registry forbid it; clientUpdateProhibited forbids all
// but its removal.
func mayUpdate(have []string, nothingElse bool, add, remove []string) bool {
	if hasAny(have, "pendingDelete", "pendingTransfer", "serverUpdateProhibited") {
		return false
	}
	return !slices.Contains(have, "clientUpdateProhibited") ||
		nothingElse && len(add) == 0 && slices.Equal(remove, []string{"clientUpdateProhibited"})
}

// mayDelete: so do they forbid a deletion.
func mayDelete(have []string) bool {
	return !hasAny(have, "clientDeleteProhibited", "serverDeleteProhibited", "pendingDelete", "pendingTransfer")
}

func hasAny(have []string, wanted ...string) bool {
	return slices.ContainsFunc(wanted, func(s string) bool { return slices.Contains(have, s) })
}

func (m *Model) contactCreate(actor string, c *fsmpb.ContactCreate) registry.Code {
	key := strings.ToLower(c.GetId())
	if m.Contacts[key] != nil {
		return registry.CodeObjectExists
	}
	if c.GetAuthInfo().GetWeak() {
		return registry.CodeInvalidAuthInfo
	}
	m.Contacts[key] = &Contact{ID: c.GetId(), Sponsor: actor, ROID: c.GetRoid() + "-EX", Secret: m.secret(c.GetAuthInfo())}
	return registry.CodeOK
}

func (m *Model) contactUpdate(actor string, c *fsmpb.ContactUpdate) registry.Code {
	contact := m.Contacts[strings.ToLower(c.GetId())]
	switch {
	case contact == nil:
		return registry.CodeObjectDoesNotExist
	case contact.Sponsor != actor:
		return registry.CodeAuthorization
	case !mayUpdate(contact.Statuses, c.Email == nil && c.AuthInfo == nil, c.GetAddStatuses(), c.GetRemoveStatuses()):
		return registry.CodeStatusProhibits
	case c.GetAuthInfo().GetWeak():
		return registry.CodeInvalidAuthInfo
	}
	statuses, code := changeStatuses("contact", contact.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
	if code == registry.CodeOK {
		contact.Statuses = statuses
		if c.AuthInfo != nil {
			contact.Secret = m.secret(c.GetAuthInfo())
		}
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
	case !mayDelete(contact.Statuses):
		return registry.CodeStatusProhibits
	}
	for _, d := range m.Domains {
		if m.links(d, key) {
			return registry.CodeAssociationForbids
		}
	}
	delete(m.Contacts, key)
	return registry.CodeOK
}
