package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maintenanceCreate announces a maintenance to the registrars that it concerns.
func (r *run) maintenanceCreate(c *fsmpb.MaintenanceCreate) (*fsmpb.Result, error) {
	m, err := r.maintenanceFromProto(c.GetItem())
	if err != nil {
		return nil, err
	}
	if len(r.tx.Maintenances()) >= maxMaintenances {
		return nil, refuse(registry.CodeParameterPolicy, "id", "", "at most %d maintenances are kept; they go 90 days after their end", maxMaintenances)
	}
	if m.ROID, err = r.newROID(c.GetRoid(), operatorROIDSuffix); err != nil {
		return nil, err
	}
	m.ID, m.CreatedAt, m.Revision = string(m.ROID), r.now, 1
	if err := r.putMaintenance(nil, m, registry.PollMaintenanceCreate); err != nil {
		return nil, err
	}
	result := ok()
	result.Roid, result.CreatedAtMs = m.ID, r.now.UnixMilli()
	return result, nil
}
