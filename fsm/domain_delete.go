package fsm

import (
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
	if hosts := r.tx.SubordinateHosts(domain.Name, 1); len(hosts) > 0 {
		return nil, refuse(registry.CodeAssociationForbids, "name", c.GetName(), "the domain has subordinate hosts, such as %s; delete or rename them first (RFC 5731 section 3.2.2)", hosts[0])
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
	if inAddGrace {
		r.purgeDomain(domain)
		return result, nil
	}
	r.redeem(tld, domain, expiresAt, r.now)
	result.Code = uint32(registry.CodeOKPending)
	return result, nil
}

// expiryWithoutRefunds is when the registration would end without the years that a deletion
// now gives the money back for, so that a restore does not give them for nothing.
func (r *run) expiryWithoutRefunds(domain *registry.Domain) time.Time {
	expiresAt := domain.ExpiresAt
	for _, g := range runningGraces(domain.Graces, r.now) {
		if row, found := r.tx.LedgerRow(g.ChargeRow); found {
			expiresAt = policy.WithdrawYears(expiresAt, row.Years)
		}
	}
	return expiresAt
}

// purgeSubordinateLimit bounds the hosts that one purge looks at; it is far above what a
// domain of a name server operator has.
const purgeSubordinateLimit = 1000

// purgeDomain makes the name free again. Hosts below it that nothing points to go with it;
// a host that delegations still use stays, unpublished, until they let go of it.
func (r *run) purgeDomain(domain *registry.Domain) {
	for _, name := range r.tx.SubordinateHosts(domain.Name, purgeSubordinateLimit) {
		host, found := r.tx.Host(name)
		if found && !r.usedByOthers(name, domain.Name) {
			r.tx.DeleteHost(host)
		}
		r.markDirty(domain.TLD, name)
	}
	r.tx.DeleteDomain(domain)
	r.markDelegationDirty(domain, nil)
}

// usedByOthers says whether a domain other than the given one is delegated to the host.
func (r *run) usedByOthers(host, domain registry.DomainName) bool {
	for _, user := range r.tx.HostUsers(host, 2) {
		if user != domain {
			return true
		}
	}
	return false
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
