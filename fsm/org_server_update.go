package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// orgServerUpdate sets and removes server statuses of an organisation, and hold and
// terminated, on behalf of an operator.
func (r *run) orgServerUpdate(c *fsmpb.OrgServerUpdate) (*fsmpb.Result, error) {
	old, err := r.existingOrg("id", c.GetId())
	if err != nil {
		return nil, err
	}
	statuses, err := changeServerStatuses(registry.KindOrg, old.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
	if err != nil {
		return nil, err
	}
	if statuses.Has(registry.StatusHold) && statuses.Has(registry.StatusTerminated) {
		return nil, refuse(registry.CodeParameterPolicy, "status", string(registry.StatusTerminated), "an organisation is either on hold or terminated (RFC 8543 section 3.4)")
	}
	if statuses.Has(registry.StatusTerminated) && !old.Statuses.Has(registry.StatusTerminated) && r.tx.OrgIsLinked(old.ID) {
		return nil, refuse(registry.CodeAssociationForbids, "status", string(registry.StatusTerminated), "an organisation that is terminated is not linked (RFC 8543 section 3.4); put it on hold until its links are gone")
	}
	next := *old
	next.Statuses = statuses
	r.serverUpdated(&next.Provenance)
	r.tx.PutOrg(old, &next)
	r.notifyChange(registry.KindOrg, &next.Provenance, string(next.ID), c.GetCase())
	return ok(), nil
}
