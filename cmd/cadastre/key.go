package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/keystore"
	"cadastre/registry"
)

func newKeyCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Show, make and replace the keys that zones are signed with",
		Long: `The public halves of keys are replicated data; the private halves are on the voters only, sealed. The
first keys of a zone are made once its policy says that it is signed ("cadastre tld apply").`,
		Example: "  cadastre key list example --dev /tmp/cadastre\n  cadastre key roll example --dry-run --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newKeyListCommand(a, flags), newKeyDSCommand(a, flags), newKeyGenerateCommand(a, flags), newKeyRollCommand(a, flags),
		newKeyDSSeenCommand(a, flags), newKeyDSGoneCommand(a, flags), newKeyRetireCommand(a, flags), newKeyNewSealCommand(a))
	return cmd
}

// keyDocument is a key as --json shows it.
type keyDocument struct {
	ID         string   `json:"id"`
	Tag        uint32   `json:"tag"`
	Role       string   `json:"role"`
	Algorithm  uint32   `json:"algorithm"`
	State      string   `json:"state"`
	StateAt    string   `json:"state_at"`
	ObservedAt string   `json:"observed_at,omitempty"`
	DSSeenAt   string   `json:"ds_seen_at,omitempty"`
	Replaces   string   `json:"replaces,omitempty"`
	Emergency  bool     `json:"emergency,omitempty"`
	HeldBy     []string `json:"held_by"`
	WaitsFor   string   `json:"waits_for,omitempty"`
	WaitsUntil string   `json:"waits_until,omitempty"`
	DS         string   `json:"ds,omitempty"`
	DNSKEY     string   `json:"dnskey"`
}

func keyDocumentOf(k *clusterpb.ZoneKey) keyDocument {
	return keyDocument{
		ID: k.GetId(), Tag: k.GetTag(), Role: registry.KeyRole(k.GetRole()).String(), Algorithm: k.GetAlgorithm(), State: registry.KeyState(k.GetState()).String(),
		StateAt: instant(k.GetStateAtMs()), ObservedAt: instant(k.GetObservedAtMs()), DSSeenAt: instant(k.GetDsSeenAtMs()), Replaces: k.GetReplaces(),
		Emergency: k.GetEmergency(), HeldBy: nonNil(k.GetHeldBy()), WaitsFor: k.GetWaitsFor(), WaitsUntil: instant(k.GetWaitsUntilMs()), DS: k.GetDs(), DNSKEY: k.GetDnskey(),
	}
}

func keyTable(keys []*clusterpb.ZoneKey) (documents []keyDocument, text string) {
	rows := [][]string{{"TAG", "ROLE", "ALGORITHM", "STATE", "SINCE", "HELD BY", "WAITS FOR", "ID"}}
	documents = []keyDocument{}
	for _, k := range keys {
		d := keyDocumentOf(k)
		waits := d.WaitsFor
		if d.WaitsUntil != "" {
			waits += ", until " + d.WaitsUntil
		}
		rows = append(rows, []string{fmt.Sprint(d.Tag), d.Role, fmt.Sprint(d.Algorithm), d.State, d.StateAt, strings.Join(d.HeldBy, ","), waits, d.ID})
		documents = append(documents, d)
	}
	return documents, table(rows)
}

func newKeyListCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "list TLD",
		Short:   "Show the keys of a zone, who has them and what they wait for",
		Long:    "Shows the keys of a zone with their states, the voters that have the private halves, and what a rollover waits for.",
		Example: "  cadastre key list example --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.KeyList(ctx, &clusterpb.KeyListRequest{Tld: args[0]})
				if err != nil {
					return plainError(err)
				}
				documents, text := keyTable(response.GetKeys())
				return a.result(map[string]any{"keys": documents, "signed_as": response.GetSignedAs()}, text+"\nSigned as: "+firstNonEmpty(response.GetSignedAs(), "not signed"))
			})
		},
	}
}

func newKeyDSCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "ds TLD",
		Short:   "Print the DS records that the parent should have",
		Long:    "Prints the DS records (SHA-256) of the keys that the parent is to point to now: of the new key once it is ready, else of the active one.",
		Example: "  cadastre key ds example --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.KeyList(ctx, &clusterpb.KeyListRequest{Tld: args[0]})
				if err != nil {
					return plainError(err)
				}
				records := map[registry.KeyState][]string{}
				for _, k := range response.GetKeys() {
					if k.GetDs() != "" {
						state := registry.KeyState(k.GetState())
						records[state] = append(records[state], k.GetDs())
					}
				}
				wanted := nonNil(records[registry.KeyReady])
				if len(wanted) == 0 {
					wanted = nonNil(records[registry.KeyActive])
				}
				if len(wanted) == 0 {
					return fmt.Errorf("the zone %s has no key that a parent could point to", args[0])
				}
				return a.result(wanted, strings.Join(wanted, "\n"))
			})
		},
	}
}

// parseKeyRole reads the role of a key, "" standing for what the zone's layout says.
func parseKeyRole(text string) (registry.KeyRole, error) {
	switch strings.ToLower(text) {
	case "":
		return 0, nil
	case "ksk":
		return registry.KeyKSK, nil
	case "zsk":
		return registry.KeyZSK, nil
	case "csk":
		return registry.KeyCSK, nil
	}
	return 0, &usageError{fmt.Sprintf("--role %q is none of ksk, zsk and csk", text)}
}

func newKeyGenerateCommand(a *app, flags *connFlags) *cobra.Command {
	var (
		role, reason string
		algorithm    uint8
	)
	cmd := &cobra.Command{
		Use:   "generate TLD",
		Short: "Make a key that stands by for the next rollover",
		Long: `Makes a key on the voter that answers; the other voters take it over. It stands by until the next
rollover of a key of its role and algorithm. The first keys of a zone are made without being asked for.`,
		Example: "  cadastre key generate example --role csk --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := parseKeyRole(role)
			if err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.KeyGenerate(ctx, &clusterpb.KeyGenerateRequest{Tld: args[0], Role: uint32(wanted), Algorithm: uint32(algorithm), Reason: reason})
				if err != nil {
					return plainError(err)
				}
				d := keyDocumentOf(response.GetKey())
				return a.result(d, fmt.Sprintf("Made %s %d (algorithm %d), %s.", d.Role, d.Tag, d.Algorithm, d.ID))
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "ksk, zsk or csk (default: what signs the zone)")
	cmd.Flags().Uint8Var(&algorithm, "algorithm", 0, "13, 15 or 8 (default: the policy's)")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the log")
	return cmd
}

func newKeyRollCommand(a *app, flags *connFlags) *cobra.Command {
	var (
		role, reason      string
		algorithm         uint8
		emergency, dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "roll TLD",
		Short: "Replace a key, or all keys by those of another algorithm",
		Long: `Makes the successor of a key and starts the rollover, which then goes on by itself (RFC 7583): a ZSK is
published before it signs; a KSK or CSK waits for the parent's DS record; another algorithm signs all of the zone before
its keys are published. --dry-run only says when what would happen. --emergency waits for no cache: resolvers may fail
for as long as they keep what the old key signed.`,
		Example: "  cadastre key roll example --dry-run --dev /tmp/cadastre\n  cadastre key roll example --algorithm 15 --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := parseKeyRole(role)
			if err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.KeyRoll(ctx, &clusterpb.KeyRollRequest{
					Tld: args[0], Role: uint32(wanted), Algorithm: uint32(algorithm), Emergency: emergency, DryRun: dryRun, Reason: reason,
				})
				if err != nil {
					return plainError(err)
				}
				return a.result(rollDocument(response), rollText(response, dryRun))
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "ksk, zsk or csk (default: what signs the zone)")
	cmd.Flags().Uint8Var(&algorithm, "algorithm", 0, "13, 15 or 8 (default: that of the key)")
	cmd.Flags().BoolVar(&emergency, "emergency", false, "the old key is not trusted any more: do not wait for caches")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would happen")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the log")
	return cmd
}

func rollDocument(r *clusterpb.KeyRollResponse) any {
	documents, _ := keyTable(r.GetKeys())
	timeline := []map[string]string{}
	for _, event := range r.GetTimeline() {
		timeline = append(timeline, map[string]string{"at": instant(event.GetAtMs()), "what": event.GetText()})
	}
	return map[string]any{"keys": documents, "timeline": timeline}
}

