package model

import (
	"slices"
	"strings"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// serverStatuses are those that only the registry sets (RFC 5731 to 5733, section 2).
func serverStatuses(kind string) []string {
	var out []string
	for _, s := range clientStatuses(kind) {
		out = append(out, "server"+strings.TrimPrefix(s, "client"))
	}
	return out
}

// operate does an operator's change of server statuses.
func (m *Model) operate(command *fsmpb.Command) registry.Code {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_DomainServerUpdate:
		c := body.DomainServerUpdate
		d := m.Domains[c.GetName()]
		if d == nil {
			return registry.CodeObjectDoesNotExist
		}
		next, code := changeServerStatuses("domain", d.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
		if code != registry.CodeOK {
			return code
		}
		if d.Transfer.pending() && locks(d.Statuses, next) {
			m.keepDomain(d, "serverCancelled", m.Now)
			next = without(next, "pendingTransfer")
		}
		d.Statuses = next
		m.changed(d.Sponsor, d.Name)
	case *fsmpb.Command_HostServerUpdate:
		c := body.HostServerUpdate
		h := m.Hosts[c.GetName()]
		if h == nil {
			return registry.CodeObjectDoesNotExist
		}
		next, code := changeServerStatuses("host", h.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
		if code != registry.CodeOK {
			return code
		}
		h.Statuses = next
		m.changed(h.Sponsor, h.Name)
	case *fsmpb.Command_ContactServerUpdate:
		c := body.ContactServerUpdate
		contact := m.Contacts[strings.ToLower(c.GetId())]
		if contact == nil {
			return registry.CodeObjectDoesNotExist
		}
		next, code := changeServerStatuses("contact", contact.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
		if code != registry.CodeOK {
			return code
		}
		if contact.Transfer.pending() && locks(contact.Statuses, next) {
			m.endContactTransfer(contact, "serverCancelled", m.Now)
			next = without(next, "pendingTransfer")
		}
		contact.Statuses = next
		m.changed(contact.Sponsor, contact.ID)
	default:
		return registry.CodeInternal
	}
	return registry.CodeOK
}

// locks: an object that the registry locks is not transferred.
func locks(have, next []string) bool {
	return slices.Contains(next, "serverTransferProhibited") && !slices.Contains(have, "serverTransferProhibited")
}

// changed tells the sponsor how the object was and how it is (RFC 8590 section 2).
func (m *Model) changed(sponsor, object string) {
	m.tell(sponsor, "change", object, "before")
	m.tell(sponsor, "change", object, "after")
}

// changeServerStatuses: what is deleted already cannot be protected from it any more.
func changeServerStatuses(kind string, have, add, remove []string) ([]string, registry.Code) {
	if len(add)+len(remove) == 0 {
		return nil, registry.CodeParameterMissing
	}
	next := have
	for _, s := range remove {
		if !slices.Contains(serverStatuses(kind), s) || !slices.Contains(next, s) {
			return nil, registry.CodeParameterPolicy
		}
		next = without(next, s)
	}
	for _, s := range add {
		if !slices.Contains(serverStatuses(kind), s) || slices.Contains(next, s) {
			return nil, registry.CodeParameterPolicy
		}
		next = with(next, s)
	}
	if slices.Contains(next, "pendingDelete") && slices.Contains(next, "serverDeleteProhibited") && !slices.Contains(have, "serverDeleteProhibited") {
		return nil, registry.CodeStatusProhibits
	}
	return next, registry.CodeOK
}
