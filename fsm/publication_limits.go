package fsm

import (
	"fmt"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// CountRemovals adds what a publication puts into and takes out of the zone to the guard and says which limit that
// breaks, "" if none. The publisher asks before it proposes, applying asks again.
func CountRemovals(guard *store.ZoneGuard, tld *registry.TLD, now time.Time, added, removed uint64) (limit string) {
	if now.Sub(guard.WindowAt) >= policy.PublicationWindow {
		guard.WindowAt, guard.WindowBase, guard.Removed = now, guard.Delegations, 0
	}
	guard.Removed += removed
	guard.Delegations += added - min(removed, guard.Delegations+added)
	guard.WindowBase = max(guard.WindowBase, guard.Delegations) // a zone that is being filled
	most := policy.MaxRemoved(tld, guard.WindowBase)
	if removed == 0 || guard.Removed <= most || now.Before(guard.ReleasedUntil) {
		return ""
	}
	return fmt.Sprintf("%d of %d delegations would leave the zone within %s, the limit is %d (max_removed_delegations, max_removed_percent)",
		guard.Removed, guard.WindowBase, policy.PublicationWindow, most)
}

// publishWithin puts a publication in force unless the zone is held or the publication breaks a limit.
func (r *run) publishWithin(tld *registry.TLD, c *fsmpb.ZonePublish, first bool, owners []store.OwnerRecords) error {
	if r.tx.FeatureLevel() < registry.LevelPublicationLimits {
		r.tx.Publish(tld.Name, c.GetSerial(), c.GetSignedAs(), owners)
		return nil
	}
	guard := r.tx.ZoneGuard(tld.Name)
	if !guard.HeldAt.IsZero() {
		return refuse(registry.CodeZoneHeld, "tld", string(tld.Name), "the zone is held since %s: %s", guard.HeldAt.Format(time.RFC3339), guard.Limit)
	}
	before := guard
	added, removed := r.tx.Publish(tld.Name, c.GetSerial(), c.GetSignedAs(), owners)
	switch {
	case guard.IsCounted:
	case first:
		guard.IsCounted = true
	case c.Delegations != nil:
		guard.IsCounted, guard.Delegations = true, c.GetDelegations()
	default:
		return nil // counted with the next publication by a newer leader
	}
	if added == 0 && removed == 0 && before.IsCounted {
		return nil
	}
	if limit := CountRemovals(&guard, tld, r.now, added, removed); limit != "" {
		return refuse(registry.CodeZoneHeld, "tld", string(tld.Name), "%s", limit)
	}
	r.tx.PutZoneGuard(tld.Name, &guard)
	return nil
}
