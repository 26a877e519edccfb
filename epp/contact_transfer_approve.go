package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// contactTransferApprove lets a contact go to the registrar that asked for it.
func (c *call) contactTransferApprove(ctx context.Context, q *eppxml.ContactTransfer) (*answer, error) {
	return c.contactTransferred(ctx, q.ID, &fsmpb.Command{Body: &fsmpb.Command_ContactTransferApprove{
		ContactTransferApprove: &fsmpb.ContactTransferApprove{Id: q.ID},
	}})
}
