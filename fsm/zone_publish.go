package fsm

import (
	"fmt"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// zonePublish puts a publication in force if it builds on the serial that is current.
func (r *run) zonePublish(c *fsmpb.ZonePublish) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	current := r.tx.ZoneState(tld.Name)
	if c.GetBaseSerial() != current.Serial {
		return nil, refuse(registry.CodeConflict, "base_serial", fmt.Sprint(c.GetBaseSerial()), "the zone is at serial %d already", current.Serial)
	}
	if len(c.GetChanges()) == 0 { // what was dirty turned out to be published already
		r.cleanDirty(tld, c)
		result := ok()
		result.Serial = current.Serial
		return result, nil
	}
	if current.Publications > 0 && c.GetSerial() != current.Serial+1 {
		return nil, refuse(registry.CodeParameterRange, "serial", fmt.Sprint(c.GetSerial()), "the serial grows by one per publication, from %d", current.Serial)
	}
	owners := make([]store.OwnerRecords, 0, len(c.GetChanges()))
	for _, change := range c.GetChanges() {
		owner := registry.DomainName(change.GetOwner())
		if owner != tld.Name && !owner.IsBelow(tld.Name) {
			return nil, refuse(registry.CodeParameterPolicy, "owner", change.GetOwner(), "the name lies outside the zone %s", tld.Name)
		}
		if change.GetNsec3() && len(change.GetChainKey()) == 0 {
			return nil, refuse(registry.CodeParameterPolicy, "chain_key", "", "the NSEC3 record at %s has no place in the chain", owner)
		}
		records := store.OwnerRecords{
			Owner: owner, RRs: change.GetRrs(), ChainKey: change.GetChainKey(), NSEC3: change.GetNsec3(), Unchain: change.GetUnchain(),
		}
		if change.GetResignAtMs() != 0 {
			records.ResignAt = time.UnixMilli(change.GetResignAtMs()).UTC()
		}
		owners = append(owners, records)
	}
	if err := r.publishWithin(tld, c, current.Publications == 0, owners); err != nil {
		return nil, err
	}
	r.cleanDirty(tld, c)
	r.effects.Published = true
	result := ok()
	result.Serial = c.GetSerial()
	return result, nil
}

func (r *run) cleanDirty(tld *registry.TLD, c *fsmpb.ZonePublish) {
	for _, owner := range c.GetCleaned() {
		r.tx.Clean(tld.Name, registry.DomainName(owner), c.GetReadIndex())
	}
}
