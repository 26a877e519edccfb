package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// hostServerUpdate sets and removes server statuses of a host on behalf of an operator.
func (r *run) hostServerUpdate(c *fsmpb.HostServerUpdate) (*fsmpb.Result, error) {
	old, found := r.tx.Host(registry.DomainName(c.GetName()))
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "name", c.GetName(), "there is no such host")
	}
	next := *old
	var err error
	if next.Statuses, err = changeServerStatuses(registry.KindHost, old.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses()); err != nil {
		return nil, err
	}
	r.serverUpdated(&next.Provenance)
	r.tx.PutHost(old, &next)
	r.notifyChange(registry.KindHost, &next.Provenance, string(next.Name), c.GetCase())
	return ok(), nil
}
