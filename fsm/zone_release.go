package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// zoneRelease lets a held zone be published again: what waits is published without limits, which count anew afterwards.
func (r *run) zoneRelease(c *fsmpb.ZoneRelease) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	guard := r.tx.ZoneGuard(tld.Name)
	if guard.HeldAt.IsZero() {
		return nil, refuse(registry.CodeStatusProhibits, "tld", string(tld.Name), "the zone is not held")
	}
	guard.HeldAt, guard.Limit = time.Time{}, ""
	guard.ReleasedUntil = r.now.Add(policy.ReleaseTime)
	r.tx.PutZoneGuard(tld.Name, &guard)
	r.effects.Dirty = true
	return ok(), nil
}
