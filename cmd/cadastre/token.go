package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func newTokenCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make, list and revoke allocation tokens",
		Long: `An allocation token (RFC 8495) lets a registrar have a reserved name, or a name at another
price. It is shown once; the cluster keeps only its hash, and names it by the start of that.`,
		Example: "  cadastre token create --name nic.example --unlocks-reserved --registrar acme --dev /tmp/cadastre\n  cadastre token list --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newTokenCreateCommand(a, flags), newTokenListCommand(a, flags), newTokenRevokeCommand(a, flags))
	return cmd
}

func newTokenCreateCommand(a *app, flags *connFlags) *cobra.Command {
	command := &fsmpb.AllocationTokenCreate{}
	var from, until, price, reason string
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an allocation token",
		Long: `Makes a token for one name or for a TLD, to be used once unless --unlimited is given. Without
a price or a discount, what it opens costs what the name costs.`,
		Example: "  cadastre token create --tld example --discount 50 --unlimited --until 2027-12-31 --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (command.Name == "") == (command.Tld == "") {
				return &usageError{"give --name NAME or --tld TLD"}
			}
			for _, bound := range []struct {
				flag, text string
				into       *int64
			}{{"from", from, &command.ValidFromMs}, {"until", until, &command.ValidUntilMs}} {
				if bound.text == "" {
					continue
				}
				at, err := parseTime(bound.text)
				if err != nil {
					return &usageError{fmt.Sprintf("--%s: %v", bound.flag, err)}
				}
				*bound.into = at.UnixMilli()
			}
			if price != "" {
				minor, err := registry.ParseMinorUnits(price)
				if err != nil {
					return &usageError{fmt.Sprintf("--price: %v", err)}
				}
				command.PriceMinor = &minor
			}
			token := rand.Text() // 130 bits, beyond guessing
			sum := sha256.Sum256([]byte(token))
			command.TokenSha256 = sum[:]
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				_, err := client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_AllocationTokenCreate{AllocationTokenCreate: command}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"token": token, "id": tokenID(sum[:])}, token)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&command.Name, "name", "", "the one name that it is for")
	f.StringVar(&command.Tld, "tld", "", "the TLD that it is for")
	f.StringVar(&command.Registrar, "registrar", "", "the one registrar that may use it (default: any)")
	f.BoolVar(&command.Unlimited, "unlimited", false, "it can be used any number of times")
	f.StringVar(&from, "from", "", "when it starts to be valid, such as 2027-03-01T12:00:00Z or a date")
	f.StringVar(&until, "until", "", "when it stops to be valid")
	f.StringVar(&price, "price", "", "what a year costs with it")
	f.Uint32Var(&command.DiscountPercent, "discount", 0, "by how many per cent the price is less")
	f.BoolVar(&command.UnlocksReserved, "unlocks-reserved", false, "it opens reserved labels")
	f.StringVar(&reason, "reason", "", "why")
	return cmd
}

// tokenIDChars is how much of the hash names a token: 64 bits, which do not meet by chance.
const tokenIDChars = 16

// tokenID is how the operators' tools name a token.
func tokenID(sha256 []byte) string { return hex.EncodeToString(sha256)[:tokenIDChars] }

// tokenDocument is an allocation token without the token.
type tokenDocument struct {
	ID              string `json:"id"`
	SHA256          string `json:"sha256"`
	Name            string `json:"name"`
	TLD             string `json:"tld"`
	Registrar       string `json:"registrar"`
	State           string `json:"state"`
	Unlimited       bool   `json:"unlimited"`
	ValidFrom       string `json:"valid_from"`
	ValidUntil      string `json:"valid_until"`
	Price           string `json:"price"`
	DiscountPercent uint32 `json:"discount_percent"`
	UnlocksReserved bool   `json:"unlocks_reserved"`
	CreatedAt       string `json:"created_at"`
	CreatedBy       string `json:"created_by"`
	RevokedAt       string `json:"revoked_at"`
	Uses            uint64 `json:"uses"`
	LastUsedAt      string `json:"last_used_at"`
	LastUsedBy      string `json:"last_used_by"`
	LastUsedFor     string `json:"last_used_for"`
}

