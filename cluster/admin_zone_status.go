package cluster

import (
	"context"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// ZoneStatus tells how far zones are published.
func (s *adminService) ZoneStatus(ctx context.Context, req *clusterpb.ZoneStatusRequest) (*clusterpb.ZoneStatusResponse, error) {
	out := &clusterpb.ZoneStatusResponse{}
	err := s.readNewest(ctx, func(tx *store.ReadTx) error {
		for _, tld := range tx.TLDs() {
			if req.GetTld() == "" || req.GetTld() == string(tld.Name) {
				out.Zones = append(out.Zones, zoneStatus(tx, tld))
			}
		}
		if req.GetTld() != "" && len(out.GetZones()) == 0 {
			return refuse(registry.CodeObjectDoesNotExist, "tld", req.GetTld(), "there is no such TLD here")
		}
		return nil
	})
	return out, err
}

func zoneStatus(tx *store.ReadTx, tld *registry.TLD) *clusterpb.ZoneStatus {
	state, guard := tx.ZoneState(tld.Name), tx.ZoneGuard(tld.Name)
	out := &clusterpb.ZoneStatus{
		Tld: string(tld.Name), Serial: state.Serial, Publications: state.Publications, SignedAs: state.SignedAs,
		Delegations: guard.Delegations, Counted: guard.IsCounted, Limit: guard.Limit, MaxRemoved: policy.MaxRemoved(tld, guard.Delegations),
		HeldAtMs: milliseconds(guard.HeldAt), DsGoneAtMs: milliseconds(guard.DSGoneAt),
	}
	if tx.Now().Sub(guard.WindowAt) < policy.PublicationWindow {
		out.Removed, out.MaxRemoved = guard.Removed, policy.MaxRemoved(tld, guard.WindowBase)
	}
	if tx.Now().Before(guard.ReleasedUntil) {
		out.ReleasedUntilMs = milliseconds(guard.ReleasedUntil)
	}
	return out
}

func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
