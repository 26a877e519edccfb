package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// domainRenew extends a registration. The expiry date that the registrar believes in must
// be right, so that a repeated command does not renew twice (RFC 5731 section 3.2.3).
func (r *run) domainRenew(c *fsmpb.DomainRenew) (*fsmpb.Result, error) {
	domain, tld, err := r.ownDomain(c.GetName())
	if err != nil {
		return nil, err
	}
	registrar, err := r.requireAccredited(tld.Name)
	if err != nil {
		return nil, err
	}
	if forbidding := firstOf(domain.Statuses, registry.StatusClientRenewProhibited, registry.StatusServerRenewProhibited,
		registry.StatusPendingDelete, registry.StatusPendingTransfer); forbidding != "" {
		return nil, refuse(registry.CodeStatusProhibits, "status", string(forbidding), "the status forbids renewal")
	}
	if current := domain.ExpiresAt.Format(time.DateOnly); current != c.GetCurrentExpiryDate() {
		return nil, refuse(registry.CodeParameterPolicy, "curExpDate", c.GetCurrentExpiryDate(), "the registration expires on another date (RFC 5731 section 3.2.3)")
	}
	years, err := policy.PeriodYears(tld, c.GetPeriodYears())
	if err != nil {
		return nil, err
	}
	next := *domain
	next.ExpiresAt = policy.AddYears(domain.ExpiresAt, years)
	if err := policy.CheckTerm(r.now, next.ExpiresAt); err != nil {
		return nil, err
	}
	prices := policy.PricesOf(r.tx, tld, domain)
	price := prices.RenewMinor(years)
	if err := r.requirePayment(tld, registrar, &prices, c.GetFee(), price); err != nil {
		return nil, err
	}
	row := r.charge(tld, registrar.ID, store.LedgerRenew, domain.Name, years, price)
	next.Graces = append(runningGraces(domain.Graces, r.now), registry.Grace{
		Kind: registry.GraceRenew, EndsAt: policy.AddDays(r.now, tld.Policy.RenewGraceDays), ChargeRow: row,
		RevertsTo: r.revertsTo(domain.ExpiresAt, next.ExpiresAt, years),
	})
	next.ExpiryGraceEndsAt = time.Time{}
	r.updated(&next.Provenance)
	r.tx.PutDomain(domain, &next)
	result := ok()
	result.ExpiresAtMs = next.ExpiresAt.UnixMilli()
	r.settled(result, tld, price, years)
	return result, nil
}
