package main

import (
	"github.com/spf13/cobra"

	"cadastre/epp/eppxml"
)

func newEPPRestoreCommand(a *app, flags *eppFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Call a deleted domain back",
		Long: `Calls a domain back from its redemption period (RFC 3915): a request, which costs the price
of a restore, and then the report that explains it.`,
		Example: "  cadastre epp --dev /tmp/cadastre restore request domain demo.example --fee 40.00",
	}
	cmd.AddCommand(newEPPRestoreRequestCommand(a, flags), newEPPRestoreReportCommand(a, flags))
	return cmd
}

func newEPPRestoreRequestCommand(a *app, flags *eppFlags) *cobra.Command {
	extras := &eppExtras{}
	group := &cobra.Command{
		Use: "request", Short: "Ask for a restore", Long: "Asks for the restore of a domain in its redemption period.",
		Example: "  cadastre epp --dev /tmp/cadastre restore request domain demo.example",
	}
	domain := &cobra.Command{
		Use: "domain NAME", Short: "Ask for the restore of a domain", Long: group.Long, Example: group.Example, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			elements := append([][]byte{eppxml.AppendRGPUpdate(nil, &eppxml.RGPRestore{Op: eppxml.RestoreRequest})}, extras.common("update")...)
			return a.eppSend(cmd.Context(), flags, &eppxml.DomainUpdate{Name: args[0], Chg: &eppxml.DomainChg{}}, elements...)
		},
	}
	extras.registerFee(domain.Flags())
	group.AddCommand(domain)
	return group
}

func newEPPRestoreReportCommand(a *app, flags *eppFlags) *cobra.Command {
	var deleted, restored string
	report := &eppxml.RGPReport{}
	group := &cobra.Command{
		Use: "report", Short: "Explain a restore", Long: "Sends the report without which a restore lapses.",
		Example: `  cadastre epp --dev /tmp/cadastre restore report domain demo.example --deleted 2027-03-01 --restored 2027-03-05 \
    --reason 'deleted by mistake' --pre 'ns1.host.invalid' --post 'ns1.host.invalid' --statement 'The registrant asked for it.'`,
	}
	domain := &cobra.Command{
		Use: "domain NAME", Short: "Explain the restore of a domain", Long: group.Long, Example: group.Example, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if report.DelTime, err = parseInstant("deleted", deleted); err != nil {
				return err
			}
			if report.ResTime, err = parseInstant("restored", restored); err != nil {
				return err
			}
			element := eppxml.AppendRGPUpdate(nil, &eppxml.RGPRestore{Op: eppxml.RestoreReport, Report: report})
			return a.eppSend(cmd.Context(), flags, &eppxml.DomainUpdate{Name: args[0], Chg: &eppxml.DomainChg{}}, element)
		},
	}
	f := domain.Flags()
	f.StringVar(&deleted, "deleted", "", "when the domain was deleted, such as 2027-03-01T12:00:00Z or a date")
	f.StringVar(&restored, "restored", "", "when the restore was requested")
	f.StringVar(&report.ResReason, "reason", "", "why it is restored")
	f.StringVar(&report.PreData, "pre", "", "registration data before the deletion")
	f.StringVar(&report.PostData, "post", "", "registration data after the restore")
	f.StringArrayVar(&report.Statements, "statement", nil, "what you state to the registry (repeatable)")
	f.StringVar(&report.Other, "other", "", "anything else")
	group.AddCommand(domain)
	return group
}
