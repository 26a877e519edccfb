package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
)

// zoneStatusDocument is how far a zone is published, as --json prints it.
type zoneStatusDocument struct {
	TLD           string  `json:"tld"`
	Serial        uint32  `json:"serial"`
	Publications  uint64  `json:"publications"`
	SignedAs      string  `json:"signed_as,omitempty"`
	Delegations   *uint64 `json:"delegations,omitempty"`
	Removed       uint64  `json:"removed"`
	MaxRemoved    uint64  `json:"max_removed"`
	HeldSince     string  `json:"held_since,omitempty"`
	Limit         string  `json:"limit,omitempty"`
	ReleasedUntil string  `json:"released_until,omitempty"`
	DSGoneSince   string  `json:"ds_gone_since,omitempty"`
}

func newZoneStatusCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "status [TLD]",
		Short: "Show how far zones are published and what holds them",
		Long: `Shows each zone's serial, how it is signed, how many delegations it has and how many of them left it within the
present hour, of as many as may. A zone that would lose more is held: its last publication stays in force until
"cadastre zone release".`,
		Example: "  cadastre zone status --dev /tmp/cadastre",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				req := &clusterpb.ZoneStatusRequest{}
				if len(args) > 0 {
					req.Tld = args[0]
				}
				response, err := client.ZoneStatus(ctx, req)
				if err != nil {
					return plainError(err)
				}
				documents := []zoneStatusDocument{}
				rows := [][]string{{"ZONE", "SERIAL", "DELEGATIONS", "REMOVED", "STATE", "SIGNED AS"}}
				for _, z := range response.GetZones() {
					d := documentOfZone(z)
					count := "not counted yet"
					if d.Delegations != nil {
						count = fmt.Sprint(*d.Delegations)
					}
					documents = append(documents, d)
					rows = append(rows, []string{d.TLD, fmt.Sprint(d.Serial), count, fmt.Sprintf("%d of %d", d.Removed, d.MaxRemoved), d.state(), firstNonEmpty(d.SignedAs, "not signed")})
				}
				return a.result(documents, table(rows))
			})
		},
	}
}

func documentOfZone(z *clusterpb.ZoneStatus) zoneStatusDocument {
	d := zoneStatusDocument{
		TLD: z.GetTld(), Serial: z.GetSerial(), Publications: z.GetPublications(), SignedAs: z.GetSignedAs(), Removed: z.GetRemoved(), MaxRemoved: z.GetMaxRemoved(),
		HeldSince: instant(z.GetHeldAtMs()), Limit: z.GetLimit(), ReleasedUntil: instant(z.GetReleasedUntilMs()), DSGoneSince: instant(z.GetDsGoneAtMs()),
	}
	if z.GetCounted() {
		count := z.GetDelegations()
		d.Delegations = &count
	}
	return d
}

func (d *zoneStatusDocument) state() string {
	switch {
	case d.HeldSince != "":
		return "held since " + d.HeldSince + ": " + d.Limit
	case d.ReleasedUntil != "":
		return "without limits until " + d.ReleasedUntil
	case d.DSGoneSince != "":
		return "the parent points to no key since " + d.DSGoneSince
	default:
		return "published"
	}
}

func newZoneReleaseCommand(a *app, flags *connFlags) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "release TLD",
		Short: "Let a held zone be published again",
		Long: `A zone that would lose more delegations than its policy allows within an hour is held: nothing is published, the last
publication stays in force. Look at what is about to leave it ("cadastre zone status", "cadastre domain show"), then release it: all that
waits is published, and no limit counts for an hour.`,
		Example: "  cadastre zone release example --reason 'deletions of registrar-b are intended, ticket 4711' --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return &usageError{"--reason is required: the history keeps it"}
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				_, err := client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_ZoneRelease{ZoneRelease: &fsmpb.ZoneRelease{Tld: args[0]}}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"tld": args[0]}, fmt.Sprintf("The zone %s is published again.", args[0]))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the log")
	return cmd
}
