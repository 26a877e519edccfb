package epp

import (
	"context"

	"cadastre/fsm/fsmpb"
)

// domainTransferApprove lets a domain go to the registrar that asked for it.
func (c *call) domainTransferApprove(ctx context.Context, name string) (*answer, error) {
	return c.domainTransferred(ctx, name, &fsmpb.Command{Body: &fsmpb.Command_DomainTransferApprove{
		DomainTransferApprove: &fsmpb.DomainTransferApprove{Name: name},
	}})
}
