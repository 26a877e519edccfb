package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// domainTransferRequest asks for a domain of another registrar (RFC 5731 section 3.2.4).
func (r *run) domainTransferRequest(c *fsmpb.DomainTransferRequest) (*fsmpb.Result, error) {
	domain, tld, err := r.pendingDomain(c.GetName())
	if err != nil {
		return nil, err
	}
	registrar, err := r.requireAccredited(tld.Name)
	if err != nil {
		return nil, err
	}
	if err := r.requireNotOwn(&domain.Provenance, "name", c.GetName()); err != nil {
		return nil, err
	}
	if err := r.requireDomainProof(domain, c.GetAuthProof()); err != nil {
		return nil, err
	}
	if err := requireTransferable(domain.Statuses); err != nil {
		return nil, err
	}
	if err := r.requireNoVariants(tld, domain); err != nil {
		return nil, err
	}
	transfer := &registry.Transfer{
		Status: registry.TransferPending, Requester: registrar.ID, RequestedAt: r.now, Losing: domain.Sponsor,
		ActAt: policy.AddDays(r.now, policy.TransferPendingDays(tld)),
	}
	if err := r.setTransferTerm(tld, domain, transfer, c.GetPeriodYears()); err != nil {
		return nil, err
	}
	token, err := r.presentedToken(c.GetAllocationTokenSha256(), tld, domain.Name)
	if err != nil {
		return nil, err
	}
	prices := policy.PricesOf(r.tx, tld, domain)
	price := policy.TokenPriceMinor(token, prices.TransferMinor(transfer.PeriodYears), transfer.PeriodYears)
	if err := r.requirePayment(tld, registrar, &prices, c.GetFee(), price); err != nil {
		return nil, err
	}
	transfer.ReservedRow = r.reserve(tld, domain, transfer.PeriodYears, price)
	r.spendToken(token, domain.Name)
	next := *domain
	next.Transfer = transfer
	next.Statuses = domain.Statuses.With(registry.StatusPendingTransfer)
	r.tx.PutDomain(domain, &next)
	r.notifyDomain(domain.Sponsor, &next, registry.PollMessage{Kind: registry.PollTransfer, Transfer: transfer})
	result := transferResult(transfer)
	r.settled(result, tld, price, transfer.PeriodYears)
	return result, nil
}

// setTransferTerm sets the period and the expiry that a transfer leads to. A period that the
// requester names must fit into the longest term allowed; the usual year is cut to fit, so
// that a long registration can be transferred too.
func (r *run) setTransferTerm(tld *registry.TLD, d *registry.Domain, t *registry.Transfer, requestedYears uint32) error {
	var err error
	if t.PeriodYears, err = policy.TransferPeriodYears(tld, requestedYears); err != nil {
		return err
	}
	var voidedYears uint32
	for _, g := range runningGraces(d.Graces, r.now) {
		if g.Kind == registry.GraceAutoRenew {
			voidedYears += autoRenewYears
		}
	}
	wanted := policy.TransferExpiry(d.ExpiresAt, t.PeriodYears, voidedYears)
	t.ExpiresAt = policy.CapTerm(r.now, d.ExpiresAt, wanted)
	if requestedYears > 0 && !t.ExpiresAt.Equal(wanted) {
		return refuse(registry.CodeParameterPolicy, "period", "", "the registration would run longer than %d years from now", policy.MaxTermYears)
	}
	return nil
}
