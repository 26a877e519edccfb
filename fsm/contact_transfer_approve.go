package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// contactTransferApprove lets a contact go to the registrar that asked for it (RFC 5733
// section 3.2.4).
func (r *run) contactTransferApprove(c *fsmpb.ContactTransferApprove) (*fsmpb.Result, error) {
	contact, err := r.pendingContact(c.GetId())
	if err != nil {
		return nil, err
	}
	if err := r.requireAnswerable(&contact.Provenance, contact.Transfer, "id", c.GetId()); err != nil {
		return nil, err
	}
	return transferResult(r.completeContactTransfer(contact, registry.TransferClientApproved, r.now).Transfer), nil
}
