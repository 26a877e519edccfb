package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// contactTransferQuery tells how the latest transfer of a contact stands or ended (RFC 5733
// section 3.1.3).
func (c *call) contactTransferQuery(ctx context.Context, q *eppxml.ContactTransfer) (*answer, error) {
	var transfer *registry.Transfer
	err := c.view(ctx, func(tx *store.ReadTx) error {
		contact, found := tx.Contact(registry.ContactID(q.ID))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "id", q.ID, "there is no such contact")
		}
		if q.AuthInfo != nil {
			if err := c.checkContactAuthInfo(tx, contact, q.AuthInfo); err != nil {
				return err
			}
		}
		transfer = contact.Transfer
		return c.requireTransferReader(contact.Sponsor, transfer, q.AuthInfo != nil, "id", q.ID)
	})
	if err != nil {
		return nil, err
	}
	return ok(contactTrnData(q.ID, transfer)), nil
}
