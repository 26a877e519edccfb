package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
)

func newClusterTokenCommand(a *app) *cobra.Command {
	var (
		flags  connFlags
		role   string
		ttl    time.Duration
		reason string
	)
	cmd := &cobra.Command{
		Use:     "token",
		Short:   "Make a one-time token with which a node can join",
		Long:    "Makes a token that admits one node, as a voter or as a replica. It is shown once; the cluster keeps only its hash.",
		Example: "  cadastre cluster token --dev /tmp/cadastre --role replica --ttl 10m",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			wanted, err := parseRole(role)
			if err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.CreateToken(ctx, &clusterpb.CreateTokenRequest{
					Role: uint32(wanted), LifetimeSeconds: int64(ttl / time.Second), Reason: reason,
				})
				if err != nil {
					return plainError(err)
				}
				return a.result(map[string]any{"token": response.GetToken(), "role": role, "lifetime_seconds": int64(ttl / time.Second)},
					response.GetToken())
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&role, "role", "voter", "what the node becomes: voter or replica")
	cmd.Flags().DurationVar(&ttl, "ttl", time.Hour, "how long the token can be used")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	return cmd
}

func parseRole(s string) (registry.NodeRole, error) {
	for _, role := range []registry.NodeRole{registry.RoleVoter, registry.RoleReplica} {
		if s == role.String() {
			return role, nil
		}
	}
	return 0, &usageError{fmt.Sprintf("--role %s: want voter or replica", s)}
}
