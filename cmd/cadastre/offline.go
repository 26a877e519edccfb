package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster"
	"cadastre/raftnode"
)

func newNodeCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "node",
		Short:   "Look at a node's data folder while the node does not run, or replace it",
		Long:    "Works on the files of a stopped node.",
		Example: "  cadastre node verify --config n1.toml",
	}
	cmd.AddCommand(newNodeVerifyCommand(a), newNodeRebuildCommand(a))
	return cmd
}

func newNodeVerifyCommand(a *app) *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "verify --config FILE",
		Short: "Check the data of a stopped node",
		Long: `Computes the state hash anew from all rows and compares it with the stored one, and reads the
Raft log from its first entry to its last. It changes nothing. Nodes whose state hashes are equal
at equal applied indexes have equal states.`,
		Example: "  cadastre node verify --config n1.toml --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := loadConfig(config)
			if err != nil {
				return err
			}
			held, err := inspectNode(cfg, a.stderr)
			if err != nil {
				return err
			}
			return a.result(held.document(cfg), held.text(cfg)+"\nThe data is sound: its rows give its state hash, and the log is complete.")
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "the node's configuration file")
	return cmd
}

// heldData is what a stopped node holds.
type heldData struct {
	state *cluster.VerifiedState
	log   raftnode.LocalState
}

// openStopped opens the data of a node that does not run.
func openStopped(cfg *Config, log io.Writer) (*node, error) {
	logger, err := newLogger(&cfg.Log, log)
	if err != nil {
		return nil, err
	}
	n := &node{cfg: cfg, logger: logger, fatal: make(chan error, 1)}
	if err := n.loadIdentity(); err != nil {
		return nil, err
	}
	return n, n.openState()
}

func inspectNode(cfg *Config, log io.Writer) (*heldData, error) {
	n, err := openStopped(cfg, log)
	if err != nil {
		return nil, err
	}
	held, err := n.inspect()
	if err = errors.Join(err, n.store.Close()); err != nil {
		return nil, err
	}
	return held, nil
}

func (n *node) inspect() (held *heldData, err error) {
	held = &heldData{}
	if held.state, err = cluster.VerifyOpenState(n.store); err != nil {
		return nil, err
	}
	held.log, err = raftnode.InspectLocal(n.cfg.raftDir(), n.store)
	return held, err
}

func (h *heldData) document(cfg *Config) map[string]any {
	term, index := h.log.LastPosition()
	return map[string]any{
		"node": cfg.NodeID, "cluster_id": h.state.ClusterID, "applied_index": h.state.AppliedIndex, "applied_term": h.state.AppliedTerm,
		"state_hash": fmt.Sprintf("%x", h.state.StateHash), "log_first_index": h.log.FirstLogIndex, "log_last_index": h.log.LastLogIndex,
		"last_term": term, "last_index": index, "current_term": h.log.CurrentTerm, "voters": nonNil(h.log.Voters()),
	}
}

func (h *heldData) text(cfg *Config) string {
	term, index := h.log.LastPosition()
	return table([][]string{
		{"node", cfg.NodeID},
		{"cluster", h.state.ClusterID},
		{"applied index", fmt.Sprintf("%d of term %d", h.state.AppliedIndex, h.state.AppliedTerm)},
		{"state hash", fmt.Sprintf("%x", h.state.StateHash)},
		{"log", fmt.Sprintf("entries %d to %d", h.log.FirstLogIndex, h.log.LastLogIndex)},
		{"last entry", fmt.Sprintf("term %d, index %d", term, index)},
		{"current term", fmt.Sprint(h.log.CurrentTerm)},
		{"voters", strings.Join(h.log.Voters(), ", ")},
	})
}

func newClusterRecoverCommand(a *app) *cobra.Command {
	var (
		config string
		yes    bool
	)
	cmd := &cobra.Command{
		Use:   "recover --config FILE",
		Short: "Go on with one node after the majority was lost for good",
		Long: `For a cluster most of whose voters will never come back with their data. Shows what this stopped
node holds; compare the survivors and choose the one with the highest last term, among equals
the one with the highest last index. With --yes that node becomes the only voter and the only
member. Entries that it holds become committed, even those that the old cluster never committed;
what only the lost nodes held is lost. The others empty their data folders and join again.

Never do this on two nodes, and never start the lost nodes on their old data again: either gives
two registries under one name.`,
		Example: "  cadastre cluster recover --config n1.toml\n  cadastre cluster recover --config n1.toml --yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(config)
			if err != nil {
				return err
			}
			return a.recoverCluster(cmd.Context(), cfg, config, yes)
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "the node's configuration file")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

func (a *app) recoverCluster(ctx context.Context, cfg *Config, configPath string, yes bool) (err error) {
	n, err := openStopped(cfg, a.stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.store.Close()) }()
	held, err := n.inspect()
	if err != nil {
		return err
	}
	beyond := held.log.LastLogIndex - min(held.log.LastLogIndex, held.state.AppliedIndex)
	if !yes {
		document := held.document(cfg)
		document["recovered"] = false
		return a.result(document, held.text(cfg)+fmt.Sprintf(`
Nothing was changed. Run this on every survivor; the highest last term, then the highest last
index, has the most. There, with --yes, this node becomes the only one, and the %d entries of its
log after the applied index become committed, whether the cluster had committed them or not.`, beyond))
	}
	removed, err := n.becomeSoleMember(ctx, "the cluster was recovered after the loss of its majority")
	if err != nil {
		return err
	}
	// What it holds now, read from the disk again.
	if held, err = n.inspect(); err != nil {
		return err
	}
	document := held.document(cfg)
	document["recovered"], document["removed"] = true, nonNil(removed)
	return a.result(document, held.text(cfg)+fmt.Sprintf("\nNode %s is the only member now; %d entries of its log beyond its state became committed.\n%sStart it: cadastre server --config %s",
		cfg.NodeID, beyond, rejoinText(removed), configPath))
}
