package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// domainTransferApprove lets a domain go to the registrar that asked for it (RFC 5731 section
// 3.2.4).
func (r *run) domainTransferApprove(c *fsmpb.DomainTransferApprove) (*fsmpb.Result, error) {
	domain, tld, err := r.pendingDomain(c.GetName())
	if err != nil {
		return nil, err
	}
	if err := r.requireAnswerable(&domain.Provenance, domain.Transfer, "name", c.GetName()); err != nil {
		return nil, err
	}
	return transferResult(r.completeDomainTransfer(tld, domain, registry.TransferClientApproved, r.now).Transfer), nil
}
