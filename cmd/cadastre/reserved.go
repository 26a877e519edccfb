package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
)

func newReservedCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:     "reserved",
		Short:   "Load, list and remove reserved labels of a TLD",
		Long:    "Reserved labels cannot be registered. A list may have any length; it stands beside the few that a policy document can hold.",
		Example: "  cadastre reserved load -f reserved.txt --tld example --dev /tmp/cadastre\n  cadastre reserved list --tld example --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newReservedLoadCommand(a, flags), newListLabelsCommand(a, flags, true), newRemoveLabelsCommand(a, flags, true))
	return cmd
}

func newReservedLoadCommand(a *app, flags *connFlags) *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use:   "load -f FILE --tld TLD",
		Short: "Reserve labels",
		Long: `Reads a label from each line; empty ones and those that begin with # are left out. All of it is
checked before any is sent; then batches of 500 are applied one after another. Names that are
registered stay so.`,
		Example: "  cadastre reserved load -f reserved.txt --tld example --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := list.require(true); err != nil {
				return err
			}
			labels, err := a.readLabelFile(list.file)
			if err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				return a.sendBatches(ctx, client, &list, len(labels), "reserved", func(from, to int) *fsmpb.Command {
					return &fsmpb.Command{Body: &fsmpb.Command_ReservedLoad{ReservedLoad: &fsmpb.ReservedLoad{Tld: list.tld, Labels: labels[from:to]}}}
				})
			})
		},
	}
	list.register(cmd, true)
	return cmd
}

func (a *app) readLabelFile(file string) ([]string, error) {
	in, closeFile, err := a.openList(file)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	var labels []string
	scanner := bufio.NewScanner(in)
	for line := 1; scanner.Scan(); line++ {
		label := strings.TrimSpace(scanner.Text())
		if label == "" || strings.HasPrefix(label, "#") {
			continue
		}
		if err := policy.CheckLabel(label); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", file, line, err)
		}
		if len(labels) == maxListNames {
			return nil, fmt.Errorf("%s: more than %d labels; divide the file", file, maxListNames)
		}
		labels = append(labels, label)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(labels) == 0 {
		return nil, fmt.Errorf("%s names no label", file)
	}
	return labels, nil
}
