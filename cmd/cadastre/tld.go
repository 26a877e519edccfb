package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
)

func newTLDCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:     "tld",
		Short:   "Show and change the TLDs and their policies",
		Long:    "The policy of a TLD (prices, periods, name servers, reserved labels) is replicated data, changed by applying a document.",
		Example: "  cadastre tld show example --dev /tmp/cadastre > example.toml\n  cadastre tld apply -f example.toml --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newTLDApplyCommand(a, flags), newTLDListCommand(a, flags), newTLDShowCommand(a, flags), newTLDTablesCommand(a))
	return cmd
}

func newTLDListCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the TLDs",
		Long:    "Lists the TLDs of the cluster.",
		Example: "  cadastre tld list --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.ListTLDs(ctx, &clusterpb.ListTLDsRequest{})
				if err != nil {
					return plainError(err)
				}
				rows := [][]string{{"TLD", "CREATE", "RENEW", "RESTORE", "CURRENCY", "SERVERS", "CREATED"}}
				documents := []*tldDocument{}
				for _, t := range response.GetTlds() {
					documents = append(documents, documentOfProto(t.GetName(), t.GetPolicy()))
					p := t.GetPolicy()
					var servers []string
					for _, s := range p.GetApexServers() {
						servers = append(servers, s.GetName())
					}
					rows = append(rows, []string{t.GetName(), registry.FormatMinorUnits(p.GetCreatePriceMinor()),
						registry.FormatMinorUnits(p.GetRenewPriceMinor()), registry.FormatMinorUnits(p.GetRestorePriceMinor()),
						p.GetCurrency(), strings.Join(servers, ","), instant(t.GetCreatedAtMs())})
				}
				return a.result(documents, table(rows))
			})
		},
	}
}

func newTLDShowCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "show TLD",
		Short:   "Show the policy of a TLD as a document that can be applied",
		Long:    "Shows the policy of a TLD, in TOML (or JSON). Edit it and apply it to change the policy.",
		Example: "  cadastre tld show example --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				t, err := client.GetTLD(ctx, &clusterpb.GetTLDRequest{Name: args[0]})
				if err != nil {
					return plainError(err)
				}
				document := documentOfProto(t.GetName(), t.GetPolicy())
				text, err := document.toml()
				if err != nil {
					return err
				}
				return a.result(document, text)
			})
		},
	}
}
