package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maintenanceCancel tells registrars that a maintenance will not take place, or takes place
// no longer.
func (r *run) maintenanceCancel(c *fsmpb.MaintenanceCancel) (*fsmpb.Result, error) {
	old, err := r.liveMaintenance(c.GetId())
	if err != nil {
		return nil, err
	}
	next := *old
	next.Cancelled, next.UpdatedAt, next.Revision = true, r.now, old.Revision+1
	if err := r.putMaintenance(old, &next, registry.PollMaintenanceDelete); err != nil {
		return nil, err
	}
	return ok(), nil
}
