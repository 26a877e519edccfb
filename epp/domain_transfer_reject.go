package epp

import (
	"context"

	"cadastre/fsm/fsmpb"
)

// domainTransferReject keeps a domain that another registrar asked for.
func (c *call) domainTransferReject(ctx context.Context, name string) (*answer, error) {
	return c.domainTransferred(ctx, name, &fsmpb.Command{Body: &fsmpb.Command_DomainTransferReject{
		DomainTransferReject: &fsmpb.DomainTransferReject{Name: name},
	}})
}
