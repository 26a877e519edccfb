package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// domainTransferReject keeps a domain that another registrar asked for (RFC 5731 section 3.2.4).
func (r *run) domainTransferReject(c *fsmpb.DomainTransferReject) (*fsmpb.Result, error) {
	domain, _, err := r.pendingDomain(c.GetName())
	if err != nil {
		return nil, err
	}
	if err := r.requireAnswerable(&domain.Provenance, domain.Transfer, "name", c.GetName()); err != nil {
		return nil, err
	}
	return transferResult(r.failDomainTransfer(domain, registry.TransferClientRejected, r.now).Transfer), nil
}
