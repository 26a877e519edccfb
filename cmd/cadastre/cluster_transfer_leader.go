package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
)

func newClusterTransferLeaderCommand(a *app) *cobra.Command {
	var flags connFlags
	cmd := &cobra.Command{
		Use:     "transfer-leader [NODE-ID]",
		Short:   "Hand leadership to another voter",
		Long:    "Hands leadership to the voter named, or to the one that is most up to date.",
		Example: "  cadastre cluster transfer-leader n2 --dev /tmp/cadastre",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to := ""
			if len(args) == 1 {
				to = args[0]
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				if _, err := client.TransferLeader(ctx, &clusterpb.TransferLeaderRequest{ToNodeId: to}); err != nil {
					return plainError(err)
				}
				return a.result(map[string]string{"requested": to}, fmt.Sprintf("Leadership was handed to %s.", firstNonEmpty(to, "another voter")))
			})
		},
	}
	flags.register(cmd)
	return cmd
}
