package cluster

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

// maxReadWait bounds how long a read waits for its node to be fresh enough, for callers
// with more patience than that: a node that is further behind should not be read.
const maxReadWait = 10 * time.Second

// knownFresh is the latest time of which it is known that the local state holds everything
// acknowledged by then.
type knownFresh struct {
	start time.Time    // for a clock that never goes back
	at    atomic.Int64 // nanoseconds after start; 0: never
}

func (k *knownFresh) note(t time.Time) {
	since := int64(t.Sub(k.start))
	for {
		old := k.at.Load()
		if since <= old || k.at.CompareAndSwap(old, since) {
			return
		}
	}
}

// within says whether the state is known to be no staler than bound.
func (k *knownFresh) within(bound time.Duration) bool {
	at := k.at.Load()
	return at > 0 && time.Since(k.start)-time.Duration(at) <= bound
}

// Fresh returns once the local state is as fresh as asked. Linearizable and bounded stale
// reads need a leader that the voters confirm; a bounded stale one only when the latest such
// confirmation, by any read on this node, is older than the bound. A session needs no leader
// once the node has applied its index. The error is a *registry.Error of CodeUnavailable.
func (f *Forwarder) Fresh(ctx context.Context, want store.Freshness) error {
	ctx, cancel := context.WithTimeout(ctx, maxReadWait)
	defer cancel()
	switch want.Level {
	case store.Local:
		return nil
	case store.Session:
		return f.raft.WaitApplied(ctx, want.Index)
	case store.Stale:
		if want.MaxStale == 0 || f.fresh.within(want.MaxStale) {
			return nil
		}
	}
	err := f.Linearizable(ctx)
	if err != nil && want.Level == store.Stale {
		return &registry.Error{Code: registry.CodeUnavailable, Field: "max_stale", Value: want.MaxStale.String(),
			Reason: "how stale this node's state is cannot be told within the bound", Err: err}
	}
	return err
}

// freshnessOf converts a request's wish. None is linearizable.
func freshnessOf(c *clusterpb.ReadConsistency) (store.Freshness, error) {
	switch {
	case c.GetSessionIndex() > 0 && c.GetStale():
		return store.Freshness{}, refuse(registry.CodeParameterPolicy, "consistency", "", "a read is of a session or stale, not both")
	case c.GetSessionIndex() > 0:
		return store.Freshness{Level: store.Session, Index: c.GetSessionIndex()}, nil
	case c.GetMaxStaleMs() < 0 || c.GetMaxStaleMs() > int64(maxStaleMilliseconds):
		return store.Freshness{}, refuse(registry.CodeParameterRange, "max_stale_ms", fmt.Sprint(c.GetMaxStaleMs()), "want 0 to a day of milliseconds")
	case c.GetStale():
		return store.Freshness{Level: store.Stale, MaxStale: time.Duration(c.GetMaxStaleMs()) * time.Millisecond}, nil
	default:
		return store.Freshness{Level: store.Linearizable}, nil
	}
}

// maxStaleMilliseconds is a day: beyond it a bound says nothing.
const maxStaleMilliseconds = 24 * 3600 * 1000

// ReadConsistencyOf converts a freshness for a request.
func ReadConsistencyOf(f store.Freshness) *clusterpb.ReadConsistency {
	switch f.Level {
	case store.Session:
		return &clusterpb.ReadConsistency{SessionIndex: f.Index}
	case store.Stale:
		return &clusterpb.ReadConsistency{Stale: true, MaxStaleMs: f.MaxStale.Milliseconds()}
	default:
		return nil
	}
}

// ReadObject reads one object, as fresh as asked.
func (s *adminService) ReadObject(ctx context.Context, req *clusterpb.ReadObjectRequest) (*clusterpb.ReadObjectResponse, error) {
	want, err := freshnessOf(req.GetConsistency())
	if err != nil {
		return nil, err
	}
	if err := s.forwarder.Fresh(ctx, want); err != nil {
		return nil, err
	}
	out := &clusterpb.ReadObjectResponse{Kind: req.GetKind(), NodeId: s.nodeID}
	err = s.store.View(func(tx *store.ReadTx) error {
		out.AppliedIndex, _ = tx.Applied()
		return readObject(tx, req, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func readObject(tx *store.ReadTx, req *clusterpb.ReadObjectRequest, out *clusterpb.ReadObjectResponse) error {
	var f facts
	kind, found := registry.ObjectKind(req.GetKind()), false
	switch kind {
	case registry.KindDomain:
		if domain, ok := tx.Domain(registry.DomainName(req.GetName())); ok {
			found, out.Name, out.Roid = true, string(domain.Name), string(domain.ROID)
			f.domain(domain)
		}
	case registry.KindHost:
		if host, ok := tx.Host(registry.DomainName(req.GetName())); ok {
			found, out.Name, out.Roid = true, string(host.Name), string(host.ROID)
			f.host(host)
		}
	case registry.KindContact:
		if contact, ok := tx.Contact(registry.ContactID(req.GetName())); ok {
			found, out.Name, out.Roid = true, string(contact.ID), string(contact.ROID)
			f.contact(contact)
		}
	case registry.KindOrg:
		if org, ok := tx.Org(registry.OrgID(req.GetName())); ok {
			found, out.Name, out.Roid = true, string(org.ID), string(org.ROID)
			f.org(org)
		}
	default:
		return refuse(registry.CodeParameterPolicy, "kind", "", "want a domain, host, contact or organisation")
	}
	if !found {
		return refuse(registry.CodeObjectDoesNotExist, "name", req.GetName(), "there is no such "+kind.String())
	}
	out.Facts = f
	return nil
}
