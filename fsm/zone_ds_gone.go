package fsm

import (
	"slices"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// zoneDSGone notes that the parent points to no key of the zone any more: the first step out of signing.
func (r *run) zoneDSGone(c *fsmpb.ZoneDSGone) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	guard := r.tx.ZoneGuard(tld.Name)
	if guard.DSGoneAt.IsZero() {
		guard.DSGoneAt = r.now
		r.tx.PutZoneGuard(tld.Name, &guard)
		r.markDirty(tld.Name, tld.Name) // the CDS and CDNSKEY records go
	}
	return ok(), nil
}

// checkSigningChange says whether a zone can be signed in another way from now on. Resolvers that have the parent's DS
// record expect signatures, so that they may end only after it has left caches.
func (r *run) checkSigningChange(old, next *registry.TLD) error {
	if r.tx.FeatureLevel() < registry.LevelPublicationLimits {
		return nil
	}
	inUse := false
	for _, k := range r.tx.ZoneKeys(old.Name) {
		inUse = inUse || k.State != registry.KeyStandby && k.State != registry.KeyRemoved
	}
	was, is := &old.Policy.Signing, &next.Policy.Signing
	if !inUse {
		return nil
	}
	if was.Denial == registry.DenialNone {
		if is.Denial != registry.DenialNone && r.tx.ZoneState(old.Name).SignedAs != "" {
			return refuse(registry.CodeStatusProhibits, "signing.denial", is.Denial.String(), "the last signatures are still leaving the zone: try again in a minute")
		}
		return nil
	}
	if was.Layout != is.Layout {
		return refuse(registry.CodeParameterPolicy, "signing.layout", is.Layout.String(),
			"the zone has keys of the layout %s, and the layout of a signed zone does not change: keep it, or end signing first", was.Layout)
	}
	if is.Denial != registry.DenialNone {
		return nil
	}
	gone := r.tx.ZoneGuard(old.Name).DSGoneAt
	if gone.IsZero() {
		return refuse(registry.CodeStatusProhibits, "signing.denial", is.Denial.String(),
			"resolvers expect signatures while the parent has a DS record of the zone: have it removed there, then say so with cadastre key ds-gone %s", old.Name)
	}
	if until := gone.Add(policy.DSTTL(old) + policy.Propagation(old)); r.now.Before(until) {
		return refuse(registry.CodeStatusProhibits, "signing.denial", is.Denial.String(),
			"the DS record at the parent has not left caches until %s", until.Format(time.RFC3339))
	}
	return nil
}

// resumeSigning begins to sign a zone again: its keys ask the parent for a DS record as new ones do, and those of
// another layout give way to new ones.
func (r *run) resumeSigning(tld *registry.TLD) {
	if !r.forgetDSGone(tld) {
		return
	}
	keys := r.tx.ZoneKeys(tld.Name)
	fits := true
	for i := range keys {
		fits = fits && (keys[i].State == registry.KeyRemoved || slices.Contains(tld.Policy.Signing.Layout.Roles(), keys[i].Role))
	}
	for i := range keys {
		k := &keys[i]
		switch {
		case k.State == registry.KeyRemoved:
			continue
		case !fits:
			k.State, k.StateAt, k.ObservedAt = registry.KeyRemoved, r.now, time.Time{}
		default:
			k.DSSeenAt = time.Time{}
		}
		r.tx.PutZoneKey(k)
	}
}

// forgetDSGone takes back that the parent points to no key and says whether it was so.
func (r *run) forgetDSGone(tld *registry.TLD) bool {
	guard := r.tx.ZoneGuard(tld.Name)
	if guard.DSGoneAt.IsZero() {
		return false
	}
	guard.DSGoneAt = time.Time{}
	r.tx.PutZoneGuard(tld.Name, &guard)
	return true
}
