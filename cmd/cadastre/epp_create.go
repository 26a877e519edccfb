package main

import (
	"github.com/spf13/cobra"

	"cadastre/epp/eppxml"
)

func newEPPCreateCommand(a *app, flags *eppFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "create",
		Short:   "Create a domain, host, contact or organisation",
		Long:    "Creates an object. Without --auth a domain or contact gets a random authInfo, which is shown.",
		Example: "  cadastre epp --dev /tmp/cadastre create domain demo.example --ns ns1.host.invalid",
	}
	cmd.AddCommand(newEPPCreateDomainCommand(a, flags), newEPPCreateHostCommand(a, flags), newEPPCreateContactCommand(a, flags), newEPPCreateOrgCommand(a, flags))
	return cmd
}

func newEPPCreateDomainCommand(a *app, flags *eppFlags) *cobra.Command {
	var (
		period, registrant, auth string
		ns, contacts             []string
	)
	extras := &eppExtras{}
	cmd := &cobra.Command{
		Use:   "domain NAME",
		Short: "Register a domain",
		Long:  "Registers a domain. Its name servers and contacts must exist.",
		Example: "  cadastre epp --dev /tmp/cadastre create domain demo.example --period 2y --registrant jd1 --contact admin:jd1\n" +
			"  cadastre epp --dev /tmp/cadastre create domain demo.example --ds '12345 13 2 <DIGEST>' --fee 10.00 --currency EUR\n" +
			"  cadastre epp --dev /tmp/cadastre create domain demo.example --phase landrush --apply",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePeriod(period)
			if err != nil {
				return err
			}
			links, err := parseContacts("contact", contacts)
			if err != nil {
				return err
			}
			elements, err := extras.ofCreate()
			if err != nil {
				return err
			}
			return a.eppSend(cmd.Context(), flags, &eppxml.DomainCreate{
				Name: args[0], Period: p, NS: nameServers(ns), Registrant: registrant, Contacts: links, AuthInfo: a.authInfo(auth),
			}, elements...)
		},
	}
	f := cmd.Flags()
	f.StringVar(&period, "period", "", "how long, such as 1y (default: the TLD's)")
	f.StringSliceVar(&ns, "ns", nil, "name servers, by host name")
	f.StringVar(&registrant, "registrant", "", "contact id of the registrant")
	f.StringSliceVar(&contacts, "contact", nil, "other contact as ROLE:ID (repeatable)")
	f.StringVar(&auth, "auth", "", "authInfo (default: random)")
	f.StringArrayVar(&extras.ds, "ds", nil, "DS record as "+dsFormat+" (repeatable)")
	extras.registerFee(f)
	extras.registerToken(f)
	extras.registerPhase(f)
	f.BoolVar(&extras.apply, "apply", false, "with --phase: apply for the name (default: what the phase takes)")
	f.StringArrayVar(&extras.codes, "code", nil, "with --phase: code that proves your right to the name (repeatable)")
	f.StringArrayVar(&extras.notices, "notice", nil, "with --phase: claims notice as ID,NOTAFTER,ACCEPTED (repeatable)")
	return cmd
}

func newEPPCreateHostCommand(a *app, flags *eppFlags) *cobra.Command {
	var addresses []string
	cmd := &cobra.Command{
		Use:     "host NAME",
		Short:   "Create a host",
		Long:    "Creates a name server. One inside a TLD served here needs addresses, any other must have none.",
		Example: "  cadastre epp --dev /tmp/cadastre create host ns1.demo.example --ip 192.0.2.53",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			addrs, err := parseAddrs("ip", addresses)
			if err != nil {
				return err
			}
			return a.eppSend(cmd.Context(), flags, &eppxml.HostCreate{Name: args[0], Addrs: addrs})
		},
	}
	cmd.Flags().StringSliceVar(&addresses, "ip", nil, "IP addresses of the host")
	return cmd
}

func newEPPCreateContactCommand(a *app, flags *eppFlags) *cobra.Command {
	var (
		info               eppxml.PostalInfo
		voice, email, auth string
	)
	cmd := &cobra.Command{
		Use:     "contact ID",
		Short:   "Create a contact",
		Long:    "Creates a contact with one postal address.",
		Example: "  cadastre epp --dev /tmp/cadastre create contact jd1 --name 'Jane Doe' --city Berlin --cc DE --email jd@host.invalid",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if info.Name == "" || info.Addr.City == "" || info.Addr.CC == "" || email == "" {
				return &usageError{"--name, --city, --cc and --email are required"}
			}
			return a.eppSend(cmd.Context(), flags, &eppxml.ContactCreate{
				ID: args[0], PostalInfos: []eppxml.PostalInfo{info}, Voice: optionalPhone(voice), Email: email, AuthInfo: a.authInfo(auth),
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&info.Type, "type", eppxml.PostalInt, "int (ASCII) or loc")
	f.StringVar(&info.Name, "name", "", "name")
	f.StringVar(&info.Org, "org", "", "organisation")
	f.StringSliceVar(&info.Addr.Street, "street", nil, "street, up to three lines")
	f.StringVar(&info.Addr.City, "city", "", "city")
	f.StringVar(&info.Addr.SP, "sp", "", "state or province")
	f.StringVar(&info.Addr.PC, "pc", "", "postal code")
	f.StringVar(&info.Addr.CC, "cc", "", "country code")
	f.StringVar(&voice, "voice", "", "telephone, such as +49.301234567")
	f.StringVar(&email, "email", "", "e-mail address")
	f.StringVar(&auth, "auth", "", "authInfo (default: random)")
	return cmd
}
