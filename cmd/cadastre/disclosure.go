package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func newDisclosureCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:   "disclosure",
		Short: "Let authorised requesters see personal data, and see who has seen which",
		Long: `Personal data of registrants are withheld from the public. A requester with a legitimate interest, such as law
enforcement or the owner of a mark, is given a grant for a purpose and a time, and sees the data over RDAP with the
certificate that the grant names. Each answer under a grant is put on record before it is given.`,
		Example: "  cadastre disclosure list --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newDisclosureGrantCommand(a, flags), newDisclosureListCommand(a, flags), newDisclosureRevokeCommand(a, flags), newDisclosureLogCommand(a, flags))
	return cmd
}

func newDisclosureGrantCommand(a *app, flags *connFlags) *cobra.Command {
	var (
		cert, purpose, reason string
		days                  uint32
		tlds                  []string
	)
	cmd := &cobra.Command{
		Use:   "grant REQUESTER",
		Short: "Let a requester see personal data",
		Long: `Lets whoever has the certificate see the contacts of domains whole, for so many days. "cadastre ca requester"
makes such a certificate.`,
		Example: "  cadastre disclosure grant police --requester-cert police/police.crt --purpose 'case 2027-113' --days 30 --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cert == "" || purpose == "" {
				return &usageError{"--requester-cert and --purpose are required"}
			}
			fingerprints, err := readFingerprints([]string{cert})
			if err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				clock, err := client.ClockGet(ctx, &clusterpb.ClockGetRequest{})
				if err != nil {
					return plainError(err)
				}
				expires := time.UnixMilli(clock.GetTimeMs()).Add(time.Duration(days) * 24 * time.Hour)
				id := newROIDPart()
				result, err := client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_DisclosureGrant{DisclosureGrant: &fsmpb.DisclosureGrant{
					Id: id, Requester: args[0], CertificateSha256: fingerprints[0], Purpose: purpose, ExpiresAtMs: expires.UnixMilli(), Tlds: tlds,
				}}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": id, "expires_at": instant(expires.UnixMilli()), "raft_index": result.GetIndex()},
					fmt.Sprintf("Granted %s until %s.", id, instant(expires.UnixMilli())))
			})
		},
	}
	cmd.Flags().StringVar(&cert, "requester-cert", "", "the requester's certificate, PEM")
	cmd.Flags().StringVar(&purpose, "purpose", "", "what the data are for")
	cmd.Flags().Uint32Var(&days, "days", 30, "for how many days, at most 366")
	cmd.Flags().StringSliceVar(&tlds, "tld", nil, "only data of this TLD (repeatable; default: all)")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	return cmd
}

func newDisclosureRevokeCommand(a *app, flags *connFlags) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "revoke ID",
		Short:   "End a grant at once",
		Long:    "Ends a grant at once. It stays on record, with what was disclosed under it.",
		Example: "  cadastre disclosure revoke ABCDEFGHIJKLMNOPQ --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				result, err := client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_DisclosureRevoke{DisclosureRevoke: &fsmpb.DisclosureRevoke{Id: args[0]}}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": args[0], "raft_index": result.GetIndex()}, fmt.Sprintf("Revoked %s.", args[0]))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	return cmd
}

// grantDocument is a grant for machines.
type grantDocument struct {
	ID          string   `json:"id"`
	Requester   string   `json:"requester"`
	Purpose     string   `json:"purpose"`
	TLDs        []string `json:"tlds"`
	Certificate string   `json:"certificate_sha256"`
	CreatedAt   string   `json:"created_at"`
	CreatedBy   string   `json:"created_by"`
	ExpiresAt   string   `json:"expires_at"`
	RevokedAt   string   `json:"revoked_at"`
	Disclosures uint64   `json:"disclosures"`
}

func newDisclosureListCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the grants",
		Long:    "Lists the grants, those that have ended among them.",
		Example: "  cadastre disclosure list --dev /tmp/cadastre --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.DisclosureGrants(ctx, &clusterpb.DisclosureGrantsRequest{})
				if err != nil {
					return plainError(err)
				}
				rows := [][]string{{"ID", "REQUESTER", "PURPOSE", "TLDS", "EXPIRES", "REVOKED", "DISCLOSURES"}}
				documents := []grantDocument{}
				for _, record := range response.GetGrants() {
					g := record.GetGrant()
					d := grantDocument{
						ID: g.GetId(), Requester: g.GetRequester(), Purpose: g.GetPurpose(), TLDs: append([]string{}, g.GetTlds()...),
						Certificate: hex.EncodeToString(g.GetCertificateSha256()), CreatedAt: instant(record.GetCreatedAtMs()), CreatedBy: record.GetCreatedBy(),
						ExpiresAt: instant(g.GetExpiresAtMs()), RevokedAt: instant(record.GetRevokedAtMs()), Disclosures: record.GetDisclosures(),
					}
					documents = append(documents, d)
					rows = append(rows, []string{d.ID, d.Requester, d.Purpose, firstNonEmpty(strings.Join(d.TLDs, ","), "all"), d.ExpiresAt, d.RevokedAt, fmt.Sprint(d.Disclosures)})
				}
				return a.result(documents, table(rows))
			})
		},
	}
}

// disclosureDocument is an answer on record for machines.
type disclosureDocument struct {
	Number    uint64 `json:"number"`
	At        string `json:"at"`
	Grant     string `json:"grant"`
	Requester string `json:"requester"`
	Purpose   string `json:"purpose"`
	Kind      string `json:"kind"`
	Object    string `json:"object"`
	Node      string `json:"node"`
	Address   string `json:"address"`
}

func newDisclosureLogCommand(a *app, flags *connFlags) *cobra.Command {
	request := &clusterpb.DisclosuresRequest{}
	cmd := &cobra.Command{
		Use:     "log",
		Short:   "Show who has seen which personal data, and why",
		Long:    "Shows the answers with personal data that are on record, newest first, 500 at a time. A million are kept.",
		Example: "  cadastre disclosure log --grant ABCDEFGHIJKLMNOPQ --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.Disclosures(ctx, request)
				if err != nil {
					return plainError(err)
				}
				rows := [][]string{{"NUMBER", "AT", "REQUESTER", "PURPOSE", "OBJECT", "NODE", "FROM", "GRANT"}}
				documents := []disclosureDocument{}
				for _, e := range response.GetEntries() {
					d := disclosureDocument{
						Number: e.GetNumber(), At: instant(e.GetAtMs()), Grant: e.GetGrantId(), Requester: e.GetRequester(), Purpose: e.GetPurpose(),
						Kind: registry.ObjectKind(e.GetKind()).String(), Object: e.GetKey(), Node: e.GetNode(), Address: e.GetAddress(),
					}
					documents = append(documents, d)
					rows = append(rows, []string{fmt.Sprint(d.Number), d.At, d.Requester, d.Purpose, d.Kind + " " + d.Object, d.Node, d.Address, d.Grant})
				}
				return a.result(documents, table(rows))
			})
		},
	}
	cmd.Flags().StringVar(&request.GrantId, "grant", "", "only of this grant")
	cmd.Flags().Uint64Var(&request.Before, "before", 0, "only those before the number")
	return cmd
}
