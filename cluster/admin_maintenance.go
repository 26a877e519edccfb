package cluster

import (
	"cmp"
	"context"
	"slices"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm"
	"cadastre/registry"
	"cadastre/store"
)

// MaintenanceList returns the maintenances that are kept, by start.
func (s *adminService) MaintenanceList(ctx context.Context, _ *clusterpb.MaintenanceListRequest) (*clusterpb.MaintenanceListResponse, error) {
	out := &clusterpb.MaintenanceListResponse{}
	err := s.readNewest(ctx, func(tx *store.ReadTx) error {
		all := tx.Maintenances()
		slices.SortFunc(all, func(a, b *registry.Maintenance) int {
			return cmp.Or(a.StartsAt.Compare(b.StartsAt), cmp.Compare(a.ID, b.ID))
		})
		for _, m := range all {
			out.Maintenances = append(out.Maintenances, maintenanceMessage(m))
		}
		return nil
	})
	return out, err
}

// MaintenanceShow returns one maintenance as it is, or was last, with its history. The bound on
// revisions bounds the answer.
func (s *adminService) MaintenanceShow(ctx context.Context, req *clusterpb.MaintenanceShowRequest) (*clusterpb.MaintenanceShowResponse, error) {
	out := &clusterpb.MaintenanceShowResponse{}
	err := s.readNewest(ctx, func(tx *store.ReadTx) error {
		tx.History(registry.ROID(req.GetId()), func(v *store.Version) bool {
			if v.Kind != registry.KindMaintenance {
				return false
			}
			out.Maintenance = maintenanceMessage(v.Maintenance())
			out.Versions = append(out.Versions, &clusterpb.MaintenanceVersion{
				AtMs: unixMilli(v.At), Verb: v.Verb, Actor: v.Actor, Reason: v.Reason, Maintenance: out.GetMaintenance(),
			})
			return true
		})
		if out.GetMaintenance() == nil {
			return refuse(registry.CodeObjectDoesNotExist, "id", req.GetId(), "there never was such a maintenance")
		}
		return nil
	})
	return out, err
}

func maintenanceMessage(m *registry.Maintenance) *clusterpb.MaintenanceRecord {
	return &clusterpb.MaintenanceRecord{
		Id: m.ID, Item: fsm.MaintenanceToProto(m), Revision: m.Revision, Cancelled: m.Cancelled, Ended: m.Ended,
		CreatedAtMs: unixMilli(m.CreatedAt), UpdatedAtMs: unixMilli(m.UpdatedAt),
	}
}
