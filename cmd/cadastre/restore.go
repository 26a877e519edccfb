package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster"
)

// restoringDirName is the folder in the data folder in which a restored node is made. What
// an interrupted restore left there is removed by the next.
const restoringDirName = "restoring"

func newRestoreCommand(a *app) *cobra.Command {
	var (
		config, from string
		newCluster   bool
	)
	cmd := &cobra.Command{
		Use:   "restore --new-cluster --from FILE --config FILE",
		Short: "Make a node from a backup, alone in its cluster",
		Long: `Checks a backup completely and fills this node's empty data folder from it. The node is then the
only voter and the only member; the others empty their data folders and join it with new tokens.
The cluster keeps its id, so that certificates stay good: they must be of the cluster that the
backup was taken from. Serials, transactions and prices go on from where the backup was; what
was acknowledged after it is lost. Never start nodes of the old cluster on their old data again.`,
		Example: "  cadastre restore --new-cluster --from monday.backup --config n1.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !newCluster {
				return &usageError{"--new-cluster is required: it says that the old cluster is gone. A node of a living cluster is rebuilt with: cadastre cluster join"}
			}
			if from == "" {
				return &usageError{"--from FILE is required"}
			}
			cfg, err := loadConfig(config)
			if err != nil {
				return err
			}
			info, removed, err := restoreNode(cmd.Context(), cfg, from, a.stderr)
			if err != nil {
				return err
			}
			return a.result(map[string]any{
				"cluster_id": info.ClusterID, "node": cfg.NodeID, "backup_index": info.AppliedIndex, "removed": nonNil(removed),
			}, fmt.Sprintf("Restored cluster %s with node %s alone, from index %d of %s.\n%sStart it: cadastre server --config %s",
				info.ClusterID, cfg.NodeID, info.AppliedIndex, info.TakenAt.Format("2006-01-02 15:04:05 UTC"), rejoinText(removed), config))
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "the node's configuration file")
	cmd.Flags().StringVar(&from, "from", "", "the backup")
	cmd.Flags().BoolVar(&newCluster, "new-cluster", false, "confirm that no node of the old cluster runs or will run on its old data")
	return cmd
}

func nonNil(list []string) []string { return append([]string{}, list...) }

func rejoinText(removed []string) string {
	if len(removed) == 0 {
		return ""
	}
	return fmt.Sprintf("No members any more: %s. Each empties its data folder and joins again with a new token.\n", strings.Join(removed, ", "))
}

// restoreNode makes the node in a folder of its own within the data folder and moves it
// into place when it is complete, the state last: without a state nothing starts. So a
// half-made node can never meet what is left of the old cluster.
func restoreNode(ctx context.Context, cfg *Config, from string, log io.Writer) (info *cluster.BackupInfo, removed []string, err error) {
	logger, err := newLogger(&cfg.Log, log)
	if err != nil {
		return nil, nil, err
	}
	making := *cfg
	making.DataDir = filepath.Join(cfg.DataDir, restoringDirName)
	n := &node{cfg: &making, logger: logger, fatal: make(chan error, 1)}
	if err := n.loadIdentity(); err != nil {
		return nil, nil, err
	}
	info, err = cluster.ReadBackupInfo(from)
	if err != nil {
		return nil, nil, err
	}
	if info.ClusterID != n.creds.ClusterID() {
		return nil, nil, fmt.Errorf("%s is a backup of cluster %s, but this node's certificate is of cluster %s: use certificates of the CA that the backup's cluster had",
			from, info.ClusterID, n.creds.ClusterID())
	}
	if err := clearForRestore(cfg); err != nil {
		return nil, nil, err
	}
	if err := makeDataDir(making.DataDir); err != nil {
		return nil, nil, err
	}
	info, err = cluster.UnpackBackup(from, making.storeDir())
	if err == nil {
		removed, err = n.restoreAlone(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(making.DataDir))
	}
	return info, removed, putInPlace(cfg, &making)
}

// restoreAlone makes the unpacked state that of a node which is alone.
func (n *node) restoreAlone(ctx context.Context) (removed []string, err error) {
	if n.store, err = openStore(n.cfg); err != nil {
		return nil, err
	}
	removed, err = n.becomeSoleMember(ctx, "the cluster was restored from a backup")
	return removed, errors.Join(err, n.store.Close())
}

// clearForRestore refuses a data folder that is in use and removes the remains of an
// interrupted restore: that folder, and a Raft log that was already in place without a
// state.
func clearForRestore(cfg *Config) error {
	entries, err := os.ReadDir(cfg.DataDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var names []string
	for _, e := range entries {
		if e.Name() != "lost+found" { // of a file system of its own
			names = append(names, e.Name())
		}
	}
	remains := []string{restoringDirName}
	if slices.Contains(names, restoringDirName) {
		remains = append(remains, filepath.Base(cfg.raftDir()))
	}
	for _, name := range names {
		if !slices.Contains(remains, name) {
			return fmt.Errorf("the data folder %s is in use: it holds %q; a restored node starts with an empty data folder", cfg.DataDir, name)
		}
	}
	for _, name := range remains {
		if err := os.RemoveAll(filepath.Join(cfg.DataDir, name)); err != nil {
			return fmt.Errorf("remove what an interrupted restore left: %w", err)
		}
	}
	return nil
}

// putInPlace moves the finished node into its data folder.
func putInPlace(cfg, making *Config) error {
	for _, move := range [][2]string{{making.raftDir(), cfg.raftDir()}, {making.storeDir(), cfg.storeDir()}} {
		if err := os.Rename(move[0], move[1]); err != nil {
			return fmt.Errorf("put the restored node in place: %w", err)
		}
		if err := syncFolder(cfg.DataDir); err != nil {
			return fmt.Errorf("put the restored node in place: %w", err)
		}
	}
	return os.RemoveAll(making.DataDir)
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
