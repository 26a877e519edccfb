package fsm

import (
	"time"

	"cadastre/registry"
	"cadastre/store"
)

// pendingContact returns a contact, of which a transfer may be pending.
func (r *run) pendingContact(id string) (*registry.Contact, error) {
	contact, found := r.tx.Contact(registry.ContactID(id))
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "id", id, "there is no such contact")
	}
	return contact, nil
}

// completeContactTransfer gives the contact to the registrar that asked for it. Domains go
// on naming it, whoever sponsors them; the organisations of the losing registrar do not.
func (r *run) completeContactTransfer(c *registry.Contact, status registry.TransferStatus, at time.Time) *registry.Contact {
	next := *c
	next.Sponsor, next.TransferredAt = c.Transfer.Requester, at
	next.AuthInfo, next.Orgs = registry.AuthInfo{}, nil
	return r.endContactTransfer(c, &next, status, at)
}

// failContactTransfer ends a transfer that leaves the contact where it is.
func (r *run) failContactTransfer(c *registry.Contact, status registry.TransferStatus, at time.Time) *registry.Contact {
	next := *c
	return r.endContactTransfer(c, &next, status, at)
}

func (r *run) endContactTransfer(old, next *registry.Contact, status registry.TransferStatus, at time.Time) *registry.Contact {
	next.Transfer = ended(old.Transfer, status, at, time.Time{})
	next.Statuses = old.Statuses.Without(registry.StatusPendingTransfer)
	r.tx.PutContact(old, next)
	for _, told := range toldOfEnd(next.Transfer) {
		r.notifyContactTransfer(told, next)
	}
	return next
}

// contactDue approves the transfer of a contact whose sponsor did not answer in time.
func (r *run) contactDue(due store.Due) error {
	contact, found := r.tx.Contact(due.Contact)
	if !found || !contact.Transfer.IsPending() {
		return refuse(registry.CodeInternal, "contact", string(due.Contact), "something is due for a contact that does not wait for anything")
	}
	r.completeContactTransfer(contact, registry.TransferServerApproved, due.At)
	return nil
}
