package fsm

import (
	"fmt"
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// zoneKeyAdd makes the public half of a new key known, or has one that stands by come into use. Repeating it changes
// nothing.
func (r *run) zoneKeyAdd(c *fsmpb.ZoneKeyAdd) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	if standby, exists := r.tx.ZoneKey(tld.Name, c.GetId()); exists {
		return r.useStandby(standby, c)
	}
	k := &registry.ZoneKey{
		TLD: tld.Name, ID: c.GetId(), Role: registry.KeyRole(c.GetRole()), Algorithm: uint8(c.GetAlgorithm()), PublicKey: c.GetPublicKey(),
		State: registry.KeyStandby, Rolling: c.GetRolling(), Replaces: c.GetReplaces(), Emergency: c.GetEmergency(), CreatedAt: r.now, StateAt: r.now,
	}
	k.Tag = registry.KeyTag(k.Flags(), k.Algorithm, k.PublicKey)
	keys := r.forgetRemoved(tld)
	if len(keys) >= maxZoneKeys {
		return nil, refuse(registry.CodeParameterRange, "tld", c.GetTld(), "a zone has at most %d keys; those removed are forgotten after a month", maxZoneKeys)
	}
	for i := range keys {
		if keys[i].Tag == k.Tag { // of whatever algorithm: validators may look at the tag first
			return nil, refuse(registry.CodeKeyTagTaken, "tag", fmt.Sprint(k.Tag), "key %s of the zone has the same tag; make another key", keys[i].ID)
		}
	}
	if err := r.checkReplaces(keys, k); err != nil {
		return nil, err
	}
	r.tx.PutZoneKey(k)
	r.effects.Dirty = true
	return ok(), nil
}

// checkReplaces sees that there is at most one rollover of a key at a time, and no first key beside another.
func (r *run) checkReplaces(keys []registry.ZoneKey, k *registry.ZoneKey) error {
	if !k.Rolling {
		return nil
	}
	for i := range keys {
		other := &keys[i]
		if other.State == registry.KeyRemoved {
			continue
		}
		if other.Rolling && other.State < registry.KeyActive && other.Role == k.Role {
			return refuse(registry.CodeStatusProhibits, "id", other.ID, "key %d of the zone is on its way to replace another; wait for it, or give it up: cadastre key retire", other.Tag)
		}
		if k.Replaces == "" && other.State == registry.KeyActive && other.Role == k.Role {
			return refuse(registry.CodeObjectExists, "id", other.ID, "the zone has a %s; roll it", k.Role)
		}
	}
	if k.Replaces == "" {
		return nil
	}
	old, found := r.tx.ZoneKey(k.TLD, k.Replaces)
	if !found || old.State != registry.KeyActive || old.Role != k.Role {
		return refuse(registry.CodeParameterPolicy, "replaces", k.Replaces, "only an active key of the same role is replaced")
	}
	return nil
}

// useStandby asks for a key that is known to come into use.
func (r *run) useStandby(k *registry.ZoneKey, c *fsmpb.ZoneKeyAdd) (*fsmpb.Result, error) {
	if k.State != registry.KeyStandby || k.Rolling || !c.GetRolling() {
		return ok(), nil
	}
	k.Rolling, k.Replaces, k.Emergency = true, c.GetReplaces(), c.GetEmergency()
	if err := r.checkReplaces(r.tx.ZoneKeys(k.TLD), k); err != nil {
		return nil, err
	}
	r.tx.PutZoneKey(k)
	return ok(), nil
}

// forgetRemoved drops the keys that have been gone for long and returns the others.
func (r *run) forgetRemoved(tld *registry.TLD) []registry.ZoneKey {
	return slices.DeleteFunc(r.tx.ZoneKeys(tld.Name), func(k registry.ZoneKey) bool {
		gone := k.State == registry.KeyRemoved && r.now.Sub(k.StateAt) > policy.RemovedKeyLifetime
		if gone {
			r.tx.DeleteZoneKey(tld.Name, k.ID)
		}
		return gone
	})
}
