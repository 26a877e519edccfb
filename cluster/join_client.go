package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// joinCallTimeout is longer than the cluster holds a command while it has no leader.
	joinCallTimeout = DefaultHold + 2*memberChangeTimeout
	// maxSeedDuration bounds a seed: a large state over a slow line.
	maxSeedDuration = 24 * time.Hour
	// seedDirName lies in the store's folder while a seed arrives. What an earlier, broken
	// attempt left there is removed.
	seedDirName = "seed.tmp"
	// seedStateName is the name under which store finds a state in a folder.
	seedStateName = "state"
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
	// Progress is called with the octets received so far; nil is allowed.
	Progress func(receivedBytes uint64)
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
	defer func() { _ = os.RemoveAll(seedDir) }() // the next attempt does it too
	index, err := fetchSeed(ctx, cfg, client, seedDir)
	if err != nil {
		return nil, err
	}
	if err := checkSeed(seedDir, cfg.Credentials.ClusterID(), resp.Index); err != nil {
		return nil, err
	}
	if err := st.Restore(filepath.Join(seedDir, seedStateName)); err != nil {
		return nil, fmt.Errorf("put the received state in place: %w", err)
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

// fetchSeed unpacks a checkpoint as seedDir/state and returns its index.
func fetchSeed(ctx context.Context, cfg JoinConfig, client clusterpb.PeerClient, seedDir string) (uint64, error) {
	if err := os.RemoveAll(seedDir); err != nil {
		return 0, fmt.Errorf("remove what an earlier attempt left: %w", err)
	}
	if err := os.Mkdir(seedDir, 0o700); err != nil {
		return 0, fmt.Errorf("make room for the state: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, maxSeedDuration)
	defer cancel()
	stream, err := client.Seed(ctx, &clusterpb.SeedRequest{})
	if err != nil {
		return 0, fmt.Errorf("ask %s for the state: %w", cfg.PeerAddress, ErrorFromStatus(err))
	}
	var reader *ChunkReader
	reader = NewChunkReader(func() (*clusterpb.CheckpointChunk, error) {
		if cfg.Progress != nil {
			cfg.Progress(reader.TotalBytes())
		}
		return stream.Recv()
	})
	if err := raftnode.UnpackCheckpoint(reader, filepath.Join(seedDir, seedStateName)); err != nil {
		return 0, fmt.Errorf("fetch the state from %s: %w", cfg.PeerAddress, err)
	}
	// The octets after the archive, normally none, lead to the checksum of the whole.
	if _, err := io.Copy(io.Discard, reader); err != nil {
		return 0, fmt.Errorf("fetch the state from %s: %w", cfg.PeerAddress, err)
	}
	return reader.Index, nil
}

// checkSeed opens the received state: it must be of the right cluster and know us.
func checkSeed(seedDir, clusterID string, joinIndex uint64) error {
	st, err := store.Open(seedDir)
	if err != nil {
		return fmt.Errorf("open the received state: %w", err)
	}
	err = st.View(func(tx *store.ReadTx) error {
		if got := tx.ClusterID(); got != clusterID {
			return fmt.Errorf("the received state is of cluster %q, not %q", got, clusterID)
		}
		if index, _ := tx.Applied(); index < joinIndex {
			return fmt.Errorf("the received state ends at index %d, before this node joined at %d", index, joinIndex)
		}
		return nil
	})
	return errors.Join(err, st.Close())
}
