package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// domainServerUpdate sets and removes server statuses of a domain on behalf of an operator.
func (r *run) domainServerUpdate(c *fsmpb.DomainServerUpdate) (*fsmpb.Result, error) {
	old, _, err := r.pendingDomain(c.GetName())
	if err != nil {
		return nil, err
	}
	statuses, err := changeServerStatuses(registry.KindDomain, old.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
	if err != nil {
		return nil, err
	}
	if old.Transfer.IsPending() && locksTransfer(old.Statuses, statuses) {
		old = r.failDomainTransfer(old, registry.TransferServerCancelled, r.now)
		statuses = statuses.Without(registry.StatusPendingTransfer)
	}
	next := *old
	next.Statuses = statuses
	r.serverUpdated(&next.Provenance)
	r.tx.PutDomain(old, &next)
	if old.IsDelegated() != next.IsDelegated() {
		r.markDelegationDirty(&next, old)
	}
	r.notifyChange(registry.KindDomain, &next.Provenance, string(next.Name), c.GetCase())
	return ok(), nil
}
