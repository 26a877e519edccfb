package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// domainTransferQuery tells how the latest transfer of a domain stands or ended (RFC 5731
// section 3.1.3).
func (c *call) domainTransferQuery(ctx context.Context, name string, q *eppxml.DomainTransfer) (*answer, error) {
	var transfer *registry.Transfer
	err := c.view(ctx, func(tx *store.ReadTx) error {
		domain, found := tx.Domain(registry.DomainName(name))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "name", q.Name, "the name is not registered")
		}
		if q.AuthInfo != nil {
			if err := c.checkDomainAuthInfo(tx, domain, q.AuthInfo); err != nil {
				return err
			}
		}
		transfer = domain.Transfer
		return c.requireTransferReader(domain.Sponsor, transfer, q.AuthInfo != nil, "name", q.Name)
	})
	if err != nil {
		return nil, err
	}
	return ok(domainTrnData(name, transfer)), nil
}
