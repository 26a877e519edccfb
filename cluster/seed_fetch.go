package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/raftnode"
	"cadastre/store"
)

// maxSources bounds the nodes that are considered; the nearest of so many is near enough.
const maxSources = 64

// Fetcher fetches checkpoints for a node that is behind the log of its leader.
type Fetcher struct {
	cfg     FetcherConfig
	current atomic.Pointer[puller]
}

// FetcherConfig says what a Fetcher works with.
type FetcherConfig struct {
	NodeID, ClusterID string
	Peers             *Peers
	Store             *store.Store
	// BytesPerSecond bounds what is received; 0: no bound.
	BytesPerSecond int64
	Log            *slog.Logger
}

// NewFetcher returns a Fetcher.
func NewFetcher(cfg FetcherConfig) *Fetcher { return &Fetcher{cfg: cfg} }

// Progress returns how far the fetch under way is; ok is false if there is none.
func (f *Fetcher) Progress() (progress PullProgress, ok bool) {
	p := f.current.Load()
	if p == nil {
		return PullProgress{}, false
	}
	return p.progress(), true
}

// Fetch is a raftnode.FetchFunc: it fetches from the nearest member that has a state new
// enough, of which the leader that refers to one is always one.
func (f *Fetcher) Fetch(ctx context.Context, ref raftnode.Reference, dir string) error {
	p := newPuller(PullConfig{
		NodeID: f.cfg.NodeID, ClusterID: f.cfg.ClusterID, Dir: dir, MinIndex: ref.Index,
		BytesPerSecond: f.cfg.BytesPerSecond, Log: f.cfg.Log,
	}, func(ctx context.Context) ([]*pullSource, error) { return f.sources(ctx, ref.NodeID) })
	f.current.Store(p)
	defer f.current.Store(nil)
	_, err := p.pull(ctx)
	return err
}

func (f *Fetcher) sources(ctx context.Context, leaderID string) ([]*pullSource, error) {
	ids := []string{leaderID}
	err := f.cfg.Store.View(func(tx *store.ReadTx) error {
		for _, n := range tx.Nodes() {
			if n.ID != f.cfg.NodeID && n.ID != leaderID && len(ids) < maxSources {
				ids = append(ids, n.ID)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var list []*pullSource
	for _, id := range ids {
		client, err := f.cfg.Peers.client(ctx, id)
		if err != nil {
			continue // it is down; the others are asked
		}
		list = append(list, &pullSource{nodeID: id, client: client})
	}
	return list, nil
}

// joinSources are the members as a node sees them that is about to be one of them.
type joinSources struct {
	creds *Credentials
	peer  clusterpb.PeerClient
	conns map[string]*grpc.ClientConn
}

func (j *joinSources) close() {
	for _, c := range j.conns {
		_ = c.Close() // nothing depends on it any more
	}
}

func (j *joinSources) list(ctx context.Context) ([]*pullSource, error) {
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	resp, err := j.peer.SeedSources(ctx, &clusterpb.SeedSourcesRequest{})
	if err != nil && len(j.conns) == 0 {
		return nil, fmt.Errorf("ask for the members: %w", ErrorFromStatus(err))
	}
	// Without an answer now, those of an earlier one still do.
	for _, s := range resp.GetSources() {
		if s.GetNodeId() == j.creds.Identity().Name || j.conns[s.GetNodeId()] != nil || len(j.conns) >= maxSources {
			continue
		}
		conn, err := Dial(j.creds, s.GetNodeId(), s.GetGrpcAddress())
		if err != nil {
			continue // an address that cannot be; the others are asked
		}
		j.conns[s.GetNodeId()] = conn
	}
	var list []*pullSource
	for id, conn := range j.conns {
		list = append(list, &pullSource{nodeID: id, client: clusterpb.NewPeerClient(conn)})
	}
	return list, nil
}
