package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// domainRestoreReport completes a restore. The report is kept in the domain's history.
func (r *run) domainRestoreReport(c *fsmpb.DomainRestoreReport) (*fsmpb.Result, error) {
	domain, tld, err := r.restorableDomain(c.GetName(), registry.PhasePendingRestore)
	if err != nil {
		return nil, err
	}
	report := &registry.RestoreReport{
		PreData: c.GetPreData(), PostData: c.GetPostData(), Reason: c.GetReason(), Statements: c.GetStatements(), Other: c.GetOther(),
		DeletedAt: time.UnixMilli(c.GetDeletedAtMs()).UTC(), RestoredAt: time.UnixMilli(c.GetRestoredAtMs()).UTC(),
	}
	if err := policy.CheckRestoreReport(r.now, report); err != nil {
		return nil, err
	}
	next := *domain
	next.Phase, next.PhaseEndsAt = registry.PhaseNone, time.Time{}
	next.RedemptionEndsAt, next.RestoreRequestedAt = time.Time{}, time.Time{}
	next.Statuses = domain.Statuses.Without(registry.StatusPendingDelete)
	price := restoreRenewalMinor(tld, domain, r)
	if !domain.ExpiresAt.After(r.now) {
		next.ExpiresAt = policy.AddYears(domain.ExpiresAt, restoreRenewYears)
		r.charge(tld, domain.Sponsor, store.LedgerRenew, domain.Name, restoreRenewYears, price)
	}
	r.updated(&next.Provenance)
	r.tx.SetReport(report)
	r.tx.PutDomain(domain, &next)
	r.markDelegationDirty(&next, domain)
	result := ok()
	result.ExpiresAtMs = next.ExpiresAt.UnixMilli()
	r.settled(result, tld, price, 0)
	return result, nil
}

// endPendingRestore is what happens when the report did not come: what remained of the
// redemption period when the restore was requested runs on.
func (r *run) endPendingRestore(domain *registry.Domain, at time.Time) {
	next := *domain
	next.Phase = registry.PhaseRedemption
	next.PhaseEndsAt = at.Add(domain.RedemptionEndsAt.Sub(domain.RestoreRequestedAt))
	next.RedemptionEndsAt, next.RestoreRequestedAt = time.Time{}, time.Time{}
	r.tx.PutDomain(domain, &next)
	r.markDelegationDirty(&next, domain)
	r.notifyDomain(domain.Sponsor, &next, registry.PollMessage{Kind: registry.PollRestoreLapsed, ExpiresAt: next.ExpiresAt, ActAt: next.PhaseEndsAt})
}
