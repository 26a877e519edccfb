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
}

func newRegistrarSetCommand(a *app, flags *connFlags) *cobra.Command {
	var change registrarChange
	cmd := &cobra.Command{
		Use:     "set ID",
		Short:   "Change a registrar, or book money",
		Long:    "Changes what the flags name and leaves the rest.",
		Example: "  cadastre registrar set acme --deposit 1000.00 --dev /tmp/cadastre\n  cadastre registrar set acme --state suspended --reason 'unpaid' --dev /tmp/cadastre",
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
	f.StringVar(&change.name, "name", "", "name")
	f.StringVar(&change.email, "email", "", "e-mail address")
	f.StringVar(&change.url, "url", "", "web address")
	f.Uint32Var(&change.ianaID, "iana-id", 0, "number in IANA's registrar list")
	f.StringVar(&change.state, "state", "", "active, or suspended: may read but change nothing")
	f.BoolVar(&change.password, "password", false, "ask for a new EPP password")
	f.StringVar(&change.passwordFile, "password-file", "", "file whose first line is the new EPP password")
	f.StringSliceVar(&change.addCerts, "add-epp-cert", nil, "EPP client certificate to add, PEM (repeatable)")
	f.StringSliceVar(&change.removeFingerprints, "remove-epp-cert", nil, "SHA-256 of a certificate to remove (repeatable)")
	f.StringSliceVar(&change.addTLDs, "add-tld", nil, "TLD to accredit for (repeatable)")
	f.StringSliceVar(&change.removeTLDs, "remove-tld", nil, "TLD to take away (repeatable)")
	f.StringVar(&change.credit, "credit-limit", "", "how far the account may go below zero")
	f.StringVar(&change.lowBalance, "low-balance", "", "tell the registrar when the balance falls below this; 0: never")
	f.StringVar(&change.deposit, "deposit", "", "money paid in, or out if negative")
	f.StringVar(&change.changeReason, "reason", "", "why; kept in the history")
	return cmd
}

// registrarUpdate turns the flags that were given into a command.
func (a *app) registrarUpdate(cmd *cobra.Command, id string, c *registrarChange) (*fsmpb.RegistrarUpdate, error) {
	update := &fsmpb.RegistrarUpdate{Id: id, AddTlds: c.addTLDs, RemoveTlds: c.removeTLDs}
	given := cmd.Flags().Changed
	for flag, field := range map[string]struct {
		value *string
		into  **string
	}{"name": {&c.name, &update.Name}, "email": {&c.email, &update.Email}, "url": {&c.url, &update.Url}} {
		if given(flag) {
			*field.into = field.value
		}
	}
	if given("iana-id") {
		update.IanaId = &c.ianaID
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
	switch c.state {
	case "":
	case "active", "suspended":
		state := uint32(registry.RegistrarActive)
		if c.state == "suspended" {
			state = uint32(registry.RegistrarSuspended)
		}
		update.State = &state
	default:
		return nil, &usageError{fmt.Sprintf("--state %s: want active or suspended", c.state)}
	}
	if c.password || c.passwordFile != "" {
		password, err := a.readPassword(c.passwordFile)
		if err != nil {
			return nil, err
		}
		hash := hashPassword(password)
		update.PasswordHash = &hash
	}
	var err error
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
