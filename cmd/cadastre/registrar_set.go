package main

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// registrarChange holds the flags of `registrar set`.
type registrarChange struct {
	name, email, url, state       string
	ianaID                        uint32
	password                      bool
	passwordFile                  string
	addCerts, removeFingerprints  []string
	addTLDs, removeTLDs           []string
	credit, deposit, changeReason string
	lowBalance                    string
	addSources, removeSources     []string
	addThin, removeThin           []string
	queryRate, transformRate      uint32
	public                        registrarPublicFlags
}

func newRegistrarSetCommand(a *app, flags *connFlags) *cobra.Command {
	var change registrarChange
	cmd := &cobra.Command{
		Use:     "set ID",
		Short:   "Change a registrar, or book money",
		Long:    "Changes what the flags name and leaves the rest.",
		Example: "  cadastre registrar set acme --deposit 1000.00 --dev /tmp/cadastre\n  cadastre registrar set acme --state suspended --reason 'unpaid' --dev /tmp/cadastre\n  cadastre registrar set acme --source 192.0.2.0/24 --add-epp-cert acme/next.crt --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			update, err := a.registrarUpdate(cmd, args[0], &change)
			if err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				result, err := client.execute(ctx, &fsmpb.Command{
					Reason: change.changeReason, Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: update},
				})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": args[0], "raft_index": result.GetIndex()}, fmt.Sprintf("Changed registrar %s.", args[0]))
			})
		},
	}
	f := cmd.Flags()
	change.public.register(f)
	f.StringVar(&change.name, "name", "", "name")
	f.StringVar(&change.email, "email", "", "e-mail address")
	f.StringVar(&change.url, "url", "", "web address")
	f.Uint32Var(&change.ianaID, "iana-id", 0, "number in IANA's registrar list")
	f.StringVar(&change.state, "state", "", "active; suspended: may read and poll but change nothing; or disabled: may not log in")
	f.BoolVar(&change.password, "password", false, "ask for a new EPP password")
	f.StringVar(&change.passwordFile, "password-file", "", "file whose first line is the new EPP password")
	f.StringSliceVar(&change.addCerts, "add-epp-cert", nil, "EPP client certificate to add, PEM (repeatable)")
	f.StringSliceVar(&change.removeFingerprints, "remove-epp-cert", nil, "SHA-256 of a certificate to remove (repeatable)")
	f.StringSliceVar(&change.addTLDs, "add-tld", nil, "TLD to accredit for (repeatable)")
	f.StringSliceVar(&change.removeTLDs, "remove-tld", nil, "TLD to take away (repeatable)")
	f.StringSliceVar(&change.addThin, "add-thin-tld", nil, "TLD of the data model per-registrar where its domains have no contacts (repeatable)")
	f.StringSliceVar(&change.removeThin, "remove-thin-tld", nil, "TLD where its domains have contacts again (repeatable)")
	f.StringSliceVar(&change.addSources, "source", nil, "network that it may log in from, such as 192.0.2.0/24; with none left, from anywhere (repeatable)")
	f.StringSliceVar(&change.removeSources, "remove-source", nil, "network to take away (repeatable)")
	f.Uint32Var(&change.queryRate, "query-rate", 0, "queries a second on one node; 0: what the node allows all")
	f.Uint32Var(&change.transformRate, "transform-rate", 0, "transforms a second on one node; 0: what the node allows all")
	f.StringVar(&change.credit, "credit-limit", "", "how far the account may go below zero")
	f.StringVar(&change.lowBalance, "low-balance", "", "tell the registrar when the balance falls below this; 0: never")
	f.StringVar(&change.deposit, "deposit", "", "money paid in, or out if negative")
	f.StringVar(&change.changeReason, "reason", "", "why; kept in the history")
	return cmd
}

// parseRegistrarState reads a state; nil stands for none given.
func parseRegistrarState(text string) (*uint32, error) {
	if text == "" {
		return nil, nil
	}
	for _, state := range []registry.RegistrarState{registry.RegistrarActive, registry.RegistrarSuspended, registry.RegistrarDisabled} {
		if state.String() == text {
			number := uint32(state)
			return &number, nil
		}
	}
	return nil, &usageError{fmt.Sprintf("--state %s: want active, suspended or disabled", text)}
}

// registrarUpdate turns the flags that were given into a command.
func (a *app) registrarUpdate(cmd *cobra.Command, id string, c *registrarChange) (*fsmpb.RegistrarUpdate, error) {
	update := &fsmpb.RegistrarUpdate{
		Id: id, AddTlds: c.addTLDs, RemoveTlds: c.removeTLDs, AddThinTlds: c.addThin, RemoveThinTlds: c.removeThin,
		AddSources: c.addSources, RemoveSources: c.removeSources,
	}
	given := cmd.Flags().Changed
	update.Public = c.public.message(given)
	for flag, field := range map[string]struct {
		value *string
		into  **string
	}{"name": {&c.name, &update.Name}, "email": {&c.email, &update.Email}, "url": {&c.url, &update.Url}} {
		if given(flag) {
			*field.into = field.value
		}
	}
	for flag, field := range map[string]struct {
		value *uint32
		into  **uint32
	}{"query-rate": {&c.queryRate, &update.QueryRate}, "transform-rate": {&c.transformRate, &update.TransformRate}, "iana-id": {&c.ianaID, &update.IanaId}} {
		if given(flag) {
			*field.into = field.value
		}
	}
	for flag, field := range map[string]struct {
		text string
		into **int64
	}{"credit-limit": {c.credit, &update.CreditLimitMinor}, "deposit": {c.deposit, &update.DepositMinor}, "low-balance": {c.lowBalance, &update.LowBalanceMinor}} {
		if given(flag) {
			minor, err := registry.ParseMinorUnits(field.text)
			if err != nil {
				return nil, fmt.Errorf("--%s: %w", flag, err)
			}
			*field.into = &minor
		}
	}
	var err error
	if update.State, err = parseRegistrarState(c.state); err != nil {
		return nil, err
	}
	if update.State != nil && registry.RegistrarState(update.GetState()) == registry.RegistrarDisabled {
		update.State, update.Disable = nil, true
	}
	if c.password || c.passwordFile != "" {
		password, err := a.readPassword(c.passwordFile)
		if err != nil {
			return nil, err
		}
		hash := hashPassword(password)
		update.PasswordHash = &hash
	}
	if update.AddCertificateSha256, err = readFingerprints(c.addCerts); err != nil {
		return nil, err
	}
	for _, text := range c.removeFingerprints {
		fingerprint, err := hex.DecodeString(text)
		if err != nil {
			return nil, &usageError{fmt.Sprintf("--remove-epp-cert %s: want the SHA-256 in hexadecimal", text)}
		}
		update.RemoveCertificateSha256 = append(update.RemoveCertificateSha256, fingerprint)
	}
	return update, nil
}
