package fsm

import (
	"time"

	"cadastre/registry"
	"cadastre/store"
)

// notify puts a message into the queue of a registrar.
func (r *run) notify(m registry.PollMessage) {
	m.At = r.now
	r.tx.PutPollMessage(&m)
}

// notifyDomain tells the registrar what the message says, about the domain.
func (r *run) notifyDomain(told registry.RegistrarID, d *registry.Domain, m registry.PollMessage) {
	m.Registrar, m.Object, m.Key, m.ROID = told, registry.KindDomain, string(d.Name), d.ROID
	r.notify(m)
}

func (r *run) notifyContactTransfer(told registry.RegistrarID, c *registry.Contact) {
	r.notify(registry.PollMessage{
		Registrar: told, Kind: registry.PollTransfer, Object: registry.KindContact, Key: string(c.ID), ROID: c.ROID, Transfer: c.Transfer,
	})
}

// notifyPurge tells the sponsor that a deleted domain is gone, and which command of its own
// had deleted it.
func (r *run) notifyPurge(d *registry.Domain, at time.Time) {
	var action registry.Action
	phase := registry.PhaseNone
	r.tx.History(d.ROID, func(v *store.Version) bool {
		if v.Deleted {
			return true
		}
		before := phase
		phase = v.Domain().Phase
		if before == registry.PhaseNone && phase != registry.PhaseNone {
			action = registry.Action{}
			if v.Verb == deleteVerb {
				action = registry.Action{CLTRID: v.CLTRID, Term: v.Term, Index: v.Index, InEntry: v.InEntry}
			}
		}
		return true
	})
	r.notifyDomain(d.Sponsor, d, registry.PollMessage{Kind: registry.PollPurge, ExpiresAt: d.ExpiresAt, ActAt: at, Action: action})
}

// deleteVerb is the Verb of the command by which registrars delete domains.
const deleteVerb = "domain_delete"
