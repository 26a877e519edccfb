package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// contactTransferRequest asks for a contact of another registrar (RFC 5733 section 3.2.4).
func (r *run) contactTransferRequest(c *fsmpb.ContactTransferRequest) (*fsmpb.Result, error) {
	contact, err := r.pendingContact(c.GetId())
	if err != nil {
		return nil, err
	}
	if err := r.requireNotOwn(&contact.Provenance, "id", c.GetId()); err != nil {
		return nil, err
	}
	if roid := registry.ROID(c.GetAuthProof().GetRoid()); roid != "" && roid != contact.ROID {
		return nil, errAuthInfo()
	}
	if err := r.requireProof(contact.ROID, contact.AuthInfo, c.GetAuthProof()); err != nil {
		return nil, err
	}
	if err := requireTransferable(contact.Statuses); err != nil {
		return nil, err
	}
	next := *contact
	next.Transfer = &registry.Transfer{
		Status: registry.TransferPending, Requester: r.registrarID(), RequestedAt: r.now, Losing: contact.Sponsor,
		ActAt: policy.AddDays(r.now, policy.DefaultTransferPendingDays),
	}
	next.Statuses = contact.Statuses.With(registry.StatusPendingTransfer)
	r.tx.PutContact(contact, &next)
	r.notifyContactTransfer(contact.Sponsor, &next)
	return transferResult(next.Transfer), nil
}