func rollText(r *clusterpb.KeyRollResponse, dryRun bool) string {
	var b strings.Builder
	for _, k := range r.GetKeys() {
		verb := "Made"
		if dryRun {
			verb = "Would make"
		}
		fmt.Fprintf(&b, "%s %s %d (algorithm %d).\n", verb, registry.KeyRole(k.GetRole()), k.GetTag(), k.GetAlgorithm())
	}
	b.WriteString("What follows, as early as it can be:\n")
	for _, event := range r.GetTimeline() {
		fmt.Fprintf(&b, "  %s  %s\n", instant(event.GetAtMs()), event.GetText())
	}
	return b.String()
}

// keyOf finds the key that an operator names by its tag or id.
func keyOf(ctx context.Context, client *admin, tld, name string) (*clusterpb.ZoneKey, error) {
	response, err := client.KeyList(ctx, &clusterpb.KeyListRequest{Tld: tld})
	if err != nil {
		return nil, plainError(err)
	}
	for _, k := range response.GetKeys() {
		if k.GetId() == name || fmt.Sprint(k.GetTag()) == name {
			return k, nil
		}
	}
	return nil, fmt.Errorf("the zone %s has no key %q: cadastre key list %s", tld, name, tld)
}

func newKeyDSSeenCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "ds-seen TLD TAG",
		Short:   "Say that the parent points to a key",
		Long:    "Says that every server of the parent has the DS record of the key, named by tag or id. A rollover that waits for it goes on once the old DS record has left caches.",
		Example: "  cadastre key ds-seen example 12345 --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				k, err := keyOf(ctx, client, args[0], args[1])
				if err != nil {
					return err
				}
				_, err = client.execute(ctx, &fsmpb.Command{Body: &fsmpb.Command_ZoneKeyDsSeen{ZoneKeyDsSeen: &fsmpb.ZoneKeyDSSeen{Tld: args[0], Id: k.GetId()}}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": k.GetId()}, fmt.Sprintf("Noted that the parent points to key %d.", k.GetTag()))
			})
		},
	}
}

func newKeyDSGoneCommand(a *app, flags *connFlags) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "ds-gone TLD",
		Short: "Say that the parent points to no key of a zone any more",
		Long: `Says that no server of the parent has a DS record of the zone: the first step out of signing. Once the record has left
caches ("signing.ds_ttl_seconds" and "propagation_seconds" of the policy), "signing.denial" may become "none". "cadastre key ds-seen"
takes it back.`,
		Example: "  cadastre key ds-gone example --reason 'the TLD leaves DNSSEC' --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				_, err := client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_ZoneDsGone{ZoneDsGone: &fsmpb.ZoneDSGone{Tld: args[0]}}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"tld": args[0]}, fmt.Sprintf("Noted that the parent points to no key of %s.", args[0]))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the log")
	return cmd
}

func newKeyRetireCommand(a *app, flags *connFlags) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "retire TLD TAG",
		Short:   "Give up a key that the zone does not rest on",
		Long:    "Gives up a key, named by tag or id, that stands by or is only published; the voters delete its private half. An active key is rolled instead.",
		Example: "  cadastre key retire example 12345 --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				k, err := keyOf(ctx, client, args[0], args[1])
				if err != nil {
					return err
				}
				_, err = client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_ZoneKeyRetire{ZoneKeyRetire: &fsmpb.ZoneKeyRetire{Tld: args[0], Id: k.GetId()}}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": k.GetId()}, fmt.Sprintf("Key %d is given up.", k.GetTag()))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the log")
	return cmd
}

func newKeyNewSealCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "new-seal FILE",
		Short: "Make the key under which a node seals its private keys",
		Long: `Writes a new random seal key to a file that must not be there yet, for "keys.seal_file" of the node's
configuration or as the credential cadastre-seal-key of its service. Each node has its own; keep it apart from the data
folder and from backups of it.`,
		Example: "  cadastre key new-seal /etc/cadastre/seal.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := keystore.NewSealKey(args[0]); err != nil {
				return err
			}
			return a.result(map[string]any{"file": args[0]}, "Wrote "+args[0]+".")
		},
	}
}