func tokenDocumentOf(t *clusterpb.AllocationToken) tokenDocument {
	d := tokenDocument{
		ID: tokenID(t.GetTokenSha256()), SHA256: hex.EncodeToString(t.GetTokenSha256()), Name: t.GetName(), TLD: t.GetTld(), Registrar: t.GetRegistrar(),
		State: "usable", Unlimited: t.GetUnlimited(), ValidFrom: optionalInstant(t.GetValidFromMs()), ValidUntil: optionalInstant(t.GetValidUntilMs()),
		DiscountPercent: t.GetDiscountPercent(), UnlocksReserved: t.GetUnlocksReserved(), CreatedAt: instant(t.GetCreatedAtMs()), CreatedBy: t.GetCreatedBy(),
		RevokedAt: optionalInstant(t.GetRevokedAtMs()), Uses: t.GetUses(),
		LastUsedAt: optionalInstant(t.GetLastUsedAtMs()), LastUsedBy: t.GetLastUsedBy(), LastUsedFor: t.GetLastUsedFor(),
	}
	if t.PriceMinor != nil {
		d.Price = registry.FormatMinorUnits(t.GetPriceMinor())
	}
	switch {
	case t.GetRevokedAtMs() != 0:
		d.State = "revoked"
	case !t.GetUnlimited() && t.GetUses() > 0:
		d.State = "used"
	}
	return d
}

// optionalInstant is instant, with "" for none.
func optionalInstant(ms int64) string {
	if ms == 0 {
		return ""
	}
	return instant(ms)
}

func newTokenListCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the allocation tokens",
		Long:    "Lists what the allocation tokens are for and how often each was used; the tokens themselves are not kept.",
		Example: "  cadastre token list --dev /tmp/cadastre --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				documents, err := readTokens(ctx, client)
				if err != nil {
					return err
				}
				rows := [][]string{{"TOKEN", "FOR", "REGISTRAR", "STATE", "USES", "PRICE", "DISCOUNT", "RESERVED", "UNTIL"}}
				for _, d := range documents {
					rows = append(rows, []string{d.ID, d.Name + d.TLD, d.Registrar, d.State, fmt.Sprint(d.Uses), d.Price,
						unlessZero(uint64(d.DiscountPercent)), fmt.Sprint(d.UnlocksReserved), d.ValidUntil})
				}
				return a.result(documents, table(rows))
			})
		},
	}
}

func readTokens(ctx context.Context, client *admin) ([]tokenDocument, error) {
	stream, err := client.AllocationTokens(ctx, &clusterpb.AllocationTokensRequest{})
	if err != nil {
		return nil, plainError(err)
	}
	documents := []tokenDocument{}
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, errBrokenOff
		}
		if err != nil {
			return nil, plainError(err)
		}
		for _, t := range chunk.GetTokens() {
			documents = append(documents, tokenDocumentOf(t))
		}
		if chunk.GetDone() {
			return documents, nil
		}
	}
}

func newTokenRevokeCommand(a *app, flags *connFlags) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "revoke ID",
		Short:   "Revoke an allocation token",
		Long:    "Makes a token useless. ID is what list shows, or the token itself; what it was used for stays as it is.",
		Example: "  cadastre token revoke 5f16f4c7f149ac4f --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				hash, err := findToken(ctx, client, args[0])
				if err != nil {
					return err
				}
				result, err := client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_AllocationTokenRevoke{
					AllocationTokenRevoke: &fsmpb.AllocationTokenRevoke{TokenSha256: hash},
				}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": tokenID(hash), "raft_index": result.GetIndex()}, fmt.Sprintf("Revoked token %s.", tokenID(hash)))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	return cmd
}

// findToken returns the hash of the token that id is, or is the start of the hash of.
func findToken(ctx context.Context, client *admin, id string) ([]byte, error) {
	documents, err := readTokens(ctx, client)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(id))
	found := ""
	for _, d := range documents {
		if d.SHA256 != hex.EncodeToString(sum[:]) && (len(id) < tokenIDChars || !strings.HasPrefix(d.SHA256, strings.ToLower(id))) {
			continue
		}
		if found != "" {
			return nil, fmt.Errorf("%s is the start of several tokens; give more of the hash", id)
		}
		found = d.SHA256
	}
	if found == "" {
		return nil, errors.New("there is no such token; see: cadastre token list")
	}
	return hex.DecodeString(found)
}
