package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// disclosureRecord notes that personal data are about to be shown under a grant. A node asks for it
// before it answers, so that nothing is shown that is not on record.
func (r *run) disclosureRecord(c *fsmpb.DisclosureRecord) (*fsmpb.Result, error) {
	old, found := r.tx.DisclosureGrant(c.GetGrantId())
	if !found || !old.InForce(r.now) {
		return nil, refuse(registry.CodeAuthorization, "grant", c.GetGrantId(), "there is no such grant in force")
	}
	next := *old
	next.Disclosures++
	r.tx.PutDisclosureGrant(&next)
	r.tx.AddDisclosure(&registry.Disclosure{
		At: r.now, GrantID: old.ID, Requester: old.Requester, Purpose: old.Purpose,
		Kind: registry.ObjectKind(min(c.GetKind(), 255)), Key: c.GetKey(), Node: c.GetNode(), Address: c.GetAddress(),
	})
	return ok(), nil
}
