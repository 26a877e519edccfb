package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// contactTransferReject keeps a contact that another registrar asked for.
func (c *call) contactTransferReject(ctx context.Context, q *eppxml.ContactTransfer) (*answer, error) {
	return c.contactTransferred(ctx, q.ID, &fsmpb.Command{Body: &fsmpb.Command_ContactTransferReject{
		ContactTransferReject: &fsmpb.ContactTransferReject{Id: q.ID},
	}})
}
