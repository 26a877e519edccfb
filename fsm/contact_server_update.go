package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// contactServerUpdate sets and removes server statuses of a contact on behalf of an operator.
func (r *run) contactServerUpdate(c *fsmpb.ContactServerUpdate) (*fsmpb.Result, error) {
	old, err := r.pendingContact(c.GetId())
	if err != nil {
		return nil, err
	}
	statuses, err := changeServerStatuses(registry.KindContact, old.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
	if err != nil {
		return nil, err
	}
	if old.Transfer.IsPending() && locksTransfer(old.Statuses, statuses) {
		old = r.failContactTransfer(old, registry.TransferServerCancelled, r.now)
		statuses = statuses.Without(registry.StatusPendingTransfer)
	}
	next := *old
	next.Statuses = statuses
	r.serverUpdated(&next.Provenance)
	r.tx.PutContact(old, &next)
	r.notifyChange(registry.KindContact, &next.Provenance, string(next.ID), c.GetCase())
	return ok(), nil
}
