package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"cadastre/internal/devcluster"
)

// devOptions are the flags of `cadastre dev`.
type devOptions struct {
	dir, start, clock, tldFile string
	nodes, replicas, basePort  int
	tlds                       []string
}

const (
	maxDevVoters   = 7
	defaultDevPort = 7000
)

func newDevCommand(a *app) *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev --dir DIR",
		Short: "Run a whole cluster on this machine, to try things on",
		Long: `Starts real nodes on 127.0.0.1 with a fresh certificate authority, a TLD and two registrars
with certificates and credit, keeps them running until Ctrl-C, and prints what to try. When all
is ready, DIR/dev.json says where everything is. Started again on the same folder it resumes the
cluster. Node I (from 1) has the ports BASE+100*I for EPP, then +1 DNS, +2 WHOIS, +3 RDAP,
+4 admin, +5 metrics, +6 Raft, +7 gossip.

A node that is killed from outside stays down until "cadastre dev --dir DIR --start NODE" in
another shell brings it back.`,
		Example: `  cadastre dev --dir /tmp/cadastre
  cadastre dev --dir /tmp/cadastre --start n2
  cadastre dev --dir /tmp/months --clock 2000-06-01T00:00:00Z --tld example --tld test`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runDev(cmd, &o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "folder of the cluster")
	f.StringVar(&o.start, "start", "", "bring back this node of the cluster that runs in the folder")
	f.IntVar(&o.nodes, "nodes", 3, "voting nodes")
	f.IntVar(&o.replicas, "replicas", 0, "nodes without a vote, beside the voting ones")
	f.IntVar(&o.basePort, "base-port", defaultDevPort, "where the blocks of ports begin")
	f.StringSliceVar(&o.tlds, "tld", []string{"example"}, "TLD to serve (repeatable)")
	f.StringVar(&o.tldFile, "tld-file", "", "policy document of the TLD to serve, instead of --tld")
	f.StringVar(&o.clock, "clock", "system", "system, manual, or the time at which a manual clock starts")
	return cmd
}

func (o *devOptions) check() error {
	switch {
	case o.dir == "":
		return &usageError{"--dir DIR is required"}
	case o.nodes < 1 || o.nodes > maxDevVoters:
		return &usageError{fmt.Sprintf("--nodes %d: want 1 to %d", o.nodes, maxDevVoters)}
	case o.replicas < 0 || o.nodes+o.replicas > devcluster.MaxNodes:
		return &usageError{fmt.Sprintf("--replicas %d: want at most %d nodes in all", o.replicas, devcluster.MaxNodes)}
	case o.basePort < 1 || o.basePort+devcluster.PortsPerNode*(devcluster.MaxNodes+1) > 65535:
		return &usageError{fmt.Sprintf("--base-port %d: the blocks of ports must lie between 1 and 65535", o.basePort)}
	case len(o.tlds) == 0:
		return &usageError{"--tld: want at least one TLD"}
	}
	return nil
}

func (a *app) runDev(cmd *cobra.Command, o *devOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	o.dir = dir
	if o.start != "" {
		if err := askDev(cmd.Context(), dir, o.start); err != nil {
			return err
		}
		return a.result(map[string]string{"started": o.start}, fmt.Sprintf("%s is back.", o.start))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	unlock, err := lockFolder(dir)
	if err != nil {
		return err
	}
	defer unlock()
	// Whoever read our output may go away; the cluster runs on.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)
	progress := a.stdout
	if a.json {
		progress = a.stderr
	}
	d, err := openDev(cmd.Context(), o, cmd.Flags().Changed, progress)
	if err != nil {
		return err
	}
	return a.superviseDev(cmd.Context(), d)
}
