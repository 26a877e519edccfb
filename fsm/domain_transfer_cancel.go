package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// domainTransferCancel takes the request for a domain back (RFC 5731 section 3.2.4).
func (r *run) domainTransferCancel(c *fsmpb.DomainTransferCancel) (*fsmpb.Result, error) {
	domain, _, err := r.pendingDomain(c.GetName())
	if err != nil {
		return nil, err
	}
	if err := r.requireCancellable(domain.Transfer, "name", c.GetName()); err != nil {
		return nil, err
	}
	return transferResult(r.failDomainTransfer(domain, registry.TransferClientCancelled, r.now).Transfer), nil
}
