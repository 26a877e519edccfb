package fsm

import (
	"slices"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// domainDelete purges a domain within its add grace period and gives the money back, unless
// the registrar has done so too often in the month;
// later it starts the redemption grace period (RFC 3915 section 2).
func (r *run) domainDelete(c *fsmpb.DomainDelete) (*fsmpb.Result, error) {
	domain, tld, err := r.ownDomain(c.GetName())
	if err != nil {
		return nil, err
	}
	if err := requireDeletable(domain.Statuses); err != nil {
		return nil, err
	}
	if err := r.requireReleasable(tld, domain); err != nil {
		return nil, err
	}
	inAddGrace := false
	for _, g := range runningGraces(domain.Graces, r.now) {
		inAddGrace = inAddGrace || g.Kind == registry.GraceAdd
	}
	result := ok()
	expiresAt := r.expiryWithoutRefunds(domain)
	var refunded int64
	if !inAddGrace || r.countAddGraceDelete(domain) {
		refunded = r.refundGraces(domain, r.now)
	}
	r.settled(result, tld, -refunded, 0)
	switch {
	case inAddGrace && (r.tx.FeatureLevel() < registry.LevelLifecycle || len(r.tx.SubordinateHosts(domain.Name, 1)) == 0):
		r.purgeDomain(domain)
		return result, nil
	case inAddGrace: // the next ticks move its hosts and purge it
		r.redeem(tld, domain, expiresAt, r.now)
		r.purgeSoon(domain.Name)
	default:
		r.redeem(tld, domain, expiresAt, r.now)
	}
	result.Code = uint32(registry.CodeOKPending)
	return result, nil
}

// expiryWithoutRefunds is when the registration would end without the years that a deletion
// now gives the money back for, so that a restore does not give them for nothing.
func (r *run) expiryWithoutRefunds(domain *registry.Domain) time.Time {
	return r.undoneTerm(domain.ExpiresAt, runningGraces(domain.Graces, r.now))
}

// undoneTerm is when a registration that ends at expiresAt would end without what was charged
// in the grace periods.
func (r *run) undoneTerm(expiresAt time.Time, graces []registry.Grace) time.Time {
	for _, g := range slices.Backward(graces) { // the latest is undone first
		row, found := r.tx.LedgerRow(g.ChargeRow)
		switch {
		case !found:
		case !g.RevertsTo.IsZero() && !policy.AddYears(g.RevertsTo, row.Years).Before(expiresAt): // nothing came after it that stays
			expiresAt = g.RevertsTo
		default:
			expiresAt = policy.WithdrawYears(expiresAt, row.Years)
		}
	}
	return expiresAt
}

// revertsTo is what a grace period has to remember of the end of the registration before, so
// that a deletion finds it again: nothing where taking the years off the new end gives it.
func (r *run) revertsTo(before, after time.Time, years uint32) time.Time {
	if r.tx.FeatureLevel() < registry.LevelExactTerms || policy.WithdrawYears(after, years).Equal(before) {
		return time.Time{}
	}
	return before
}

// enterRedemption takes the domain out of the zone; it can still be restored until the
// period ends.
func (r *run) enterRedemption(tld *registry.TLD, domain *registry.Domain, at time.Time) {
	r.redeem(tld, domain, domain.ExpiresAt, at)
}

// redeem is enterRedemption with another expiry.
func (r *run) redeem(tld *registry.TLD, domain *registry.Domain, expiresAt, at time.Time) {
	next := *domain
	next.ExpiresAt = expiresAt
	next.Statuses = domain.Statuses.With(registry.StatusPendingDelete)
	next.Phase = registry.PhaseRedemption
	next.PhaseEndsAt = policy.AddDays(at, tld.Policy.RedemptionDays)
	next.Graces = nil
	next.ExpiryGraceEndsAt = time.Time{}
	r.tx.PutDomain(domain, &next)
	r.markDelegationDirty(&next, domain)
}
