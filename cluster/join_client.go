package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// joinCallTimeout is longer than the cluster holds a command while it has no leader.
	joinCallTimeout = DefaultHold + 2*memberChangeTimeout
	// seedDirName lies in the store's folder while the state arrives. What an earlier, broken
	// attempt left there is used by the next.
	seedDirName = "seed.tmp"
)

// JoinConfig says how a new node joins.
type JoinConfig struct {
	Credentials *Credentials // the node's certificate
	// PeerAddress is the gRPC address of any node of the cluster.
	PeerAddress string
	Token       string
	// The addresses at which the others reach this node, host:port.
	RaftAddress string
	GRPCAddress string
	// StoreDir is the folder of the node's store; it must hold no state. RaftDir, that of its
	// Raft log, must not exist or be empty.
	StoreDir string
	RaftDir  string
	// BytesPerSecond bounds what is received; 0: no bound.
	BytesPerSecond int64
	// Progress is called now and then, from any goroutine; nil is allowed.
	Progress func(PullProgress)
	Log      *slog.Logger
}

// Joined is what a node learns by joining.
type Joined struct {
	ClusterID string
	Role      registry.NodeRole
	// SeedIndex is the applied index of the state that was received.
	SeedIndex uint64
}

// JoinCluster registers this node with a one-time token and then fetches the state into
// its empty data folder. If it fails after the registration it may be called again with the
// same token. A folder that holds a state already is an error and stays as it is.
func JoinCluster(ctx context.Context, cfg JoinConfig) (*Joined, error) {
	if id := cfg.Credentials.Identity(); id.Kind != KindNode {
		return nil, fmt.Errorf("join: the certificate is of %s, not of a node", id)
	}
	st, err := openEmptyStore(cfg)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	joined, err := joinInto(ctx, cfg, st)
	if err = errors.Join(err, st.Close()); err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	return joined, nil
}

// openEmptyStore refuses a folder that is in use, and says by which cluster.
func openEmptyStore(cfg JoinConfig) (*store.Store, error) {
	if err := requireEmptyDir(cfg.RaftDir); err != nil {
		return nil, err
	}
	st, err := store.Open(cfg.StoreDir)
	if err != nil {
		return nil, err
	}
	var (
		clusterID string
		applied   uint64
	)
	err = st.View(func(tx *store.ReadTx) error {
		clusterID = tx.ClusterID()
		applied, _ = tx.Applied()
		return nil
	})
	switch {
	case err != nil:
	case clusterID != "" && clusterID != cfg.Credentials.ClusterID():
		err = fmt.Errorf("%s is a data folder of another cluster: it holds a state of cluster %s, the certificate is of cluster %s",
			cfg.StoreDir, clusterID, cfg.Credentials.ClusterID())
	case clusterID != "" || applied > 0:
		err = fmt.Errorf("%s already holds a state of this cluster; start the node instead", cfg.StoreDir)
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

func requireEmptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is in use: it holds %q; a node joins with an empty data folder", dir, entries[0].Name())
	}
	return nil
}

func joinInto(ctx context.Context, cfg JoinConfig, st *store.Store) (*Joined, error) {
	conn, err := Dial(cfg.Credentials, "", cfg.PeerAddress)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // nothing depends on it any more
	client := clusterpb.NewPeerClient(conn)
	resp, err := callJoin(ctx, cfg, client)
	if err != nil {
		return nil, err
	}
	cfg.Log.Info("registered in the cluster; fetching the state", "raft_index", resp.Index)
	seedDir := filepath.Join(cfg.StoreDir, seedDirName)
	index, err := fetchSeed(ctx, cfg, client, seedDir, resp.Index)
	if err != nil {
		return nil, err
	}
	if err := st.Restore(filepath.Join(seedDir, pullState)); err != nil {
		return nil, fmt.Errorf("put the received state in place: %w", err)
	}
	if err := os.RemoveAll(seedDir); err != nil {
		return nil, fmt.Errorf("remove what is not needed any more: %w", err)
	}
	return &Joined{ClusterID: resp.ClusterId, Role: registry.NodeRole(resp.Role), SeedIndex: index}, nil
}

func callJoin(ctx context.Context, cfg JoinConfig, client clusterpb.PeerClient) (*clusterpb.JoinResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, joinCallTimeout)
	defer cancel()
	resp, err := client.Join(ctx, &clusterpb.JoinRequest{
		Token: cfg.Token, MaxFeatureLevel: registry.MaxFeatureLevel,
		Node: &fsmpb.Node{
			Id: cfg.Credentials.Identity().Name, RaftAddress: cfg.RaftAddress, GrpcAddress: cfg.GRPCAddress,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("ask %s to join: %w", cfg.PeerAddress, ErrorFromStatus(err))
	}
	return resp, nil
}

// fetchSeed leaves a checked state, in which this node is a member, as seedDir/state and
// returns its index.
func fetchSeed(ctx context.Context, cfg JoinConfig, peer clusterpb.PeerClient, seedDir string, joinIndex uint64) (uint64, error) {
	if err := os.MkdirAll(seedDir, 0o700); err != nil {
		return 0, fmt.Errorf("make room for the state: %w", err)
	}
	members := &joinSources{creds: cfg.Credentials, peer: peer, conns: map[string]*grpc.ClientConn{}}
	defer members.close()
	p := newPuller(PullConfig{
		NodeID: cfg.Credentials.Identity().Name, ClusterID: cfg.Credentials.ClusterID(), Dir: seedDir, MinIndex: joinIndex,
		BytesPerSecond: cfg.BytesPerSecond, Progress: cfg.Progress, Log: cfg.Log,
	}, members.list)
	held, err := p.pull(ctx)
	if err != nil {
		return 0, fmt.Errorf("fetch the state: %w; what has arrived is kept, run it again with the same token", err)
	}
	return held.Index, nil
}
