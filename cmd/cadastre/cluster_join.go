package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"cadastre/cluster"
)

func newClusterJoinCommand(a *app) *cobra.Command {
	var config, peer, token, tokenFile string
	cmd := &cobra.Command{
		Use:   "join --config FILE --peer ADDR --token TOKEN",
		Short: "Join this node to a cluster",
		Long: `Registers this node with a one-time token and fetches the state into its empty data folder, from
the nearest node that has it. Then start it. If it fails half-way, also by being killed, run it
again with the same token: it goes on where it was.`,
		Example: "  cadastre cluster join --config n4.toml --peer 192.0.2.10:7947 --token-file token",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if tokenFile != "" {
				content, err := os.ReadFile(tokenFile)
				if err != nil {
					return fmt.Errorf("read the token: %w", err)
				}
				token = strings.TrimSpace(string(content))
			}
			if peer == "" || token == "" {
				return &usageError{"--peer ADDR and --token TOKEN (or --token-file FILE) are required"}
			}
			cfg, err := loadConfig(config)
			if err != nil {
				return err
			}
			joined, err := joinCluster(cmd.Context(), cfg, peer, token, a.stderr, a.progress())
			if err != nil {
				return err
			}
			return a.result(map[string]any{
				"cluster_id": joined.ClusterID, "node": cfg.NodeID, "role": joined.Role.String(), "applied_index": joined.SeedIndex,
			}, fmt.Sprintf("Node %s joined cluster %s as %s. Start it: cadastre server --config %s", cfg.NodeID, joined.ClusterID, joined.Role, config))
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "the node's configuration file")
	cmd.Flags().StringVar(&peer, "peer", "", "host:port of the admin and peer service of any node")
	cmd.Flags().StringVar(&token, "token", "", "the one-time token, from: cadastre cluster token")
	cmd.Flags().StringVar(&tokenFile, "token-file", "", "file with the token, to keep it out of the process list")
	return cmd
}

// joinCluster registers the node and fills its data folder.
func joinCluster(ctx context.Context, cfg *Config, peer, token string, log io.Writer, progress func(cluster.PullProgress)) (*cluster.Joined, error) {
	logger, err := newLogger(&cfg.Log, log)
	if err != nil {
		return nil, err
	}
	n := &node{cfg: cfg, logger: logger}
	if err := n.loadIdentity(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(cfg.removedFile()); err == nil {
		return nil, removedError(cfg)
	}
	if err := errors.Join(refuseFenced(cfg), refuseRebuilding(cfg)); err != nil {
		return nil, err
	}
	if err := makeDataDir(cfg.DataDir); err != nil {
		return nil, err
	}
	return cluster.JoinCluster(ctx, cluster.JoinConfig{
		Credentials: n.creds, PeerAddress: peer, Token: token,
		RaftAddress: cfg.advertisedRaft(), GRPCAddress: cfg.advertisedGRPC(),
		StoreDir: cfg.storeDir(), RaftDir: cfg.raftDir(), Progress: progress, Log: logger,
		BytesPerSecond: cfg.Seed.receiveBytes(),
	})
}

// progressStep is how often a progress bar is drawn anew.
const progressStep = 200 * time.Millisecond

// progress returns what shows how much of the state has arrived, nil unless a person looks.
func (a *app) progress() func(cluster.PullProgress) {
	f, ok := a.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	var mu sync.Mutex
	var shownAt time.Time
	return func(p cluster.PullProgress) {
		mu.Lock()
		defer mu.Unlock()
		if done := p.FetchedBytes == p.TotalBytes; !done && time.Since(shownAt) < progressStep {
			return
		}
		shownAt = time.Now()
		a.say("\r%s", seedBar(p))
	}
}

// seedBar draws how far a pull is, on one line.
func seedBar(p cluster.PullProgress) string {
	const width = 30
	filled := 0
	percent := int64(0)
	if p.TotalBytes > 0 {
		done := min(p.FetchedBytes, p.TotalBytes)
		filled, percent = int(width*done/p.TotalBytes), 100*done/p.TotalBytes
	}
	return fmt.Sprintf("[%s%s] %3d%% %d of %d MiB from %s", strings.Repeat("#", filled), strings.Repeat(".", width-filled),
		percent, p.FetchedBytes>>20, p.TotalBytes>>20, p.Source)
}
