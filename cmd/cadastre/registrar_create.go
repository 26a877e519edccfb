package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// registrarSpec is what a new registrar is made from.
type registrarSpec struct {
	id, name, email, url     string
	ianaID                   uint32
	password                 string
	certificates, tlds       []string
	currency, credit, amount string
	lowBalance               string
	sources, thinTLDs        []string
	queryRate, transformRate uint32
	public                   registrarPublicFlags
	publicMessage            *fsmpb.RegistrarPublic
	reason                   string
}

func newRegistrarCreateCommand(a *app, flags *connFlags) *cobra.Command {
	var (
		spec         registrarSpec
		passwordFile string
	)
	cmd := &cobra.Command{
		Use:   "create ID",
		Short: "Create a registrar",
		Long: `Creates a registrar. Its certificate comes from "cadastre ca registrar"; its password from a
file, or it is asked for.`,
		Example: `  cadastre registrar create acme --name 'Acme Ltd' --email epp@acme.test --epp-cert acme/acme.crt \
    --password-file pw --tld example --deposit 500.00 --dev /tmp/cadastre`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.id = args[0]
			spec.publicMessage = spec.public.message(cmd.Flags().Changed)
			var err error
			if spec.password, err = a.readPassword(passwordFile); err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				result, err := createRegistrar(ctx, client, &spec)
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": spec.id, "roid": result.GetRoid(), "raft_index": result.GetIndex()},
					fmt.Sprintf("Created registrar %s (%s).", spec.id, result.GetRoid()))
			})
		},
	}
	f := cmd.Flags()
	spec.public.register(f)
	f.StringVar(&spec.name, "name", "", "name (default: the id)")
	f.StringVar(&spec.email, "email", "", "e-mail address")
	f.StringVar(&spec.url, "url", "", "web address")
	f.Uint32Var(&spec.ianaID, "iana-id", 0, "number in IANA's registrar list")
	f.StringVar(&passwordFile, "password-file", "", "file whose first line is the EPP password (default: ask)")
	f.StringSliceVar(&spec.certificates, "epp-cert", nil, "EPP client certificate, PEM (repeatable)")
	f.StringSliceVar(&spec.tlds, "tld", nil, "TLD that it may register in (repeatable)")
	f.StringSliceVar(&spec.thinTLDs, "thin-tld", nil, "TLD of the data model per-registrar where its domains have no contacts (repeatable)")
	f.StringSliceVar(&spec.sources, "source", nil, "network that it may log in from, such as 192.0.2.0/24 (repeatable; default: any)")
	f.Uint32Var(&spec.queryRate, "query-rate", 0, "queries a second on one node; 0: what the node allows all")
	f.Uint32Var(&spec.transformRate, "transform-rate", 0, "transforms a second on one node; 0: what the node allows all")
	f.StringVar(&spec.currency, "currency", "EUR", "currency of its account")
	f.StringVar(&spec.credit, "credit-limit", "0.00", "how far the account may go below zero")
	f.StringVar(&spec.lowBalance, "low-balance", "0.00", "tell the registrar when the balance falls below this; 0: never")
	f.StringVar(&spec.amount, "deposit", "0.00", "opening deposit")
	f.StringVar(&spec.reason, "reason", "", "why; kept in the history")
	return cmd
}

// createRegistrar makes the registrar.
func createRegistrar(ctx context.Context, client *admin, spec *registrarSpec) (*fsmpb.Result, error) {
	fingerprints, err := readFingerprints(spec.certificates)
	if err != nil {
		return nil, err
	}
	credit, err := registry.ParseMinorUnits(spec.credit)
	if err != nil {
		return nil, fmt.Errorf("--credit-limit: %w", err)
	}
	deposit, err := registry.ParseMinorUnits(spec.amount)
	if err != nil {
		return nil, fmt.Errorf("--deposit: %w", err)
	}
	lowBalance, err := registry.ParseMinorUnits(firstNonEmpty(spec.lowBalance, "0"))
	if err != nil {
		return nil, fmt.Errorf("--low-balance: %w", err)
	}
	return client.execute(ctx, &fsmpb.Command{Reason: spec.reason, Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
		Id: spec.id, Name: firstNonEmpty(spec.name, spec.id), Email: spec.email, Url: spec.url, IanaId: spec.ianaID,
		PasswordHash: hashPassword(spec.password), CertificateSha256: fingerprints, Tlds: spec.tlds,
		Currency: spec.currency, CreditLimitMinor: credit, OpeningDepositMinor: deposit, LowBalanceMinor: lowBalance, Roid: newROIDPart(),
		Sources: spec.sources, ThinTlds: spec.thinTLDs, QueryRate: spec.queryRate, TransformRate: spec.transformRate, Public: spec.publicMessage,
	}}})
}
