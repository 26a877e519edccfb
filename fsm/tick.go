package fsm

import (
	"bytes"
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
)

// resultWindow is how long results are kept by request id. A forwarder gives up after half
// a minute, so this leaves room for a node that is paused in between.
const resultWindow = 15 * time.Minute

// autoRenewYears is by how much an expired registration is extended.
const autoRenewYears = 1

// tick compares state hashes and does what time has made due.
func (r *run) tick(c *fsmpb.Tick) (*fsmpb.Result, error) {
	if mine, known := r.tx.StateHashAt(c.GetHashIndex()); known && len(c.GetHash()) > 0 && !bytes.Equal(mine, c.GetHash()) {
		panic(&Halt{Index: r.tx.At().Index, Reason: "this node's state differs from the leader's: its state hash at an earlier index is another one"})
	}
	due := r.tx.DueUntil(r.now, tickDueLimit)
	for _, d := range due {
		if err := r.domainDue(d); err != nil {
			return nil, err
		}
	}
	purged := r.tx.PurgeResults(r.tx.LeaderNow().Add(-resultWindow), tickPurgeLimit)
	r.tx.PurgeJoinTokens(r.tx.LeaderNow().Add(-24*time.Hour), tickTokensLimit)
	result := ok()
	result.MoreDue = len(due) == tickDueLimit || purged == tickPurgeLimit
	return result, nil
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
	case d.Phase == registry.PhaseRedemption || d.Phase == registry.PhasePendingRestore:
		next := *d
		next.Phase = registry.PhasePendingDelete
		next.PhaseEndsAt = policy.AddDays(due.At, tld.Policy.PendingDeleteDays)
		r.tx.PutDomain(d, &next)
	case d.Phase == registry.PhasePendingDelete:
		r.purgeDomain(d)
	case tld.Policy.AutoRenew:
		r.autoRenew(tld, d, due.At)
	default:
		r.enterRedemption(tld, d, due.At)
	}
	return nil
}

// autoRenew extends an expired registration. The charge is always made: the registrar has
// the auto-renew grace period to delete the domain and get it back.
func (r *run) autoRenew(tld *registry.TLD, d *registry.Domain, at time.Time) {
	next := *d
	next.ExpiresAt = policy.AddYears(d.ExpiresAt, autoRenewYears)
	row := r.charge(tld, d.Sponsor, store.LedgerAutoRen, d.Name, autoRenewYears, policy.RenewPriceMinor(tld, autoRenewYears))
	next.Graces = append(runningGraces(d.Graces, at), registry.Grace{
		Kind: registry.GraceAutoRenew, EndsAt: policy.AddDays(at, tld.Policy.AutoRenewGraceDays), ChargeRow: row,
	})
	r.tx.PutDomain(d, &next)
}
