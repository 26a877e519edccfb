package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// restoreRenewYears is by how much a restored registration is extended if it has expired
// meanwhile; once is enough, because no redemption period lasts a year.
const restoreRenewYears = 1

// domainRestoreRequest calls a domain back from its redemption period: it is published again
// at once, and deleted after all unless the report follows in time (RFC 3915 section 2).
func (r *run) domainRestoreRequest(c *fsmpb.DomainRestoreRequest) (*fsmpb.Result, error) {
	domain, tld, err := r.restorableDomain(c.GetName(), registry.PhaseRedemption)
	if err != nil {
		return nil, err
	}
	registrar, err := r.requireAccredited(tld.Name)
	if err != nil {
		return nil, err
	}
	prices := policy.PricesOf(r.tx, tld, domain)
	price := prices.RestoreMinor()
	// The renewal of an expired domain is charged when the restore is complete; that it is
	// agreed to and can be paid is asked now.
	if err := r.requirePayment(tld, registrar, &prices, c.GetFee(), price+restoreRenewalMinor(tld, domain, r)); err != nil {
		return nil, err
	}
	r.charge(tld, registrar.ID, store.LedgerRestore, domain.Name, 0, price)
	next := *domain
	next.Phase = registry.PhasePendingRestore
	next.RedemptionEndsAt, next.RestoreRequestedAt = domain.PhaseEndsAt, r.now
	next.PhaseEndsAt = policy.AddDays(r.now, policy.RestoreReportDays(tld))
	r.updated(&next.Provenance)
	r.tx.PutDomain(domain, &next)
	r.markDelegationDirty(&next, domain)
	result := ok()
	r.settled(result, tld, price, 0)
	return result, nil
}

// restorableDomain returns a domain of the acting registrar that is in the given phase. Of
// the statuses only serverUpdateProhibited forbids a restore: pendingDelete is what it ends,
// and clientUpdateProhibited could not be lifted before.
func (r *run) restorableDomain(name string, phase registry.DeletionPhase) (*registry.Domain, *registry.TLD, error) {
	domain, tld, err := r.ownDomain(name)
	if err != nil {
		return nil, nil, err
	}
	if domain.Statuses.Has(registry.StatusServerUpdateProhibited) {
		return nil, nil, refuse(registry.CodeStatusProhibits, "status", string(registry.StatusServerUpdateProhibited), "the status forbids updates")
	}
	if domain.Phase != phase {
		wanted := registry.RGPRedemptionPeriod
		if phase == registry.PhasePendingRestore {
			wanted = registry.RGPPendingRestore
		}
		return nil, nil, refuse(registry.CodeStatusProhibits, "restore", "", "the domain is not in status %s (RFC 3915 section 4.2.5)", wanted)
	}
	return domain, tld, nil
}

// restoreRenewalMinor is the price of the renewal that a restore brings, 0 if the
// registration has not expired.
func restoreRenewalMinor(tld *registry.TLD, domain *registry.Domain, r *run) int64 {
	if domain.ExpiresAt.After(r.now) {
		return 0
	}
	prices := policy.PricesOf(r.tx, tld, domain)
	return prices.RenewMinor(restoreRenewYears)
}
