package publisher

import (
	"fmt"
	"time"

	"cadastre/dnssec"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// heldError says that a zone is not published until an operator releases it. With hold, the zone is yet to be held.
type heldError struct {
	limit string
	since time.Time
	hold  *fsmpb.ZoneHold
}

func (e *heldError) Error() string {
	held := "the zone is held"
	if !e.since.IsZero() {
		held += " since " + e.since.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf(`%s: %s; look into it, then "cadastre zone release"`, held, e.limit)
}

// isHeld says why the zone is not to be published, nil if it is.
func isHeld(tx *store.ReadTx, tld *registry.TLD) error {
	if guard := tx.ZoneGuard(tld.Name); !guard.HeldAt.IsZero() {
		return &heldError{limit: guard.Limit, since: guard.HeldAt}
	}
	return nil
}

// limits checks what the publication takes out of the zone against the limits of its policy, and counts the
// delegations where the state has not.
func (c *computation) limits(changes []dnssec.Change) error {
	if c.tx.FeatureLevel() < registry.LevelPublicationLimits {
		return nil
	}
	guard := c.tx.ZoneGuard(c.tld.Name)
	if !guard.IsCounted && c.current.Publications > 0 {
		counted := countDelegations(c.tx, c.tld)
		guard.IsCounted, guard.Delegations, c.command.Delegations = true, counted, &counted
	}
	var added, removed uint64
	gone := registry.DomainName("")
	for i := range changes {
		change := &changes[i]
		if change.NSEC3 || change.Owner == c.tld.Name {
			continue
		}
		published, _ := c.tx.Published(c.tld.Name, change.Owner)
		switch was, is := store.IsDelegation(published), store.IsDelegation(change.RRs); {
		case is && !was:
			added++
		case was && !is:
			removed++
			gone = change.Owner
		}
	}
	limit := fsm.CountRemovals(&guard, c.tld, c.tx.Now(), added, removed)
	if limit == "" {
		return nil
	}
	limit += fmt.Sprintf(", such as %s", gone)
	return &heldError{limit: limit, hold: &fsmpb.ZoneHold{Tld: string(c.tld.Name), BaseSerial: c.current.Serial, Limit: limit}}
}

// countDelegations looks at the whole zone; once, when the cluster has begun to count.
func countDelegations(tx *store.ReadTx, tld *registry.TLD) (count uint64) {
	tx.EachPublished(tld.Name, func(o store.OwnerRecords) bool {
		if o.Owner != tld.Name && store.IsDelegation(o.RRs) {
			count++
		}
		return true
	})
	return count
}
