package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// zoneKeyStep takes keys one step further, all or none. That the waits are over is the leader's word; that the zone
// keeps a chain of trust is seen to here.
func (r *run) zoneKeyStep(c *fsmpb.ZoneKeyStep) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	keys := r.tx.ZoneKeys(tld.Name)
	before := append([]registry.ZoneKey{}, keys...)
	moved := make([]*registry.ZoneKey, 0, len(c.GetMoves()))
	for _, move := range c.GetMoves() {
		k := keyWithID(keys, move.GetId())
		from, to := registry.KeyState(move.GetFrom()), registry.KeyState(move.GetTo())
		switch {
		case k == nil:
			return nil, refuse(registry.CodeObjectDoesNotExist, "id", move.GetId(), "the zone has no such key")
		case k.State != from:
			return nil, refuse(registry.CodeConflict, "id", move.GetId(), "the key is %s by now, not %s", k.State, from)
		case from == to && k.ObservedAt.IsZero():
			k.ObservedAt = r.now
		case from == to:
			continue
		case !policy.MayMoveKey(k, to):
			return nil, refuse(registry.CodeStatusProhibits, "id", move.GetId(), "a %s does not go from %s to %s", k.Role, from, to)
		default:
			k.State, k.StateAt, k.ObservedAt = to, r.now, time.Time{}
		}
		moved = append(moved, k)
	}
	if reason := policy.CheckKeys(before, keys); reason != "" {
		return nil, refuse(registry.CodeStatusProhibits, "tld", string(tld.Name), "%s", reason)
	}
	for _, k := range moved {
		r.tx.PutZoneKey(k)
	}
	if len(moved) > 0 {
		r.markDirty(tld.Name, tld.Name)
	}
	return ok(), nil
}

func keyWithID(keys []registry.ZoneKey, id string) *registry.ZoneKey {
	for i := range keys {
		if keys[i].ID == id {
			return &keys[i]
		}
	}
	return nil
}
