package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
)

func newClusterPromoteCommand(a *app) *cobra.Command {
	return newRoleCommand(a, registry.RoleVoter, &cobra.Command{
		Use:   "promote NODE-ID",
		Short: "Let a replica become a voter",
		Long: `Makes a replica one of the nodes that are to vote. It gets its vote when it has answered and
kept up for a while, and so that the number of voters stays odd: a single node that is to vote
beside three others waits for a fifth.`,
		Example: "  cadastre cluster promote n4 --dev /tmp/cadastre --reason 'n2 will be retired'",
	})
}

func newClusterDemoteCommand(a *app) *cobra.Command {
	return newRoleCommand(a, registry.RoleReplica, &cobra.Command{
		Use:   "demote NODE-ID",
		Short: "Take a node's vote away; it stays as a replica",
		Long: `Takes a node's vote away for good; it goes on as a replica, with a full copy of the state and
all services. The leader hands over first. It is refused if the voters that would stay could not
form a majority.`,
		Example: "  cadastre cluster demote n2 --dev /tmp/cadastre --reason 'its site is far away'",
	})
}

func newRoleCommand(a *app, role registry.NodeRole, cmd *cobra.Command) *cobra.Command {
	var (
		flags  connFlags
		reason string
	)
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
			response, err := client.SetRole(ctx, &clusterpb.SetRoleRequest{NodeId: args[0], Role: uint32(role), Reason: reason})
			if err != nil {
				return plainError(err)
			}
			text := fmt.Sprintf("Node %s is a replica now.", args[0])
			switch {
			case role == registry.RoleVoter && response.GetVotes():
				text = fmt.Sprintf("Node %s votes.", args[0])
			case role == registry.RoleVoter:
				text = fmt.Sprintf("Node %s is to vote; it gets its vote once it has proven fit. See: cadastre cluster members", args[0])
			}
			if response.GetWarning() != "" {
				text += "\nWarning: " + response.GetWarning() + "."
			}
			return a.result(map[string]any{"node": args[0], "role": role.String(), "votes": response.GetVotes(),
				"wished_voters": response.GetWishedVoters(), "warning": response.GetWarning()}, text)
		})
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	return cmd
}
