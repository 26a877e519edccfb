package main

import "github.com/spf13/cobra"

func newClusterCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Make a cluster, and add, remove and list its nodes",
		Long: `A cluster begins with one node (init). The others join with one-time tokens, first without
a vote; those that are to vote get one once they have proven stable.`,
		Example: "  cadastre cluster init --config n1.toml\n  cadastre cluster members --dev /tmp/cadastre",
	}
	cmd.AddCommand(newClusterInitCommand(a), newClusterTokenCommand(a), newClusterJoinCommand(a),
		newClusterMembersCommand(a), newClusterRemoveCommand(a), newClusterTransferLeaderCommand(a), newClusterRecoverCommand(a),
		newClusterFeaturesCommand(a), newClusterRaiseLevelCommand(a), newClusterPromoteCommand(a), newClusterDemoteCommand(a))
	return cmd
}
