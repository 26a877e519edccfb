package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"cadastre/cluster"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

// initTimeout bounds the election of a lone node and one commit.
const initTimeout = 20 * time.Second

func newClusterInitCommand(a *app) *cobra.Command {
	var config, clock string
	cmd := &cobra.Command{
		Use:   "init --config FILE",
		Short: "Make a new cluster with this node as its first voter",
		Long: `Makes the state of a new cluster in this node's data folder. Do it once, on one node; the
others join it. The clock cannot be changed later: "system" is for registries, "manual" (or a
start time) for test environments whose time an operator moves.`,
		Example: "  cadastre cluster init --config n1.toml\n  cadastre cluster init --config n1.toml --clock 2000-06-01T00:00:00Z",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			mode, err := parseClockMode(clock)
			if err != nil {
				return err
			}
			cfg, err := loadConfig(config)
			if err != nil {
				return err
			}
			clusterID, err := initCluster(cmd.Context(), cfg, mode, a.stderr)
			if err != nil {
				return err
			}
			return a.result(map[string]string{"cluster_id": clusterID, "node": cfg.NodeID},
				fmt.Sprintf("Made cluster %s with node %s. Start it: cadastre server --config %s", clusterID, cfg.NodeID, config))
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "the node's configuration file")
	cmd.Flags().StringVar(&clock, "clock", "system", "system, manual (starting now), or the time at which a manual clock starts")
	return cmd
}

// clockMode is the clock that a cluster is made with.
type clockMode struct {
	mode  registry.ClockMode
	start time.Time
}

func parseClockMode(s string) (clockMode, error) {
	switch s {
	case "", "system":
		return clockMode{mode: registry.ClockSystem, start: time.Now()}, nil
	case "manual":
		return clockMode{mode: registry.ClockManual, start: time.Now()}, nil
	}
	start, err := parseTime(s)
	if err != nil {
		return clockMode{}, &usageError{fmt.Sprintf("--clock %s: want system, manual or a time such as 2000-06-01T00:00:00Z", s)}
	}
	return clockMode{mode: registry.ClockManual, start: start}, nil
}

// initCluster makes the state of a new cluster: it runs raft in this process until the
// first command is applied.
func initCluster(ctx context.Context, cfg *Config, clock clockMode, log io.Writer) (clusterID string, err error) {
	logger, err := newLogger(&cfg.Log, log)
	if err != nil {
		return "", err
	}
	n := &node{cfg: cfg, logger: logger, fatal: make(chan error, 1)}
	if err := n.loadIdentity(); err != nil {
		return "", err
	}
	if err := makeDataDir(cfg.DataDir); err != nil {
		return "", err
	}
	if n.store, err = openStore(cfg); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, n.store.Close()) }()
	has, err := raftnode.HasState(cfg.raftDir(), n.store)
	if err != nil {
		return "", err
	}
	if has {
		return "", fmt.Errorf("%s already holds a state%s; start the node with: cadastre server", cfg.DataDir, describeState(n.store))
	}
	alone := func(context.Context, string, uint64) error { return errors.New("there is no other voter") }
	if err := n.openRaft(alone); err != nil {
		return "", err
	}
	if err := n.raft.Bootstrap(); err != nil {
		return "", errors.Join(err, n.raft.Close())
	}
	ctx, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- n.raft.Run(running) }()
	err = proposeFirst(ctx, n, clock)
	stop()
	return n.creds.ClusterID(), errors.Join(err, <-done)
}

// proposeFirst commits the cluster's first command, once this node leads.
func proposeFirst(ctx context.Context, n *node, clock clockMode) error {
	command := &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "init"},
		Body: &fsmpb.Command_ClusterInit{ClusterInit: &fsmpb.ClusterInit{
			ClusterId: n.creds.ClusterID(), ClockMode: uint32(clock.mode), ClockStartMs: clock.start.UnixMilli(),
			FirstNode: &fsmpb.Node{Id: n.cfg.NodeID, Role: uint32(registry.RoleVoter),
				RaftAddress: n.cfg.advertisedRaft(), GrpcAddress: n.cfg.advertisedGRPC()},
		}},
	}
	if err := fsm.Validate(command); err != nil {
		return err
	}
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !n.raft.IsLeader() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the first election: %w", context.Cause(ctx))
		case err := <-n.fatal:
			return err
		case <-ticker.C:
		}
	}
	result, err := n.raft.Propose(ctx, command)
	if err != nil {
		return fmt.Errorf("commit the first command: %w", err)
	}
	return cluster.ResultError(result)
}

// describeState names the cluster that a store belongs to.
func describeState(st *store.Store) string {
	var id string
	err := st.View(func(tx *store.ReadTx) error {
		id = tx.ClusterID()
		return nil
	})
	if err != nil || id == "" {
		return ""
	}
	return " of cluster " + id
}
