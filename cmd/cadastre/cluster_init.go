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
start time) for test environments whose time an operator moves. If it was interrupted, run it
again.`,
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
// first command is applied. If an earlier attempt was interrupted, this one completes it.
func initCluster(ctx context.Context, cfg *Config, clock clockMode, log io.Writer) (clusterID string, err error) {
	n, err := openFirst(cfg, log)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, n.store.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- n.raft.Run(running) }()
	err = beginCluster(ctx, n, clock)
	stop()
	return n.creds.ClusterID(), errors.Join(err, <-done)
}

// openFirst opens what the first node of a cluster needs to begin it, and makes it the only
// voter.
func openFirst(cfg *Config, log io.Writer) (_ *node, err error) {
	logger, err := newLogger(&cfg.Log, log)
	if err != nil {
		return nil, err
	}
	n := &node{cfg: cfg, logger: logger, fatal: make(chan error, 1)}
	if err := n.loadIdentity(); err != nil {
		return nil, err
	}
	if err := makeDataDir(cfg.DataDir); err != nil {
		return nil, err
	}
	if n.store, err = openStore(cfg); err != nil {
		return nil, err
	}
	if err := n.bootstrap(); err != nil {
		return nil, errors.Join(err, n.store.Close())
	}
	return n, nil
}

func (n *node) bootstrap() error {
	has, err := raftnode.HasState(n.cfg.raftDir(), n.store)
	if err != nil {
		return err
	}
	id, _, err := n.clusterOfState()
	if err != nil {
		return err
	}
	if id != "" {
		return fmt.Errorf("%s already holds a state of cluster %s; start the node with: cadastre server", n.cfg.DataDir, id)
	}
	alone := func(context.Context, string, uint64) error { return errors.New("there is no other voter") }
	if err := n.openRaft(alone); err != nil {
		return err
	}
	if has {
		err = n.raft.ResumeBootstrap()
	} else {
		err = n.raft.Bootstrap()
	}
	if err != nil {
		return errors.Join(err, n.raft.Close())
	}
	return nil
}

// clusterOfState returns the id and the clock of the cluster that the state belongs to, ""
// before the first command.
func (n *node) clusterOfState() (id string, mode registry.ClockMode, err error) {
	err = n.store.View(func(tx *store.ReadTx) error {
		id, mode = tx.ClusterID(), tx.ClockMode()
		return nil
	})
	return id, mode, err
}

// beginCluster commits the first command once this node leads, unless an interrupted
// attempt has left it in the log.
func beginCluster(ctx context.Context, n *node, clock clockMode) error {
	if err := waitLeading(ctx, n); err != nil {
		return err
	}
	if err := n.correctAddress(ctx); err != nil {
		return err
	}
	id, mode, err := n.clusterOfState()
	if err != nil {
		return err
	}
	if id == "" {
		return proposeFirst(ctx, n, clock)
	}
	if mode != clock.mode {
		return fmt.Errorf("an earlier attempt made cluster %s with another clock; start the node with: cadastre server", id)
	}
	return nil
}

// waitLeading returns when this node leads.
func waitLeading(ctx context.Context, n *node) error {
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
	return nil
}

// correctAddress puts the node's present address in the place of that of an earlier
// attempt.
func (n *node) correctAddress(ctx context.Context) error {
	servers, err := n.raft.Servers()
	if err != nil {
		return err
	}
	if servers[0].Address == n.raft.Address() {
		return nil
	}
	return n.raft.AddVoter(ctx, n.cfg.NodeID, n.raft.Address())
}

// proposeFirst commits the cluster's first command.
func proposeFirst(ctx context.Context, n *node, clock clockMode) error {
	command := &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "init"},
		Body: &fsmpb.Command_ClusterInit{ClusterInit: &fsmpb.ClusterInit{
			ClusterId: n.creds.ClusterID(), ClockMode: uint32(clock.mode), ClockStartMs: clock.start.UnixMilli(),
			FeatureLevel: registry.MaxFeatureLevel,
			FirstNode: &fsmpb.Node{Id: n.cfg.NodeID, Role: uint32(registry.RoleVoter),
				RaftAddress: n.cfg.advertisedRaft(), GrpcAddress: n.cfg.advertisedGRPC()},
		}},
	}
	if err := fsm.Validate(command); err != nil {
		return err
	}
	result, err := n.raft.Propose(ctx, command)
	if err != nil {
		return fmt.Errorf("commit the first command: %w", err)
	}
	return cluster.ResultError(result)
}
