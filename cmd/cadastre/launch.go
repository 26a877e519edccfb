package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func newLaunchCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:   "launch",
		Short: "Decide the applications of a TLD's launch",
		Long: `During the launch of a TLD (RFC 8334) phases that its policy says so take applications for
names instead of registrations. They are validated, allocated or rejected here; registrars are told by messages.`,
		Example: "  cadastre launch applications --tld example --status pendingValidation --dev /tmp/cadastre\n  cadastre launch allocate APPLICATION --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newLaunchApplicationsCommand(a, flags))
	for _, verb := range launchVerbs() {
		cmd.AddCommand(newLaunchDecideCommand(a, flags, verb))
	}
	return cmd
}

// applicationDocument is an application as operators see it.
type applicationDocument struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Registrar  string   `json:"registrar"`
	Phase      string   `json:"phase"`
	Status     string   `json:"status"`
	StatusName string   `json:"status_name"`
	AppliedAt  string   `json:"created_at"`
	StatusAt   string   `json:"status_at"`
	Registrant string   `json:"registrant"`
	Years      uint32   `json:"period_years"`
	Reserved   string   `json:"reserved"`
	Codes      []string `json:"codes"`
	Marks      uint32   `json:"marks"`
}

func newLaunchApplicationsCommand(a *app, flags *connFlags) *cobra.Command {
	request := &clusterpb.ApplicationsRequest{}
	var status string
	cmd := &cobra.Command{
		Use:     "applications",
		Short:   "List the applications",
		Long:    "Lists applications: all, or those of a TLD, for a name or in a status. RESERVED is the price that is set aside for one.",
		Example: "  cadastre launch applications --name shop.example --dev /tmp/cadastre\n  cadastre launch applications --status pendingValidation --json --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if status != "" {
				wanted, err := parseApplicationStatus(status)
				if err != nil {
					return err
				}
				request.Status = uint32(wanted)
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				documents, err := readApplications(ctx, client, request)
				if err != nil {
					return err
				}
				rows := [][]string{{"APPLICATION", "NAME", "REGISTRAR", "PHASE", "STATUS", "APPLIED", "YEARS", "RESERVED", "CODES", "MARKS"}}
				for _, d := range documents {
					rows = append(rows, []string{d.ID, d.Name, d.Registrar, d.Phase, strings.TrimSpace(d.Status + " " + d.StatusName), d.AppliedAt,
						fmt.Sprint(d.Years), d.Reserved, strings.Join(d.Codes, ","), unlessZero(uint64(d.Marks))})
				}
				return a.result(documents, table(rows))
			})
		},
	}
	cmd.Flags().StringVar(&request.Tld, "tld", "", "only those of the TLD")
	cmd.Flags().StringVar(&request.Name, "name", "", "only those for the name")
	cmd.Flags().StringVar(&status, "status", "", "only those in the status, such as pendingValidation")
	return cmd
}

func parseApplicationStatus(s string) (registry.ApplicationStatus, error) {
	for status := registry.ApplicationPendingValidation; status <= registry.ApplicationCustom; status++ {
		if status.String() == s {
			return status, nil
		}
	}
	return 0, &usageError{fmt.Sprintf("--status %s: want pendingValidation, validated, invalid, pendingAllocation, allocated, rejected or custom", s)}
}

func readApplications(ctx context.Context, client *admin, request *clusterpb.ApplicationsRequest) ([]applicationDocument, error) {
	stream, err := client.Applications(ctx, request)
	if err != nil {
		return nil, plainError(err)
	}
	documents := []applicationDocument{}
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, errBrokenOff
		}
		if err != nil {
			return nil, plainError(err)
		}
		for _, p := range chunk.GetApplications() {
			documents = append(documents, applicationDocument{
				ID: p.GetId(), Name: p.GetName(), Registrar: p.GetRegistrar(), Phase: p.GetPhase(),
				Status: registry.ApplicationStatus(p.GetStatus()).String(), StatusName: p.GetStatusName(),
				AppliedAt: instant(p.GetCreatedAtMs()), StatusAt: instant(p.GetStatusAtMs()), Registrant: p.GetRegistrant(), Years: p.GetPeriodYears(),
				Reserved: registry.FormatMinorUnits(p.GetPriceMinor()), Codes: append([]string{}, p.GetCodes()...), Marks: p.GetMarks(),
			})
		}
		if chunk.GetDone() {
			return documents, nil
		}
	}
}

// launchVerb moves applications to a status.
type launchVerb struct {
	use, short, long string
	status           registry.ApplicationStatus
}

func launchVerbs() []launchVerb {
	return []launchVerb{
		{"validate", "Find applications valid", "Finds that the proof that came with applications is good. They can be allocated then.", registry.ApplicationValidated},
		{"invalidate", "Find applications invalid", "Finds that the proof that came with applications is not good, and gives the price back. That is final.", registry.ApplicationInvalid},
		{"pend", "Let applications wait for their allocation", "Says that applications wait until the registry allocates names, such as after an auction.", registry.ApplicationPendingAllocation},
		{"hold", "Put applications into a status of your own", "Puts applications into a custom status with the name given by --as.", registry.ApplicationCustom},
		{"allocate", "Register the names that are applied for", "Registers the names of applications for their registrars, who pay now. Of several applications for a name one can be allocated.", registry.ApplicationAllocated},
		{"reject", "Reject applications", "Rejects applications and gives the price back. That is final.", registry.ApplicationRejected},
	}
}

func newLaunchDecideCommand(a *app, flags *connFlags, verb launchVerb) *cobra.Command {
	var reason, name string
	cmd := &cobra.Command{
		Use: verb.use + " APPLICATION…", Short: verb.short, Long: verb.long, Args: cobra.MinimumNArgs(1),
		Example: fmt.Sprintf("  cadastre launch %s AIFZ3WDKX5QQH2V4E-EXAMPLE --reason 'checked by hand' --dev /tmp/cadastre", verb.use),
		RunE: func(cmd *cobra.Command, ids []string) error {
			if verb.status == registry.ApplicationCustom && name == "" {
				return &usageError{"--as NAME is required"}
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				for _, id := range ids {
					result, err := client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_LaunchApplicationDecide{
						LaunchApplicationDecide: &fsmpb.LaunchApplicationDecide{ApplicationId: id, Status: uint32(verb.status), StatusName: name},
					}})
					if err != nil {
						return fmt.Errorf("%s: %w", id, err)
					}
					document := map[string]any{"id": id, "status": verb.status.String(), "roid": result.GetRoid(), "raft_index": result.GetIndex()}
					if err := a.result(document, fmt.Sprintf("Application %s is %s.", id, verb.status)); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; the registrar is told, and it is kept in the history")
	if verb.status == registry.ApplicationCustom {
		cmd.Flags().StringVar(&name, "as", "", "name of the status")
	}
	return cmd
}
