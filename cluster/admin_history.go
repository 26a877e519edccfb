package cluster

import (
	"context"

	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

// History sends every version of the objects that ever had the name, one object after the
// other, or only those versions that were in force at an instant.
func (s *adminService) History(req *clusterpb.HistoryRequest, stream grpc.ServerStreamingServer[clusterpb.HistoryChunk]) error {
	keys := historyKeys(req.GetName())
	if len(keys) == 0 {
		return refuse(registry.CodeParameterSyntax, "name", req.GetName(), "the value is neither a domain name nor the id of a contact or organisation")
	}
	ctx, cancel := context.WithTimeout(stream.Context(), maxStatementTime)
	defer cancel()
	return s.readNewest(ctx, func(tx *store.ReadTx) error {
		h := &history{ctx: ctx, stream: stream, at: req.GetAtMs(), chunk: &clusterpb.HistoryChunk{}}
		for _, k := range keys {
			for _, roid := range tx.ROIDsOf(k.kind, k.key) {
				if err := h.send(tx, k, roid); err != nil {
					return err
				}
			}
		}
		if !h.found {
			return refuse(registry.CodeObjectDoesNotExist, "name", req.GetName(), "no domain, host, contact or organisation ever had this name")
		}
		h.chunk.Done = true
		return sendChunk(ctx, stream, h.chunk)
	})
}

// historyKey is what an object is found by.
type historyKey struct {
	kind registry.ObjectKind
	key  string
}

// historyKeys returns what the name may stand for.
func historyKeys(name string) []historyKey {
	var keys []historyKey
	if canonical, err := registry.ParseDomainName(name); err == nil {
		keys = append(keys, historyKey{registry.KindDomain, string(canonical)}, historyKey{registry.KindHost, string(canonical)})
	}
	if id, err := registry.ParseContactID(name); err == nil {
		keys = append(keys, historyKey{registry.KindContact, id.Key()})
	}
	if id, err := registry.ParseOrgID(name); err == nil {
		keys = append(keys, historyKey{registry.KindOrg, id.Key()})
	}
	return keys
}

// history is a history being sent.
type history struct {
	ctx    context.Context
	stream grpc.ServerStreamingServer[clusterpb.HistoryChunk]
	at     int64 // Unix milliseconds; 0: all versions
	found  bool
	chunk  *clusterpb.HistoryChunk
}

// send adds the versions of one object and sends what makes a whole chunk.
func (h *history) send(tx *store.ReadTx, k historyKey, roid registry.ROID) error {
	h.found = true
	var err error
	var inForce *store.Version
	tx.History(roid, func(v *store.Version) bool {
		if h.at == 0 {
			err = h.add(v, roid)
			return err == nil
		}
		if v.At.UnixMilli() > h.at {
			return false
		}
		inForce = v
		return true
	})
	if err != nil || inForce == nil || inForce.Deleted {
		return err
	}
	if now := historyKeys(inForce.Key); k.kind == registry.KindHost && (len(now) == 0 || now[0].key != k.key) {
		return nil // the host had another name then
	}
	return h.add(inForce, roid)
}

func (h *history) add(v *store.Version, roid registry.ROID) error {
	h.chunk.Versions = append(h.chunk.Versions, versionMessage(v, roid))
	if len(h.chunk.GetVersions()) < rowsPerChunk {
		return nil
	}
	full := h.chunk
	h.chunk = &clusterpb.HistoryChunk{}
	return sendChunk(h.ctx, h.stream, full)
}

func versionMessage(v *store.Version, roid registry.ROID) *clusterpb.ObjectVersion {
	out := &clusterpb.ObjectVersion{
		Kind: uint32(v.Kind), Name: v.Key, Roid: string(roid), Term: v.Term, Index: v.Index, InEntry: v.InEntry, AtMs: unixMilli(v.At),
		Verb: v.Verb, ActorKind: v.ActorKind, Actor: v.Actor, Cltrid: v.CLTRID, Reason: v.Reason, Deleted: v.Deleted,
	}
	if v.Report != nil && out.GetReason() == "" {
		out.Reason = v.Report.Reason
	}
	if !v.Deleted {
		out.Facts = versionFacts(v)
	}
	return out
}
