package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// changeServerStatuses adds and removes what an operator asked for on an object of the kind.
func changeServerStatuses(kind registry.ObjectKind, have registry.Statuses, add, remove []string) (registry.Statuses, error) {
	if len(add)+len(remove) == 0 {
		return nil, refuse(registry.CodeParameterMissing, "status", "", "name a status to add or to remove")
	}
	next := have
	for _, s := range remove {
		status := registry.Status(s)
		if !registry.IsServerStatus(kind, status) {
			return nil, refuse(registry.CodeParameterPolicy, "status", s, "only server statuses of %s can be removed by an operator", withArticle(kind))
		}
		if !next.Has(status) {
			return nil, refuse(registry.CodeParameterPolicy, "status", s, "the status to remove is not set")
		}
		next = next.Without(status)
	}
	for _, s := range add {
		status := registry.Status(s)
		if !registry.IsServerStatus(kind, status) {
			return nil, refuse(registry.CodeParameterPolicy, "status", s, "only server statuses of %s can be set by an operator", withArticle(kind))
		}
		if next.Has(status) {
			return nil, refuse(registry.CodeParameterPolicy, "status", s, "the status to add is set already")
		}
		next = next.With(status)
	}
	if next.Has(registry.StatusPendingDelete) && next.Has(registry.StatusServerDeleteProhibited) && !have.Has(registry.StatusServerDeleteProhibited) {
		return nil, refuse(registry.CodeStatusProhibits, "status", string(registry.StatusServerDeleteProhibited),
			"the object is being deleted already (RFC 5731 section 2.3); restore it first")
	}
	return next, nil
}

// locksTransfer says whether a change of statuses forbids transfers that were allowed before.
// A transfer that is pending then ends: both statuses together are excluded (RFC 5731 section
// 2.3), and an object that an operator locks must not move to another registrar by itself.
func locksTransfer(old, next registry.Statuses) bool {
	return next.Has(registry.StatusServerTransferProhibited) && !old.Has(registry.StatusServerTransferProhibited)
}

// notifyChange tells the sponsor of a change that an operator made: two messages, with the
// object as it was and as it is (RFC 8590 section 2). They name the version that the
// present command makes.
func (r *run) notifyChange(kind registry.ObjectKind, p *registry.Provenance, key string, about *fsmpb.Case) {
	r.notifyChangeBy(kind, p, key, registry.Change{Who: r.actor.GetId(), Reason: r.reason, Case: registry.Case{Type: about.GetType(), Name: about.GetName(), ID: about.GetId()}})
}

// notifyRegistryChange tells the sponsor of a change that follows from what became of another
// object.
func (r *run) notifyRegistryChange(kind registry.ObjectKind, p *registry.Provenance, key, reason string) {
	r.notifyChangeBy(kind, p, key, registry.Change{Who: registryName, Reason: reason})
}

func (r *run) notifyChangeBy(kind registry.ObjectKind, p *registry.Provenance, key string, change registry.Change) {
	at := r.tx.At()
	change.Operation = registry.ChangeUpdate
	for _, state := range []registry.ChangeState{registry.ChangeBefore, registry.ChangeAfter} {
		told := change
		told.State = state
		r.notify(registry.PollMessage{
			Registrar: p.Sponsor, Kind: registry.PollChange, Object: kind, Key: key, ROID: p.ROID,
			Action: registry.Action{Term: at.Term, Index: at.Index, InEntry: at.InEntry},
			Change: &told,
		})
	}
}

// serverUpdated notes that the registry changed the object now. The last registrar that
// changed it stays noted beside.
func (r *run) serverUpdated(p *registry.Provenance) { p.UpdatedAt = r.now }
