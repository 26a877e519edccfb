package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
)

func newClusterRemoveCommand(a *app) *cobra.Command {
	var (
		flags  connFlags
		reason string
	)
	cmd := &cobra.Command{
		Use:   "remove NODE-ID",
		Short: "Remove a node for good",
		Long: `Removes a node: its certificate is worth nothing from then on, and it stops serving. If the
node is to come back it joins anew, with an empty data folder. May be repeated if it failed
half-way.`,
		Example: "  cadastre cluster remove n4 --dev /tmp/cadastre --reason 'moved to another site'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.Remove(ctx, &clusterpb.RemoveRequest{NodeId: args[0], Reason: reason})
				if err != nil {
					return plainError(err)
				}
				text := fmt.Sprintf("Removed node %s.", args[0])
				if response.GetUnnotified() {
					text += " It could not be told: stop it if it still runs."
				}
				return a.result(map[string]any{"removed": args[0], "unnotified": response.GetUnnotified()}, text)
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	return cmd
}
