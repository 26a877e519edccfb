package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// zoneKeyDSSeen notes that the parent points to a key.
func (r *run) zoneKeyDSSeen(c *fsmpb.ZoneKeyDSSeen) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	k, found := r.tx.ZoneKey(tld.Name, c.GetId())
	switch {
	case !found:
		return nil, refuse(registry.CodeObjectDoesNotExist, "id", c.GetId(), "the zone has no such key")
	case !k.Role.IsEntryPoint():
		return nil, refuse(registry.CodeParameterPolicy, "id", c.GetId(), "the parent does not point to a %s", k.Role)
	case k.State != registry.KeyReady && k.State != registry.KeyActive:
		return nil, refuse(registry.CodeStatusProhibits, "id", c.GetId(), "the key is %s; its DS record belongs at the parent once it is ready, not before", k.State)
	case !k.DSSeenAt.IsZero():
		return ok(), nil
	}
	r.forgetDSGone(tld)
	k.DSSeenAt = r.now
	r.tx.PutZoneKey(k)
	r.markDirty(tld.Name, tld.Name) // the CDS and CDNSKEY records go
	return ok(), nil
}
