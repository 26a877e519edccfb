package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"cadastre/cluster"
	"cadastre/raftnode"
	"cadastre/store"
)

func newServerCommand(a *app) *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "server --config FILE",
		Short: "Run a node",
		Long: `Runs one node of a cluster until SIGTERM or SIGINT. Its data folder must have been filled
by "cadastre cluster init" or "cadastre cluster join" before.`,
		Example: "  cadastre server --config /etc/cadastre/node.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(config)
			if err != nil {
				return err
			}
			return runServer(cmd.Context(), cfg, a.stderr)
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "the node's configuration file")
	return cmd
}

// newLogger returns the logger that the configuration asks for.
func newLogger(cfg *LogConfig, w io.Writer) (*slog.Logger, error) {
	level, err := cfg.level()
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}

// loadIdentity reads the node's certificate, which must be its own.
func (n *node) loadIdentity() error {
	creds, err := cluster.LoadCredentials(cluster.Paths{CA: n.cfg.TLS.CA, Certificate: n.cfg.TLS.Cert, Key: n.cfg.TLS.Key}, n.logger)
	if err != nil {
		return err
	}
	id := creds.Identity()
	if id.Kind != cluster.KindNode || id.Name != n.cfg.NodeID {
		return fmt.Errorf("key \"tls.cert\": the certificate is of %s %s, but this is node %s (key \"node_id\")", id.Kind, id.Name, n.cfg.NodeID)
	}
	n.creds = creds
	return nil
}

// makeDataDir makes the folder; what is in it is nobody else's business.
func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	return nil
}

// openStore opens the state. It says so if another process has it open.
func openStore(cfg *Config) (*store.Store, error) {
	st, err := store.Open(cfg.storeDir())
	if store.IsDamage(err) {
		return nil, fmt.Errorf("the state in the data folder %s is damaged: %w: rebuild the node from its peers with `cadastre node rebuild`", cfg.DataDir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the data folder %s (is another server running on it?): %w", cfg.DataDir, err)
	}
	return st, nil
}

// openState opens the state of a node that is to run, and refuses folders that hold none,
// or one of another cluster.
func (n *node) openState() error {
	if _, err := os.Stat(n.cfg.removedFile()); err == nil {
		return removedError(n.cfg)
	}
	if err := refuseFenced(n.cfg); err != nil {
		return err
	}
	if err := refuseRebuilding(n.cfg); err != nil {
		return err
	}
	empty := fmt.Errorf("the data folder %s holds no state: make a new cluster with `cadastre cluster init`, or join one with `cadastre cluster join`", n.cfg.DataDir)
	if _, err := os.Stat(n.cfg.storeDir()); errors.Is(err, fs.ErrNotExist) {
		return empty
	}
	st, err := openStore(n.cfg)
	if err != nil {
		return err
	}
	st.OnFault(n.fatalError)
	n.store = st
	has, err := raftnode.HasState(n.cfg.raftDir(), st)
	if err == nil && !has {
		err = empty
	}
	if err == nil {
		err = n.checkCluster()
	}
	if err != nil {
		return errors.Join(err, st.Close())
	}
	return nil
}

// checkCluster compares the cluster of the state with that of the certificate.
func (n *node) checkCluster() error {
	return n.store.View(func(tx *store.ReadTx) error {
		id := tx.ClusterID()
		if id != "" && id != n.creds.ClusterID() {
			return fmt.Errorf("%s is a data folder of another cluster: its state is of cluster %s, this node's certificate is of cluster %s",
				n.cfg.DataDir, id, n.creds.ClusterID())
		}
		return nil
	})
}

func removedError(cfg *Config) error {
	reason, _ := os.ReadFile(cfg.removedFile()) // its presence is what counts
	return fmt.Errorf("node %s was removed from its cluster (%s): to join again, use `cadastre node rebuild --role voter|replica`, or empty the data folder %s and join with a new token", cfg.NodeID, reason, cfg.DataDir)
}

// markRemoved leaves a note in the data folder, so that the node is not started again by
// mistake.
func (n *node) markRemoved(reason string) {
	note := fmt.Sprintf("%s: %s", time.Now().UTC().Format(time.RFC3339), firstNonEmpty(reason, "no reason given"))
	if err := os.WriteFile(n.cfg.removedFile(), []byte(note), 0o600); err != nil {
		n.logger.Error("could not note the removal", "error", err)
	}
	select {
	case n.removed <- reason:
	default: // known already
	}
}

// openRaft opens the Raft node, which binds its port.
func (n *node) openRaft(confirmTerm func(ctx context.Context, nodeID string, term uint64) error) (err error) {
	admission := &cluster.RaftAdmission{
		Store: n.store,
		// The port is bound before the node is there.
		Servers: func() ([]raftnode.Server, error) {
			if n.raft == nil {
				return nil, raftnode.ErrNotRunning
			}
			return n.raft.Servers()
		},
		Leader: func() (id, address string) {
			if n.raft == nil {
				return "", ""
			}
			return n.raft.Leader()
		},
	}
	var fetch raftnode.FetchFunc
	if n.fetcher != nil {
		fetch = n.fetcher.Fetch
	}
	n.raft, err = raftnode.Open(raftnode.Config{
		NodeID: n.cfg.NodeID, Dir: n.cfg.raftDir(), BindAddress: n.cfg.Raft.Listen, AdvertiseAddress: n.cfg.advertisedRaft(),
		ServerTLS:   n.creds.PeerServerTLS(admission.Admit),
		CheckPeer:   admission.Check,
		ClientTLS:   n.creds.PeerClientTLS,
		ConfirmTerm: confirmTerm,
		Fetch:       fetch,
		Store:       n.store, Machine: n.newMachine(),
		Timeouts: raftnode.Timeouts{
			Heartbeat: time.Duration(n.cfg.Raft.Heartbeat), Election: time.Duration(n.cfg.Raft.Election),
			LeaderLease: time.Duration(n.cfg.Raft.Lease),
		},
		Logger:      n.logger,
		RetainBytes: uint64(n.cfg.Raft.RetainMB) << 20, LowWaterBytes: uint64(n.cfg.Disk.LowWaterMB) << 20,
		Fatal: n.fatalError,
	})
	return portError("raft", "raft.listen", n.cfg.Raft.Listen, err)
}
