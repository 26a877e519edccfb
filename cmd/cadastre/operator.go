package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
)

func newOperatorCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "operator",
		Short:   "Take operators' certificates out of use",
		Long:    "An operator is whoever holds an operator's certificate of the cluster (cadastre ca operator).",
		Example: "  cadastre operator revoke bob --dev /tmp/cadastre --reason 'left the company'",
	}
	cmd.AddCommand(newOperatorRevokeCommand(a), newOperatorRevokedCommand(a))
	return cmd
}

func newOperatorRevokeCommand(a *app) *cobra.Command {
	var (
		flags       connFlags
		sum, reason string
	)
	cmd := &cobra.Command{
		Use:   "revoke NAME",
		Short: "Make an operator's certificates worthless at once",
		Long: `Revokes all certificates that were issued for the operator so far, or the one with the SHA-256
fingerprint given. Every node refuses calls with them from then on, also over connections that
stand. A certificate that is issued afterwards admits again.`,
		Example: "  cadastre operator revoke bob --dev /tmp/cadastre --reason 'left the company'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			fingerprint, err := hex.DecodeString(strings.ReplaceAll(sum, ":", ""))
			if err != nil || len(fingerprint) != 0 && len(fingerprint) != 32 {
				return &usageError{fmt.Sprintf("--sha256 %q: want the 64 hexadecimal digits of a fingerprint", sum)}
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				_, err := client.RevokeOperator(ctx, &clusterpb.RevokeOperatorRequest{Name: args[0], Sha256: fingerprint, Reason: reason})
				if err != nil {
					return plainError(err)
				}
				return a.result(map[string]string{"revoked": args[0], "sha256": hex.EncodeToString(fingerprint)},
					fmt.Sprintf("Revoked %s of operator %s.", map[bool]string{true: "all certificates so far", false: "the certificate"}[sum == ""], args[0]))
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&sum, "sha256", "", "fingerprint of the one certificate (default: all so far)")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	return cmd
}

func newOperatorRevokedCommand(a *app) *cobra.Command {
	var flags connFlags
	cmd := &cobra.Command{
		Use:     "revoked",
		Short:   "List the revoked certificates of operators",
		Long:    "Lists what was revoked and when. An empty fingerprint stands for all certificates up to then.",
		Example: "  cadastre operator revoked --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.ListRevoked(ctx, &clusterpb.ListRevokedRequest{})
				if err != nil {
					return plainError(err)
				}
				rows, document := [][]string{{"OPERATOR", "REVOKED", "CERTIFICATE"}}, []map[string]string{}
				for _, r := range response.GetRevoked() {
					what := firstNonEmpty(hex.EncodeToString(r.GetSha256()), "all up to then")
					rows = append(rows, []string{r.GetName(), instant(r.GetRevokedAtMs()), what})
					document = append(document, map[string]string{"operator": r.GetName(), "revoked_at": instant(r.GetRevokedAtMs()), "sha256": hex.EncodeToString(r.GetSha256())})
				}
				return a.result(map[string]any{"revoked": document}, table(rows))
			})
		},
	}
	flags.register(cmd)
	return cmd
}
