package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// orgDelete removes an organisation to which nothing is linked (RFC 8543 section 4.2.2).
func (r *run) orgDelete(c *fsmpb.OrgDelete) (*fsmpb.Result, error) {
	org, err := r.ownOrg(c.GetId())
	if err != nil {
		return nil, err
	}
	if err := requireOrgInForce(org.Statuses); err != nil {
		return nil, err
	}
	if err := requireDeletable(org.Statuses); err != nil {
		return nil, err
	}
	if r.tx.OrgHasChildren(org.ID) {
		return nil, refuse(registry.CodeAssociationForbids, "id", c.GetId(), "other organisations have this one as their parent; delete or move them first (RFC 8543 section 4.2.2)")
	}
	if r.tx.OrgIsLinked(org.ID) {
		return nil, refuse(registry.CodeAssociationForbids, "id", c.GetId(), "objects are linked to this organisation; it cannot be deleted while linked (RFC 8543 section 4.2.2)")
	}
	r.tx.DeleteOrg(org)
	return ok(), nil
}
