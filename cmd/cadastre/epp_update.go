package main

import (
	"github.com/spf13/cobra"

	"cadastre/epp/eppxml"
)

func newEPPUpdateCommand(a *app, flags *eppFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "update",
		Short:   "Change a domain, host or contact",
		Long:    "Changes what the flags name and leaves the rest.",
		Example: "  cadastre epp --dev /tmp/cadastre update domain demo.example --add-ns ns1.demo.example",
	}
	cmd.AddCommand(newEPPUpdateDomainCommand(a, flags), newEPPUpdateHostCommand(a, flags), newEPPUpdateContactCommand(a, flags))
	return cmd
}

func newEPPUpdateDomainCommand(a *app, flags *eppFlags) *cobra.Command {
	var (
		addNS, remNS, addStatus, remStatus, addContact, remContact []string
		registrant, auth                                           string
		addDS, remDS                                               []string
		remAllDS                                                   bool
	)
	extras := &eppExtras{}
	cmd := &cobra.Command{
		Use:   "domain NAME",
		Short: "Change a domain",
		Long: `Changes name servers, contacts, statuses, DS records, the registrant or the authInfo of a domain,
or of an application that is named by --phase and --application.`,
		Example: "  cadastre epp --dev /tmp/cadastre update domain demo.example --add-ns ns1.demo.example --add-status clientHold",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			update := &eppxml.DomainUpdate{Name: args[0]}
			for _, part := range []struct {
				flag                 string
				ns, status, contacts []string
				into                 **eppxml.DomainAddRem
			}{
				{"add-contact", addNS, addStatus, addContact, &update.Add}, {"rem-contact", remNS, remStatus, remContact, &update.Rem},
			} {
				contacts, err := parseContacts(part.flag, part.contacts)
				if err != nil {
					return err
				}
				if len(part.ns)+len(part.status)+len(contacts) > 0 {
					*part.into = &eppxml.DomainAddRem{NS: nameServers(part.ns), Contacts: contacts, Statuses: statuses(part.status)}
				}
			}
			if cmd.Flags().Changed("registrant") || auth != "" {
				update.Chg = &eppxml.DomainChg{AuthInfo: optionalAuthInfo(auth)}
				if cmd.Flags().Changed("registrant") {
					update.Chg.Registrant = &registrant
				}
			}
			elements, err := extras.ofApplication(eppxml.AppendLaunchUpdate)
			if err != nil {
				return err
			}
			security, err := updateOfDS(addDS, remDS, remAllDS)
			if err != nil {
				return err
			}
			return a.eppSend(cmd.Context(), flags, update, append(elements, security...)...)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&addDS, "add-ds", nil, "DS record to add, as "+dsFormat+" (repeatable)")
	f.StringArrayVar(&remDS, "rem-ds", nil, "DS record to remove (repeatable)")
	f.BoolVar(&remAllDS, "rem-all-ds", false, "remove all DS records and keys")
	extras.registerApplication(f)
	f.StringSliceVar(&addNS, "add-ns", nil, "name servers to add")
	f.StringSliceVar(&remNS, "rem-ns", nil, "name servers to remove")
	f.StringSliceVar(&addStatus, "add-status", nil, "statuses to add")
	f.StringSliceVar(&remStatus, "rem-status", nil, "statuses to remove")
	f.StringSliceVar(&addContact, "add-contact", nil, "contacts to add, as ROLE:ID")
	f.StringSliceVar(&remContact, "rem-contact", nil, "contacts to remove, as ROLE:ID")
	f.StringVar(&registrant, "registrant", "", "new registrant; empty removes it")
	f.StringVar(&auth, "auth", "", "new authInfo")
	return cmd
}

// updateOfDS returns the element that changes DS records, none if nothing changes.
func updateOfDS(add, remove []string, removeAll bool) ([][]byte, error) {
	if removeAll && len(remove) > 0 {
		return nil, &usageError{"give --rem-ds or --rem-all-ds, not both"}
	}
	update := &eppxml.SecDNSUpdate{}
	added, err := parseDS("add-ds", add)
	if err != nil {
		return nil, err
	}
	removed, err := parseDS("rem-ds", remove)
	if err != nil {
		return nil, err
	}
	switch {
	case removeAll:
		update.Rem = &eppxml.SecDNSRem{All: &removeAll}
	case len(removed) > 0:
		update.Rem = &eppxml.SecDNSRem{DS: removed}
	}
	if len(added) > 0 {
		update.Add = &eppxml.SecDNS{DS: added}
	}
	if update.Rem == nil && update.Add == nil {
		return nil, nil
	}
	return [][]byte{eppxml.AppendSecDNSUpdate(nil, update)}, nil
}

func newEPPUpdateHostCommand(a *app, flags *eppFlags) *cobra.Command {
	var (
		addAddr, remAddr, addStatus, remStatus []string
		newName                                string
	)
	cmd := &cobra.Command{
		Use:     "host NAME",
		Short:   "Change a host",
		Long:    "Changes addresses, statuses or the name of a host.",
		Example: "  cadastre epp --dev /tmp/cadastre update host ns1.demo.example --add-addr 192.0.2.54",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			update := &eppxml.HostUpdate{Name: args[0], NewName: newName}
			for _, part := range []struct {
				flag         string
				addr, status []string
				into         **eppxml.HostAddRem
			}{{"add-addr", addAddr, addStatus, &update.Add}, {"rem-addr", remAddr, remStatus, &update.Rem}} {
				addrs, err := parseAddrs(part.flag, part.addr)
				if err != nil {
					return err
				}
				if len(addrs)+len(part.status) > 0 {
					*part.into = &eppxml.HostAddRem{Addrs: addrs, Statuses: statuses(part.status)}
				}
			}
			return a.eppSend(cmd.Context(), flags, update)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&addAddr, "add-addr", nil, "IP addresses to add")
	f.StringSliceVar(&remAddr, "rem-addr", nil, "IP addresses to remove")
	f.StringSliceVar(&addStatus, "add-status", nil, "statuses to add")
	f.StringSliceVar(&remStatus, "rem-status", nil, "statuses to remove")
	f.StringVar(&newName, "new-name", "", "new name")
	return cmd
}

func newEPPUpdateContactCommand(a *app, flags *eppFlags) *cobra.Command {
	var (
		addStatus, remStatus []string
		voice, email, auth   string
	)
	cmd := &cobra.Command{
		Use:     "contact ID",
		Short:   "Change a contact",
		Long:    "Changes statuses, telephone, e-mail address or authInfo of a contact.",
		Example: "  cadastre epp --dev /tmp/cadastre update contact jd1 --email new@host.invalid",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			update := &eppxml.ContactUpdate{ID: args[0], Add: statuses(addStatus), Rem: statuses(remStatus)}
			if voice+email+auth != "" {
				update.Chg = &eppxml.ContactChg{Voice: optionalPhone(voice), Email: email, AuthInfo: optionalAuthInfo(auth)}
			}
			return a.eppSend(cmd.Context(), flags, update)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&addStatus, "add-status", nil, "statuses to add")
	f.StringSliceVar(&remStatus, "rem-status", nil, "statuses to remove")
	f.StringVar(&voice, "voice", "", "new telephone, such as +49.301234567")
	f.StringVar(&email, "email", "", "new e-mail address")
	f.StringVar(&auth, "auth", "", "new authInfo")
	return cmd
}
