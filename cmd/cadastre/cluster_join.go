package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"cadastre/cluster"
)

func newClusterJoinCommand(a *app) *cobra.Command {
	var config, peer, token, tokenFile string
	cmd := &cobra.Command{
		Use:   "join --config FILE --peer ADDR --token TOKEN",
		Short: "Join this node to a cluster",
		Long: `Registers this node with a one-time token and fetches the state into its empty data folder.
Then start it. If it fails half-way, run it again with the same token.`,
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
func joinCluster(ctx context.Context, cfg *Config, peer, token string, log io.Writer, progress func(receivedBytes uint64)) (*cluster.Joined, error) {
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
	if err := refuseFenced(cfg); err != nil {
		return nil, err
	}
	if err := makeDataDir(cfg.DataDir); err != nil {
		return nil, err
	}
	return cluster.JoinCluster(ctx, cluster.JoinConfig{
		Credentials: n.creds, PeerAddress: peer, Token: token,
		RaftAddress: cfg.advertisedRaft(), GRPCAddress: cfg.advertisedGRPC(),
		StoreDir: cfg.storeDir(), RaftDir: cfg.raftDir(), Progress: progress, Log: logger,
	})
}

// progress returns what shows how much of the state has arrived, nil unless a person looks.
func (a *app) progress() func(receivedBytes uint64) {
	f, ok := a.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	var shownMiB uint64
	return func(receivedBytes uint64) {
		if mib := receivedBytes >> 20; mib > shownMiB {
			shownMiB = mib
			a.say("\rreceived %d MiB of the state", mib)
		}
	}
}
