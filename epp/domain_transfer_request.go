package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// domainTransferRequest asks for a domain of another registrar.
func (c *call) domainTransferRequest(ctx context.Context, name string, q *eppxml.DomainTransfer) (*answer, error) {
	years, err := periodYears(q.Period)
	if err != nil {
		return nil, err
	}
	if err := requirePresented(q.AuthInfo); err != nil {
		return nil, err
	}
	request := &fsmpb.DomainTransferRequest{Name: name, PeriodYears: years, AllocationTokenSha256: c.tokenHash()}
	if request.Fee, err = c.agreedFee(); err != nil {
		return nil, err
	}
	err = c.view(ctx, func(tx *store.ReadTx) error {
		domain, found := tx.Domain(registry.DomainName(name))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "name", q.Name, "the name is not registered")
		}
		if domain.Sponsor == c.registrar {
			return nil // refused when it is applied, whatever was presented
		}
		request.AuthProof, err = c.proveAuthInfo(tx, targetBehind(tx, domain, q.AuthInfo), q.AuthInfo)
		return err
	})
	if err != nil {
		return nil, err
	}
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_DomainTransferRequest{DomainTransferRequest: request}})
	if err != nil {
		return nil, err
	}
	a := c.done(result, domainTrnData(name, fsm.TransferFromProto(result.GetTransfer())))
	return c.withFees(a, "trnData", feeTransfer, result), nil
}

// targetBehind returns what the presented information is to be compared with: the domain's
// or, where it carries an object identifier, that of a contact of the domain with the same
// sponsor.
func targetBehind(tx *store.ReadTx, domain *registry.Domain, given *eppxml.AuthInfo) *authTarget {
	target := &authTarget{object: domain.ROID, sponsor: domain.Sponsor}
	if given.ROID == "" || registry.ROID(given.ROID) == domain.ROID {
		target.stored = domain.AuthInfo
		return target
	}
	kind, key, found := tx.ROID(registry.ROID(given.ROID))
	if !found || kind != registry.KindContact {
		return target
	}
	contact, found := tx.Contact(registry.ContactID(key))
	if !found || contact.Sponsor != domain.Sponsor || !isContactOf(domain, contact.ID) {
		return target
	}
	return contactTarget(contact)
}
