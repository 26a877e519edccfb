package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
)

// maxBackupDuration bounds a backup: a large state over a slow line.
const maxBackupDuration = 24 * time.Hour

func newBackupCommand(a *app) *cobra.Command {
	var (
		flags connFlags
		out   string
	)
	cmd := &cobra.Command{
		Use:   "backup --out FILE",
		Short: "Save the whole registry to a file, from a running node",
		Long: `Saves the state of one node, whichever is asked, to a file while the node goes on. The file
is read back and checked before it gets its name; for that the folder needs room for the state
twice. It holds everything up to one applied index, password hashes and authorisation
information included: keep it like a key. An existing file is never overwritten.`,
		Example: "  cadastre backup --dev /tmp/cadastre --node n3 --out monday.backup\n  cadastre backup verify monday.backup",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return &usageError{"--out FILE is required"}
			}
			info, err := a.saveBackup(cmd.Context(), &flags, out)
			if err != nil {
				return err
			}
			return a.result(info, fmt.Sprintf("Saved %s and read it back: cluster %s at index %d, state hash %.16s.",
				out, info.ClusterID, info.AppliedIndex, info.StateHash))
		},
	}
	// Only this verb talks to a node; those below it work on files.
	connection := &cobra.Command{}
	flags.register(connection)
	cmd.Flags().AddFlagSet(connection.PersistentFlags())
	cmd.Flags().StringVar(&out, "out", "", "the file to make")
	cmd.AddCommand(newBackupVerifyCommand(a), newBackupInspectCommand(a))
	return cmd
}

func (a *app) saveBackup(ctx context.Context, flags *connFlags, out string) (*cluster.BackupInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, maxBackupDuration)
	defer cancel()
	client, err := flags.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer client.close()
	stream, err := client.Backup(ctx, &clusterpb.BackupRequest{})
	if err != nil {
		return nil, plainError(err)
	}
	bar := a.newProgressBar()
	defer bar.end()
	return cluster.SaveBackup(cluster.SaveBackupConfig{
		Archive: cluster.NewChunkReader(stream.Recv), Path: out, ProgramVersion: buildVersion(), TakenAt: time.Now(),
		Progress:  func(done, total int64) { bar.show("receiving", done, total) },
		Verifying: func() { bar.say("received; reading it back") },
	})
}

func newBackupVerifyCommand(a *app) *cobra.Command {
	var temp string
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a backup completely, without a cluster",
		Long: `Checks every checksum, unpacks the state into a temporary folder, computes its hash anew from
all rows and compares it with the one that was stored. The folder is beside the file unless
--temp-dir names another; it needs room for the state.`,
		Example: "  cadastre backup verify monday.backup\n  cadastre backup verify /mnt/archive/monday.backup --temp-dir /var/tmp",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) (err error) {
			dir, err := os.MkdirTemp(firstNonEmpty(temp, filepath.Dir(args[0])), "cadastre-verify-")
			if err != nil {
				return fmt.Errorf("make a temporary folder: %w", err)
			}
			defer func() {
				if removeErr := os.RemoveAll(dir); err == nil {
					err = removeErr
				}
			}()
			info, err := cluster.UnpackBackup(args[0], filepath.Join(dir, "backup"))
			if err != nil {
				return err
			}
			return a.result(info, backupText(info)+"\nThe backup is whole: all checksums are right and its rows give its state hash.")
		},
	}
	cmd.Flags().StringVar(&temp, "temp-dir", "", "where to unpack (default: beside the file)")
	return cmd
}

func newBackupInspectCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "inspect FILE",
		Short:   "Show what a backup says about itself",
		Long:    "Shows the manifest. It checks only that, which takes a moment; `cadastre backup verify` checks everything.",
		Example: "  cadastre backup inspect monday.backup --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			info, err := cluster.ReadBackupInfo(args[0])
			if err != nil {
				return err
			}
			return a.result(info, backupText(info))
		},
	}
}

func backupText(info *cluster.BackupInfo) string {
	return table([][]string{
		{"cluster", info.ClusterID},
		{"taken at", info.TakenAt.Format(time.RFC3339)},
		{"applied index", strconv.FormatUint(info.AppliedIndex, 10)},
		{"term", strconv.FormatUint(info.AppliedTerm, 10)},
		{"state hash", info.StateHash},
		{"program", info.ProgramVersion},
		{"archive", fmt.Sprintf("%d octets in %d files", info.ArchiveBytes, len(info.Files))},
	})
}

// progressBar shows a person how far something is; it is silent for everyone else.
type progressBar struct {
	app   *app
	on    bool
	shown int64 // percent
	dirty bool  // the cursor is at the end of a bar
}

func (a *app) newProgressBar() *progressBar {
	f, ok := a.stderr.(*os.File)
	return &progressBar{app: a, on: ok && term.IsTerminal(int(f.Fd())), shown: -1}
}

func (b *progressBar) show(what string, done, total int64) {
	b.showOf(what, done, total, fmt.Sprintf("%d MiB", total>>20))
}

// showOf shows how much of a whole, as people read it, is done.
func (b *progressBar) showOf(what string, done, total int64, whole string) {
	const width = 40
	percent := done * 100 / max(total, 1)
	if !b.on || percent == b.shown {
		return
	}
	b.shown, b.dirty = percent, true
	full := int(percent * width / 100)
	b.app.say("\r%s [%s%s] %3d %% of %s", what, strings.Repeat("#", full), strings.Repeat(".", width-full), percent, whole)
}

// say puts a line below the bar.
func (b *progressBar) say(line string) {
	b.end()
	if b.on {
		b.app.say("%s\n", line)
	}
}

func (b *progressBar) end() {
	if b.dirty {
		b.app.say("\n")
		b.dirty = false
	}
}
