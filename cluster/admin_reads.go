package cluster

import (
	"context"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm"
	"cadastre/registry"
	"cadastre/store"
)

// Reads for operators are linearizable, except those that ask about one node.

// readNewest runs fn over a state that holds everything acknowledged before the call.
func (s *Server) readNewest(ctx context.Context, fn func(tx *store.ReadTx) error) error {
	if err := s.forwarder.Linearizable(ctx); err != nil {
		return err
	}
	return s.store.View(fn)
}

// GetTLD returns one TLD with its policy.
func (s *adminService) GetTLD(ctx context.Context, req *clusterpb.GetTLDRequest) (*clusterpb.TLD, error) {
	name, err := registry.ParseDomainName(req.GetName())
	if err != nil {
		return nil, err
	}
	var out *clusterpb.TLD
	err = s.readNewest(ctx, func(tx *store.ReadTx) error {
		tld, ok := tx.TLD(name)
		if !ok {
			return refuse(registry.CodeObjectDoesNotExist, "tld", string(name), "there is no such TLD here")
		}
		out = tldMessage(tld)
		return nil
	})
	return out, err
}

// ListTLDs returns all TLDs.
func (s *adminService) ListTLDs(ctx context.Context, _ *clusterpb.ListTLDsRequest) (*clusterpb.ListTLDsResponse, error) {
	out := &clusterpb.ListTLDsResponse{}
	err := s.readNewest(ctx, func(tx *store.ReadTx) error {
		for _, tld := range tx.TLDs() {
			out.Tlds = append(out.Tlds, tldMessage(tld))
		}
		return nil
	})
	return out, err
}

// GetRegistrar returns one registrar with its balance.
func (s *adminService) GetRegistrar(ctx context.Context, req *clusterpb.GetRegistrarRequest) (*clusterpb.Registrar, error) {
	id, err := registry.ParseRegistrarID(req.GetId())
	if err != nil {
		return nil, err
	}
	var out *clusterpb.Registrar
	err = s.readNewest(ctx, func(tx *store.ReadTx) error {
		r, ok := tx.Registrar(id)
		if !ok {
			return refuse(registry.CodeObjectDoesNotExist, "registrar", string(id), "there is no such registrar")
		}
		out = registrarMessage(tx, r)
		return nil
	})
	return out, err
}

// ListRegistrars returns all registrars with their balances.
func (s *adminService) ListRegistrars(ctx context.Context, _ *clusterpb.ListRegistrarsRequest) (*clusterpb.ListRegistrarsResponse, error) {
	out := &clusterpb.ListRegistrarsResponse{}
	err := s.readNewest(ctx, func(tx *store.ReadTx) error {
		for _, r := range tx.Registrars() {
			out.Registrars = append(out.Registrars, registrarMessage(tx, r))
		}
		return nil
	})
	return out, err
}

// ClockGet returns registry time.
func (s *adminService) ClockGet(ctx context.Context, _ *clusterpb.ClockGetRequest) (*clusterpb.ClockGetResponse, error) {
	out := &clusterpb.ClockGetResponse{}
	err := s.readNewest(ctx, func(tx *store.ReadTx) error {
		out.Mode, out.TimeMs = uint32(tx.ClockMode()), tx.Now().UnixMilli()
		return nil
	})
	return out, err
}

// WaitSettled waits until this node's state has nothing due and nothing unpublished.
func (s *adminService) WaitSettled(ctx context.Context, req *clusterpb.WaitSettledRequest) (*clusterpb.WaitSettledResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, maxSettleWait)
	defer cancel()
	if err := s.catchUp(ctx, req.GetIndex()); err != nil {
		return nil, err
	}
	ticker := time.NewTicker(settlePollInterval)
	defer ticker.Stop()
	for {
		out := &clusterpb.WaitSettledResponse{}
		settled := false
		err := s.store.View(func(tx *store.ReadTx) error {
			settled = !tx.DueNow() && !tx.HasDirty() && zonesSettled(tx)
			out.AppliedIndex, _ = tx.Applied()
			out.TimeMs = tx.Now().UnixMilli()
			return nil
		})
		if err != nil {
			return nil, err
		}
		if settled {
			return out, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
	}
}

// catchUp waits for the index, or for everything acknowledged so far if it is 0.
func (s *Server) catchUp(ctx context.Context, index uint64) error {
	if index == 0 {
		return s.forwarder.Linearizable(ctx)
	}
	return s.raft.WaitApplied(ctx, index)
}

// StateHash returns this node's state hash at the index asked for, if it still has that
// one, or else at the applied index, which is later.
func (s *adminService) StateHash(ctx context.Context, req *clusterpb.StateHashRequest) (*clusterpb.StateHashResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	if req.GetIndex() > 0 {
		if err := s.raft.WaitApplied(ctx, req.GetIndex()); err != nil {
			return nil, err
		}
	}
	out := &clusterpb.StateHashResponse{}
	err := s.store.View(func(tx *store.ReadTx) error {
		if hash, ok := tx.StateHashAt(req.GetIndex()); ok {
			out.Index, out.Hash = req.GetIndex(), hash
			return nil
		}
		out.Index, _ = tx.Applied()
		out.Hash = tx.StateHash()
		return nil
	})
	return out, err
}

func registrarMessage(tx *store.ReadTx, r *registry.Registrar) *clusterpb.Registrar {
	out := &clusterpb.Registrar{
		Id: string(r.ID), Roid: string(r.ROID), Name: r.Name, Email: r.Email, Url: r.URL, IanaId: r.IANAID,
		State: uint32(r.State), CertificateSha256: r.CertificateSHA256, Tlds: names(r.TLDs),
		Currency: r.Currency, CreditLimitMinor: r.CreditLimit, BalanceMinor: tx.BalanceMinor(store.RegistrarAccount(r.ID), r.Currency),
		CreatedAtMs: unixMilli(r.CreatedAt), UpdatedAtMs: unixMilli(r.UpdatedAt), LowBalanceMinor: r.LowBalanceMinor,
		ThinTlds: names(r.ThinTLDs), QueryRate: r.QueryRate, TransformRate: r.TransformRate,
	}
	out.Public = fsm.PublicToProto(&r.Public)
	for _, source := range r.Sources {
		out.Sources = append(out.Sources, source.String())
	}
	return out
}

func tldMessage(t *registry.TLD) *clusterpb.TLD {
	return &clusterpb.TLD{
		Name: string(t.Name), Roid: string(t.ROID), Policy: fsm.PolicyToProto(&t.Policy),
		CreatedAtMs: unixMilli(t.CreatedAt), UpdatedAtMs: unixMilli(t.UpdatedAt),
	}
}

func names(list []registry.DomainName) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, string(n))
	}
	return out
}

// unixMilli keeps "never" as 0.
func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
