package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// contactTransferCancel takes the request for a contact back.
func (c *call) contactTransferCancel(ctx context.Context, q *eppxml.ContactTransfer) (*answer, error) {
	return c.contactTransferred(ctx, q.ID, &fsmpb.Command{Body: &fsmpb.Command_ContactTransferCancel{
		ContactTransferCancel: &fsmpb.ContactTransferCancel{Id: q.ID},
	}})
}
