package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// contactTransferCancel takes the request for a contact back (RFC 5733 section 3.2.4).
func (r *run) contactTransferCancel(c *fsmpb.ContactTransferCancel) (*fsmpb.Result, error) {
	contact, err := r.pendingContact(c.GetId())
	if err != nil {
		return nil, err
	}
	if err := r.requireCancellable(contact.Transfer, "id", c.GetId()); err != nil {
		return nil, err
	}
	return transferResult(r.failContactTransfer(contact, registry.TransferClientCancelled, r.now).Transfer), nil
}
