package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// contactTransferRequest asks for a contact of another registrar.
func (c *call) contactTransferRequest(ctx context.Context, q *eppxml.ContactTransfer) (*answer, error) {
	if err := requirePresented(q.AuthInfo); err != nil {
		return nil, err
	}
	request := &fsmpb.ContactTransferRequest{Id: q.ID}
	err := c.view(ctx, func(tx *store.ReadTx) error {
		contact, found := tx.Contact(registry.ContactID(q.ID))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "id", q.ID, "there is no such contact")
		}
		if contact.Sponsor == c.registrar {
			return nil // refused when it is applied, whatever was presented
		}
		target := contactTarget(contact)
		if q.AuthInfo.ROID != "" && registry.ROID(q.AuthInfo.ROID) != contact.ROID {
			target.stored = registry.AuthInfo{}
		}
		var err error
		request.AuthProof, err = c.proveAuthInfo(tx, target, q.AuthInfo)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.contactTransferred(ctx, q.ID, &fsmpb.Command{Body: &fsmpb.Command_ContactTransferRequest{ContactTransferRequest: request}})
}
