package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// rebuildOptions are the flags of `node rebuild`.
type rebuildOptions struct {
	conn                 connFlags
	config, role, reason string
	dryRun, keep         bool
}

func newNodeRebuildCommand(a *app) *cobra.Command {
	var o rebuildOptions
	cmd := &cobra.Command{
		Use:   "rebuild --config FILE --addr PEER",
		Short: "Replace the damaged data of a stopped node by what its peers have",
		Long: `For a node whose disk broke, whose data is damaged, or that fenced itself. Run it on the node's
machine, with an operator's certificate and the address of any other node. The node keeps its id,
certificate, addresses and role: it is removed from the cluster, its state and log are set aside
within the data folder, it joins anew, fetches the state from the nearest node, and what has
arrived is verified row by row; only then is what was set aside removed. The data folder needs
room for the state twice. With --dry-run it says what it would do and changes nothing.

It is refused while the node runs, if the node is the only voter, and if the other voters that
answer are no majority. If it breaks off, also by being killed, run it again: it goes on where it
was, and the node does not start meanwhile.`,
		Example: "  cadastre node rebuild --config n3.toml --addr 192.0.2.10:7947 --ca alice/ca.crt --cert alice/alice.crt --key alice/alice.key --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(o.config)
			if err != nil {
				return err
			}
			return a.rebuildNode(cmd.Context(), cfg, &o)
		},
	}
	o.conn.register(cmd)
	cmd.Flags().StringVar(&o.config, "config", "", "the node's configuration file")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be done, and whether it would be refused")
	cmd.Flags().BoolVar(&o.keep, "keep-damaged", false, "leave what was set aside in the data folder, to be looked at")
	cmd.Flags().StringVar(&o.role, "role", "", "voter or replica, if the cluster does not know the node any more (default: what it was)")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why; kept in the history")
	return cmd
}

func (a *app) rebuildNode(ctx context.Context, cfg *Config, o *rebuildOptions) error {
	r, done, err := a.prepareRebuild(ctx, cfg, o)
	if err != nil {
		return err
	}
	defer done()
	document := map[string]any{
		"node": cfg.NodeID, "role": r.journal.Role, "aside": r.journal.Aside, "from": r.peer, "step": string(r.journal.Step), "rebuilt": false,
	}
	if o.dryRun {
		found, err := r.look(ctx)
		if err != nil {
			return err
		}
		return a.result(document, r.explain(found))
	}
	if r.journal.Step == rebuildPlanned {
		if err := r.journal.write(cfg); err != nil {
			return err
		}
	}
	if err := r.run(ctx); err != nil {
		return err
	}
	if err := r.finish(o.keep); err != nil {
		return err
	}
	document["step"], document["rebuilt"] = string(rebuildVerified), true
	kept := ""
	if o.keep {
		kept = fmt.Sprintf(" What was damaged is in %s.", r.journal.Aside)
	}
	return a.result(document, fmt.Sprintf("Node %s has a new, verified state and is a %s again; a voter gets its vote once it is well.%s Start it: cadastre server --config %s",
		cfg.NodeID, r.journal.Role, kept, o.config))
}

// prepareRebuild connects, locks the folder, and finds what an earlier attempt left or
// whether a new one may begin.
func (a *app) prepareRebuild(ctx context.Context, cfg *Config, o *rebuildOptions) (_ *rebuild, done func(), err error) {
	logger, err := newLogger(&cfg.Log, a.stderr)
	if err != nil {
		return nil, nil, err
	}
	n := &node{cfg: cfg, logger: logger}
	if err := n.loadIdentity(); err != nil {
		return nil, nil, err
	}
	if err := makeDataDir(cfg.DataDir); err != nil {
		return nil, nil, err
	}
	unlock, err := lockDataDir(cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("stop the node first: %w", err)
	}
	var client *admin
	if err = requireStopped(ctx, cfg); err == nil {
		client, err = o.conn.dial(ctx)
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	done = func() {
		client.close()
		unlock()
	}
	r := &rebuild{cfg: cfg, creds: n.creds, client: client, peer: client.address, reason: o.reason, log: logger, progress: a.progress()}
	if r.reason == "" {
		r.reason = "rebuilt from its peers"
	}
	if r.journal, err = readRebuild(cfg); err == nil && (r.journal == nil || r.journal.Step == rebuildPlanned) {
		err = r.begin(ctx, o.role)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return r, done, nil
}

// begin makes a new journal if the cluster can do without the node. A journal of a removal
// that may or may not have happened keeps the role that the node had.
func (r *rebuild) begin(ctx context.Context, role string) error {
	found, err := r.look(ctx)
	if err != nil {
		return err
	}
	if err := found.refuse(r.cfg.NodeID); err != nil {
		return err
	}
	if r.journal != nil {
		return nil
	}
	if role == "" {
		role = found.role
	}
	if role == "" {
		return &usageError{fmt.Sprintf("the cluster does not know node %s any more: say with --role what it is to be, voter or replica", r.cfg.NodeID)}
	}
	if _, err := parseRole(role); err != nil {
		return err
	}
	r.journal = &rebuildJournal{
		Node: r.cfg.NodeID, Role: role, Step: rebuildPlanned, Aside: "damaged-" + time.Now().UTC().Format("20060102T150405Z"),
	}
	return nil
}

// explain tells what would be done.
func (r *rebuild) explain(found *rebuildFindings) string {
	marks := func(step rebuildStep) string {
		if rebuildIsDone(r.journal.Step, step) {
			return "[done]"
		}
		return "[    ]"
	}
	lines := []string{
		fmt.Sprintf("Node %s is to be rebuilt as a %s, from the nearest of %s. %s leads; %d of the %d other voters answer.",
			r.cfg.NodeID, r.journal.Role, strings.Join(found.sources, ", "), found.leader, found.answer, found.voters),
		fmt.Sprintf("  1. %s the cluster removes it: what it promised on its old disk binds nobody any more", marks(rebuildRemoved)),
		fmt.Sprintf("  2. %s the cluster makes a token for it", marks(rebuildInvited)),
		fmt.Sprintf("  3. %s its state and log in %s go to %s in there", marks(rebuildAside), r.cfg.DataDir, r.journal.Aside),
		fmt.Sprintf("  4. %s it joins under its id and fetches the state; what arrives is checked against its hash", marks(rebuildFetched)),
		fmt.Sprintf("  5. %s the new state is read back from the disk and verified row by row", marks(rebuildVerified)),
		fmt.Sprintf("  6. %s %s is removed", marks("end"), r.journal.Aside),
		"Nothing was changed.",
	}
	return strings.Join(lines, "\n")
}
