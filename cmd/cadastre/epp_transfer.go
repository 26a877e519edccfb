package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"cadastre/epp/eppxml"
)

// transferVerb is one operation of <transfer>.
type transferVerb struct {
	op          eppxml.TransferOp
	short, long string
}

func transferVerbs() []transferVerb {
	return []transferVerb{
		{eppxml.TransferRequest, "Ask for an object of another registrar", "Asks for an object of another registrar, with the authInfo that its holder gave you."},
		{eppxml.TransferQuery, "Show how a transfer stands", "Shows how the latest transfer of an object stands or ended. Its parties see it; others with --auth."},
		{eppxml.TransferApprove, "Let an object go", "Lets an object of yours go to the registrar that asked for it."},
		{eppxml.TransferReject, "Keep an object", "Keeps an object of yours that another registrar asked for."},
		{eppxml.TransferCancel, "Take a request back", "Takes your request for an object back."},
	}
}

func newEPPTransferCommand(a *app, flags *eppFlags) *cobra.Command {
	group := &cobra.Command{
		Use: "transfer", Short: "Move objects between registrars",
		Long: `Asks for a domain or contact of another registrar, answers such a request, or shows how it stands.
Without an answer the registry approves after the time that the TLD's policy sets.`,
		Example: `  cadastre epp --dev /tmp/cadastre -r registrar-b transfer request domain demo.example --auth SECRET --period 1y
  cadastre epp --dev /tmp/cadastre -r registrar-a transfer approve domain demo.example`,
	}
	for _, verb := range transferVerbs() {
		group.AddCommand(newEPPTransferVerb(a, flags, verb))
	}
	return group
}

func newEPPTransferVerb(a *app, flags *eppFlags, verb transferVerb) *cobra.Command {
	var auth, roid, period string
	extras := &eppExtras{}
	example := fmt.Sprintf("  cadastre epp --dev /tmp/cadastre transfer %s domain demo.example", verb.op)
	group := &cobra.Command{Use: string(verb.op), Short: verb.short, Long: verb.long, Example: example}
	authInfo := func() *eppxml.AuthInfo {
		given := optionalAuthInfo(auth)
		if given != nil {
			given.ROID = roid
		}
		return given
	}
	domain := &cobra.Command{
		Use: "domain NAME", Short: verb.short + " (domain)", Long: verb.long, Example: example, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePeriod(period)
			if err != nil {
				return err
			}
			return a.eppSend(cmd.Context(), flags, &eppxml.DomainTransfer{Op: verb.op, Name: args[0], Period: p, AuthInfo: authInfo()}, extras.common("transfer")...)
		},
	}
	contact := &cobra.Command{
		Use: "contact ID", Short: verb.short + " (contact)", Long: verb.long, Args: cobra.ExactArgs(1),
		Example: fmt.Sprintf("  cadastre epp --dev /tmp/cadastre transfer %s contact jd1", verb.op),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.eppSend(cmd.Context(), flags, &eppxml.ContactTransfer{Op: verb.op, ID: args[0], AuthInfo: authInfo()})
		},
	}
	group.PersistentFlags().StringVar(&auth, "auth", "", "authInfo of the object, or of a contact of the domain")
	group.PersistentFlags().StringVar(&roid, "auth-roid", "", "with --auth: object identifier of the contact that it belongs to")
	if verb.op == eppxml.TransferRequest {
		extras.registerFee(domain.Flags())
		extras.registerToken(domain.Flags())
		domain.Flags().StringVar(&period, "period", "", "what to add to the registration, such as 1y (default: a year)")
	}
	group.AddCommand(domain, contact)
	return group
}
