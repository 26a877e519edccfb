package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// domainTransfer is <transfer> of a domain, whatever its operation (RFC 5731 sections 3.1.3
// and 3.2.4).
func (c *call) domainTransfer(ctx context.Context, q *eppxml.DomainTransfer) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	switch q.Op {
	case eppxml.TransferRequest:
		return c.domainTransferRequest(ctx, name, q)
	case eppxml.TransferQuery:
		return c.domainTransferQuery(ctx, name, q)
	}
	if err := c.checkAnswerAuthInfo(ctx, name, q.AuthInfo); err != nil {
		return nil, err
	}
	switch q.Op {
	case eppxml.TransferApprove:
		return c.domainTransferApprove(ctx, name)
	case eppxml.TransferReject:
		return c.domainTransferReject(ctx, name)
	default:
		return c.domainTransferCancel(ctx, name)
	}
}

// checkAnswerAuthInfo refuses wrong authorisation information also where none is needed.
func (c *call) checkAnswerAuthInfo(ctx context.Context, name string, given *eppxml.AuthInfo) error {
	if given == nil {
		return nil
	}
	return c.view(ctx, func(tx *store.ReadTx) error {
		domain, found := tx.Domain(registry.DomainName(name))
		if !found {
			return nil // refused when it is applied
		}
		return c.checkDomainAuthInfo(tx, domain, given)
	})
}

// domainTransferred has a command of a transfer done and answers with how it stands.
func (c *call) domainTransferred(ctx context.Context, name string, command *fsmpb.Command) (*answer, error) {
	return c.transferred(ctx, command, func(t *registry.Transfer) []byte { return domainTrnData(name, t) })
}
