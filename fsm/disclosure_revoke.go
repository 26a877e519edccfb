package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// disclosureRevoke ends a grant at once; it stays on record.
func (r *run) disclosureRevoke(c *fsmpb.DisclosureRevoke) (*fsmpb.Result, error) {
	old, found := r.tx.DisclosureGrant(c.GetId())
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "id", c.GetId(), "there is no such grant; see: cadastre disclosure list")
	}
	if !old.RevokedAt.IsZero() {
		return nil, refuse(registry.CodeParameterPolicy, "id", c.GetId(), "the grant was revoked before")
	}
	next := *old
	next.RevokedAt = r.now
	r.tx.PutDisclosureGrant(&next)
	return ok(), nil
}
