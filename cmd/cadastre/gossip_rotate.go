package main

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
)

func newGossipCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "gossip",
		Short:   "Change the key with which nodes gossip",
		Long:    "Gossip carries hints between nodes, encrypted with one key that all of them have.",
		Example: "  cadastre gossip rotate --dev /tmp/cadastre",
	}
	cmd.AddCommand(newGossipRotateCommand(a))
	return cmd
}

func newGossipRotateCommand(a *app) *cobra.Command {
	var (
		flags  connFlags
		reason string
	)
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Replace the gossip key on every node",
		Long: `Makes a new gossip key and has every node install it, then use it, then forget the old one. The
key travels between nodes over TLS only, is kept in each node's key file, and is never in the log.
Every member must be up; if it was interrupted, run it again. A node with an old key file, such as
one that joins, gets the present key from the others.`,
		Example: "  cadastre gossip rotate --dev /tmp/cadastre --reason 'yearly'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.RotateGossip(ctx, &clusterpb.RotateGossipRequest{Reason: reason})
				if err != nil {
					return plainError(err)
				}
				sum := hex.EncodeToString(response.GetKeySha256())
				return a.result(map[string]any{"steps": nonNil(response.GetSteps()), "key_sha256": sum},
					strings.Join(response.GetSteps(), "\n")+"\nThe SHA-256 of the key in use: "+sum)
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the node's log")
	return cmd
}
