package epp

import (
	"context"

	"cadastre/fsm/fsmpb"
)

// domainTransferCancel takes the request for a domain back.
func (c *call) domainTransferCancel(ctx context.Context, name string) (*answer, error) {
	return c.domainTransferred(ctx, name, &fsmpb.Command{Body: &fsmpb.Command_DomainTransferCancel{
		DomainTransferCancel: &fsmpb.DomainTransferCancel{Name: name},
	}})
}
