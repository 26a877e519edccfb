package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

const (
	// listBatch is how many labels one command carries.
	listBatch = 500
	// maxListNames bounds what one file may hold, which is read into memory.
	maxListNames = 1000000
	// maxListBytes bounds the file itself: a hundred characters a name.
	maxListBytes = 100 * maxListNames
)

// listFlags are those of the verbs on lists of labels.
type listFlags struct{ tld, file, reason string }

func (l *listFlags) register(cmd *cobra.Command, withFile bool) {
	cmd.Flags().StringVar(&l.tld, "tld", "", "the TLD")
	if withFile {
		cmd.Flags().StringVarP(&l.file, "file", "f", "", "the list; - reads standard input")
	}
	cmd.Flags().StringVar(&l.reason, "reason", "", "why; kept in the log")
}

func (l *listFlags) require(withFile bool) error {
	switch {
	case l.tld == "":
		return &usageError{"--tld TLD is required"}
	case withFile && l.file == "":
		return &usageError{"-f FILE is required"}
	}
	return nil
}

// openList opens a list; the function that comes with it closes it.
func (a *app) openList(file string) (io.Reader, func(), error) {
	if file == "-" {
		return io.LimitReader(a.stdin, maxListBytes), func() {}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read the list: %w", err)
	}
	return io.LimitReader(f, maxListBytes), func() { _ = f.Close() }, nil // only read
}

// sendBatches has commands for all the names applied, a batch after another, and says how far it came.
func (a *app) sendBatches(ctx context.Context, client *admin, list *listFlags, count int, done string, command func(from, to int) *fsmpb.Command) error {
	for from := 0; from < count; from += listBatch {
		c := command(from, min(from+listBatch, count))
		c.Reason = list.reason
		if _, err := client.execute(ctx, c); err != nil {
			return fmt.Errorf("%d of %d labels are done: %w", from, count, err)
		}
	}
	return a.result(map[string]any{"tld": list.tld, "labels": count}, fmt.Sprintf("%d labels %s under .%s.", count, done, list.tld))
}

func newListLabelsCommand(a *app, flags *connFlags, reserved bool) *cobra.Command {
	var tld string
	name, short := "premium", "List the premium names"
	if reserved {
		name, short = "reserved", "List the reserved labels"
	}
	cmd := &cobra.Command{
		Use:     "list --tld TLD",
		Short:   short,
		Long:    "Lists what is on the list of the TLD, by label. What the policy document names is shown by: cadastre tld show.",
		Example: fmt.Sprintf("  cadastre %s list --tld example --dev /tmp/cadastre", name),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if tld == "" {
				return &usageError{"--tld TLD is required"}
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				names, err := readLabels(ctx, client, tld, reserved)
				if err != nil {
					return err
				}
				if reserved {
					labels := make([]string, 0, len(names))
					for _, n := range names {
						labels = append(labels, n.Label)
					}
					return a.result(labels, labelsTable(names, true))
				}
				return a.result(names, labelsTable(names, false))
			})
		},
	}
	cmd.Flags().StringVar(&tld, "tld", "", "the TLD")
	return cmd
}

func readLabels(ctx context.Context, client *admin, tld string, reserved bool) ([]premiumDocument, error) {
	names := []premiumDocument{}
	request := &clusterpb.ListLabelsRequest{Tld: tld, Reserved: reserved}
	for {
		page, err := client.ListLabels(ctx, request)
		if err != nil {
			return nil, plainError(err)
		}
		for _, p := range page.GetNames() {
			request.After = p.GetLabel()
			if reserved {
				names = append(names, premiumDocument{Label: p.GetLabel()})
				continue
			}
			names = append(names, premiumDocument{Label: p.GetLabel(), Class: p.GetClass(), CreatePrice: registry.FormatMinorUnits(p.GetCreatePriceMinor()),
				RenewPrice: registry.FormatMinorUnits(p.GetRenewPriceMinor()), RestorePrice: registry.FormatMinorUnits(p.GetRestorePriceMinor())})
		}
		if !page.GetMore() {
			return names, nil
		}
	}
}

func labelsTable(names []premiumDocument, reserved bool) string {
	rows := [][]string{{"LABEL", "CLASS", "CREATE", "RENEW", "RESTORE"}}
	if reserved {
		rows = [][]string{{"LABEL"}}
	}
	for _, n := range names {
		row := []string{n.Label, n.Class, n.CreatePrice, n.RenewPrice, n.RestorePrice}
		rows = append(rows, row[:len(rows[0])])
	}
	return table(rows)
}

func newRemoveLabelsCommand(a *app, flags *connFlags, reserved bool) *cobra.Command {
	var list listFlags
	name := "premium"
	if reserved {
		name = "reserved"
	}
	cmd := &cobra.Command{
		Use:     "remove LABEL... --tld TLD",
		Short:   "Take labels off the list",
		Long:    "Takes labels off the list of the TLD. One that is not on it is an error, and nothing of its batch of 500 is done then.",
		Example: fmt.Sprintf("  cadastre %s remove gold silver --tld example --dev /tmp/cadastre", name),
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := list.require(false); err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				return a.sendBatches(ctx, client, &list, len(args), "removed", func(from, to int) *fsmpb.Command {
					if reserved {
						return &fsmpb.Command{Body: &fsmpb.Command_ReservedRemove{ReservedRemove: &fsmpb.ReservedRemove{Tld: list.tld, Labels: args[from:to]}}}
					}
					return &fsmpb.Command{Body: &fsmpb.Command_PremiumRemove{PremiumRemove: &fsmpb.PremiumRemove{Tld: list.tld, Labels: args[from:to]}}}
				})
			})
		},
	}
	list.register(cmd, false)
	return cmd
}
