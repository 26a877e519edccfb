package fsm

import (
	"bytes"
	"fmt"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// Bounds of the work of one tick, so that a clock that jumps ahead by years catches up in
// entries that each take milliseconds.
const (
	tickDueLimit    = 200
	tickPurgeLimit  = 2000
	tickTokensLimit = 100
	// tickAddGraceLimit bounds the rows of the limit of refunds that one tick looks at.
	tickAddGraceLimit = 500
)

// resultWindow is how long results are kept by request id. A forwarder gives up after half
// a minute, so this leaves room for a node that is paused in between.
const resultWindow = 15 * time.Minute

// autoRenewYears is by how much an expired registration is extended.
const autoRenewYears = 1

// tick compares state hashes and does what time has made due.
func (r *run) tick(c *fsmpb.Tick) (*fsmpb.Result, error) {
	mine, known := r.tx.StateHashAt(c.GetHashIndex())
	known = known && len(c.GetHash()) > 0
	if known && !bytes.Equal(mine, c.GetHash()) {
		panic(&Halt{Index: r.tx.At().Index, Diverged: true,
			Reason: fmt.Sprintf("this node's state differs from the leader's: its state hash at index %d is another one", c.GetHashIndex())})
	}
	if known {
		r.effects.HashComparedIndex = c.GetHashIndex()
	}
	done, err := r.doDue(tickDueLimit)
	if err != nil {
		return nil, err
	}
	if r.tx.FeatureLevel() >= registry.LevelLifecycle {
		r.republish()
		r.carryOnReturn()
		r.tx.PurgeAddGraceMonths(r.now, tickAddGraceLimit)
	}
	more := r.tx.FeatureLevel() >= registry.LevelRetention && r.forget()
	purged := r.tx.PurgeResults(r.tx.LeaderNow().Add(-resultWindow), tickPurgeLimit)
	r.tx.PurgeJoinTokens(r.tx.LeaderNow().Add(-24*time.Hour), tickTokensLimit)
	failures := r.tx.PurgeAuthFailures(r.tx.LeaderNow().Add(-policy.AuthFailureWindow), tickPurgeLimit)
	result := ok()
	result.MoreDue = more || done >= tickDueLimit || purged >= tickPurgeLimit || failures == tickPurgeLimit
	return result, nil
}

// doDue does up to limit things that are due and returns how many. It looks for the
// earliest anew after each: what one brings about may itself be due before the next.
func (r *run) doDue(limit int) (done int, err error) {
	for done < limit {
		due := r.tx.DueUntil(r.now, 1)
		if len(due) == 0 {
			return done, nil
		}
		step := r.domainDue
		switch {
		case due[0].Contact != "":
			step = r.contactDue
		case due[0].Maintenance != "":
			step = r.maintenanceDue
		}
		if err := step(due[0]); err != nil {
			return done, err
		}
		done += 1 + r.extraWork
		r.extraWork = 0
	}
	return done, nil
}

// domainDue does the one thing that is due for the domain, as of the instant at which it
// fell due.
func (r *run) domainDue(due store.Due) error {
	d, found := r.tx.Domain(due.Domain)
	if !found {
		return refuse(registry.CodeInternal, "domain", string(due.Domain), "something is due for a domain that does not exist")
	}
	tld, err := r.requireTLD(d.TLD)
	if err != nil {
		return err
	}
	switch {
	case d.Transfer.IsPending() && !d.Transfer.ActAt.After(due.At):
		r.completeDomainTransfer(tld, d, registry.TransferServerApproved, due.At)
	case d.Phase == registry.PhasePendingRestore:
		r.endPendingRestore(d, due.At)
	case d.Phase == registry.PhaseRedemption:
		next := *d
		next.Phase = registry.PhasePendingDelete
		next.PhaseEndsAt = policy.PurgeAt(tld, policy.AddDays(due.At, tld.Policy.PendingDeleteDays))
		r.tx.PutDomain(d, &next)
	case d.Phase == registry.PhasePendingDelete:
		if r.tx.FeatureLevel() >= registry.LevelLifecycle && !r.releaseHosts(tld, d) {
			return nil // the domain stays due for the rest
		}
		r.notifyPurge(d, due.At)
		r.purgeDomain(d)
	case !d.ExpiryGraceEndsAt.IsZero(): // what the registrar was told holds, whatever the policy is by now
		r.expire(tld, d, due.At)
	case tld.Policy.AutoRenew:
		r.autoRenew(tld, d, due.At)
	case tld.Policy.ExpiryGraceDays > 0:
		r.beginExpiryGrace(tld, d, due.At)
	default:
		r.expire(tld, d, due.At)
	}
	return nil
}

// autoRenew extends an expired registration. The charge is always made: the registrar has
// the auto-renew grace period to delete the domain and get it back.
func (r *run) autoRenew(tld *registry.TLD, d *registry.Domain, at time.Time) {
	next := *d
	next.ExpiresAt = policy.AddYears(d.ExpiresAt, autoRenewYears)
	prices := policy.PricesOf(r.tx, tld, d)
	row := r.charge(tld, d.Sponsor, store.LedgerAutoRen, d.Name, autoRenewYears, prices.RenewMinor(autoRenewYears))
	next.Graces = append(runningGraces(d.Graces, at), registry.Grace{
		Kind: registry.GraceAutoRenew, EndsAt: policy.AddDays(at, tld.Policy.AutoRenewGraceDays), ChargeRow: row,
		RevertsTo: r.revertsTo(d.ExpiresAt, next.ExpiresAt, autoRenewYears),
	})
	r.tx.PutDomain(d, &next)
	r.notifyDomain(d.Sponsor, &next, registry.PollMessage{Kind: registry.PollAutoRenew, ExpiresAt: next.ExpiresAt, ActAt: at})
}

// beginExpiryGrace leaves an expired domain as it is for a while, in which it can be renewed.
func (r *run) beginExpiryGrace(tld *registry.TLD, d *registry.Domain, at time.Time) {
	next := *d
	next.ExpiryGraceEndsAt = policy.AddDays(at, tld.Policy.ExpiryGraceDays)
	r.tx.PutDomain(d, &next)
	r.notifyDomain(d.Sponsor, &next, registry.PollMessage{Kind: registry.PollExpired, ExpiresAt: next.ExpiresAt, ActAt: next.ExpiryGraceEndsAt})
}

// expire deletes a domain whose TLD does not renew by itself. A transfer that is pending
// then has nothing left to transfer.
func (r *run) expire(tld *registry.TLD, d *registry.Domain, at time.Time) {
	if d.Transfer.IsPending() {
		d = r.failDomainTransfer(d, registry.TransferServerCancelled, at)
	}
	r.enterRedemption(tld, d, at)
	r.notifyDomain(d.Sponsor, d, registry.PollMessage{
		Kind: registry.PollRedemption, ExpiresAt: d.ExpiresAt, ActAt: policy.AddDays(at, tld.Policy.RedemptionDays),
	})
}
