package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// contactTransferReject keeps a contact that another registrar asked for (RFC 5733 section
// 3.2.4).
func (r *run) contactTransferReject(c *fsmpb.ContactTransferReject) (*fsmpb.Result, error) {
	contact, err := r.pendingContact(c.GetId())
	if err != nil {
		return nil, err
	}
	if err := r.requireAnswerable(&contact.Provenance, contact.Transfer, "id", c.GetId()); err != nil {
		return nil, err
	}
	return transferResult(r.failContactTransfer(contact, registry.TransferClientRejected, r.now).Transfer), nil
}
