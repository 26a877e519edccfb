package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// contactTransfer is <transfer> of a contact, whatever its operation (RFC 5733 sections 3.1.3
// and 3.2.4).
func (c *call) contactTransfer(ctx context.Context, q *eppxml.ContactTransfer) (*answer, error) {
	switch q.Op {
	case eppxml.TransferRequest:
		return c.contactTransferRequest(ctx, q)
	case eppxml.TransferQuery:
		return c.contactTransferQuery(ctx, q)
	}
	if q.AuthInfo != nil { // refused if wrong, also where none is needed
		err := c.view(ctx, func(tx *store.ReadTx) error {
			contact, found := tx.Contact(registry.ContactID(q.ID))
			if !found {
				return nil // refused when it is applied
			}
			return c.checkContactAuthInfo(tx, contact, q.AuthInfo)
		})
		if err != nil {
			return nil, err
		}
	}
	switch q.Op {
	case eppxml.TransferApprove:
		return c.contactTransferApprove(ctx, q)
	case eppxml.TransferReject:
		return c.contactTransferReject(ctx, q)
	default:
		return c.contactTransferCancel(ctx, q)
	}
}

// contactTransferred has a command of a transfer done and answers with how it stands.
func (c *call) contactTransferred(ctx context.Context, id string, command *fsmpb.Command) (*answer, error) {
	return c.transferred(ctx, command, func(t *registry.Transfer) []byte { return contactTrnData(id, t) })
}
