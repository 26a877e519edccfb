package fsm

import (
	"fmt"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// zoneHold stops the publications of a zone, since the next one breaks a limit. A zone that was published since the
// limit was looked at is not held: its publisher looks again.
func (r *run) zoneHold(c *fsmpb.ZoneHold) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	if serial := r.tx.ZoneState(tld.Name).Serial; serial != c.GetBaseSerial() {
		return nil, refuse(registry.CodeConflict, "base_serial", fmt.Sprint(c.GetBaseSerial()), "the zone is at serial %d already", serial)
	}
	guard := r.tx.ZoneGuard(tld.Name)
	if r.now.Before(guard.ReleasedUntil) {
		return nil, refuse(registry.CodeConflict, "tld", string(tld.Name), "the zone is released until %s", guard.ReleasedUntil.Format(time.RFC3339))
	}
	if guard.HeldAt.IsZero() {
		guard.HeldAt, guard.Limit = r.now, c.GetLimit()
		r.tx.PutZoneGuard(tld.Name, &guard)
	}
	return ok(), nil
}
