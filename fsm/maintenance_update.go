package fsm

import (
	"fmt"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maintenanceUpdate replaces what is said of a maintenance.
func (r *run) maintenanceUpdate(c *fsmpb.MaintenanceUpdate) (*fsmpb.Result, error) {
	old, err := r.liveMaintenance(c.GetId())
	if err != nil {
		return nil, err
	}
	if old.Revision != c.GetRevision() {
		return nil, refuse(registry.CodeConflict, "revision", fmt.Sprint(c.GetRevision()), "the maintenance was changed meanwhile; look at it again")
	}
	next, err := r.maintenanceFromProto(c.GetItem())
	if err != nil {
		return nil, err
	}
	next.ID, next.ROID, next.CreatedAt = old.ID, old.ROID, old.CreatedAt
	next.UpdatedAt, next.Revision = r.now, old.Revision+1
	if err := r.putMaintenance(old, next, registry.PollMaintenanceUpdate); err != nil {
		return nil, err
	}
	return ok(), nil
}
