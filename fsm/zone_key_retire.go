package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// zoneKeyRetire gives up a key that stands by or has not got further than the DNSKEY set.
func (r *run) zoneKeyRetire(c *fsmpb.ZoneKeyRetire) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	k, found := r.tx.ZoneKey(tld.Name, c.GetId())
	switch {
	case !found:
		return nil, refuse(registry.CodeObjectDoesNotExist, "id", c.GetId(), "the zone has no such key")
	case k.State == registry.KeyStandby, k.State == registry.KeyPublished && !policy.IsNewAlgorithm(r.tx.ZoneKeys(tld.Name), k.Algorithm):
	case k.State == registry.KeyActive:
		return nil, refuse(registry.CodeStatusProhibits, "id", c.GetId(), "the zone rests on the key; roll it: cadastre key roll")
	default:
		return nil, refuse(registry.CodeStatusProhibits, "id", c.GetId(), "the key is %s; its rollover goes on by itself", k.State)
	}
	k.State, k.StateAt, k.ObservedAt = registry.KeyRemoved, r.now, time.Time{}
	r.tx.PutZoneKey(k)
	r.markDirty(tld.Name, tld.Name)
	return ok(), nil
}
