package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cadastre/epp/eppxml"
)

// eppObjects is a verb that needs nothing but the names of objects.
type eppObjects struct {
	verb, short, long, example string
	many                       bool
	bodies                     map[string]func(names []string) eppxml.Body
	// register adds flags to the command on domains, and elements says what they add.
	register func(cmd *cobra.Command)
	elements func() ([][]byte, error)
}

// newEPPObjectsCommand makes VERB domain|host|contact|org NAME.
func newEPPObjectsCommand(a *app, flags *eppFlags, o eppObjects) *cobra.Command {
	group := &cobra.Command{Use: o.verb, Short: o.short, Long: o.long, Example: o.example}
	for _, kind := range []string{"domain", "host", "contact", "org"} {
		body := o.bodies[kind]
		use, args := kind+" NAME", cobra.ExactArgs(1)
		if o.many {
			use, args = kind+" NAME…", cobra.MinimumNArgs(1)
		}
		cmd := &cobra.Command{
			Use: use, Short: fmt.Sprintf("%s (%s)", o.short, kind), Long: o.long, Example: o.example, Args: args,
			RunE: func(cmd *cobra.Command, names []string) error {
				if kind != "domain" {
					return a.eppSend(cmd.Context(), flags, body(names))
				}
				elements, err := o.elements()
				if err != nil {
					return err
				}
				return a.eppSend(cmd.Context(), flags, body(names), elements...)
			},
		}
		if kind == "domain" {
			o.register(cmd)
		}
		group.AddCommand(cmd)
	}
	return group
}

func newEPPCheckCommand(a *app, flags *eppFlags) *cobra.Command {
	extras := &eppExtras{}
	return newEPPObjectsCommand(a, flags, eppObjects{
		elements: extras.ofCheck,
		register: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringSliceVar(&extras.fees, "fees", nil, "commands whose fees you want to know, such as create,renew")
			f.StringVar(&extras.currency, "currency", "", "with --fees: the currency that you want")
			extras.registerToken(f)
			extras.registerPhase(f)
			f.BoolVar(&extras.claims, "claims", false, "with --phase: ask for trademark claims instead")
		},
		verb: "check", short: "Ask whether names can be registered", many: true,
		long:    "Asks whether objects of the names could be created now.",
		example: "  cadastre epp --dev /tmp/cadastre check domain demo.example other.example",
		bodies: map[string]func([]string) eppxml.Body{
			"domain":  func(names []string) eppxml.Body { return &eppxml.DomainCheck{Names: names} },
			"host":    func(names []string) eppxml.Body { return &eppxml.HostCheck{Names: names} },
			"contact": func(names []string) eppxml.Body { return &eppxml.ContactCheck{IDs: names} },
			"org":     func(names []string) eppxml.Body { return &eppxml.OrgCheck{IDs: names} },
		},
	})
}

func newEPPDeleteCommand(a *app, flags *eppFlags) *cobra.Command {
	extras := &eppExtras{}
	return newEPPObjectsCommand(a, flags, eppObjects{
		elements: func() ([][]byte, error) { return extras.ofApplication(eppxml.AppendLaunchDelete) },
		register: func(cmd *cobra.Command) { extras.registerApplication(cmd.Flags()) },
		verb:     "delete", short: "Delete an object",
		long:    "Deletes an object that you sponsor, or withdraws the application that --phase and --application name.",
		example: "  cadastre epp --dev /tmp/cadastre delete domain demo.example",
		bodies: map[string]func([]string) eppxml.Body{
			"domain":  func(names []string) eppxml.Body { return &eppxml.DomainDelete{Name: names[0]} },
			"host":    func(names []string) eppxml.Body { return &eppxml.HostDelete{Name: names[0]} },
			"contact": func(names []string) eppxml.Body { return &eppxml.ContactDelete{ID: names[0]} },
			"org":     func(names []string) eppxml.Body { return &eppxml.OrgDelete{ID: names[0]} },
		},
	})
}

func newEPPInfoCommand(a *app, flags *eppFlags) *cobra.Command {
	var auth string
	extras := &eppExtras{}
	cmd := newEPPObjectsCommand(a, flags, eppObjects{
		elements: extras.ofInfo,
		register: func(cmd *cobra.Command) {
			extras.registerApplication(cmd.Flags())
			cmd.Flags().BoolVar(&extras.mark, "include-mark", false, "with --application: show its marks")
		},
		verb: "info", short: "Show an object",
		long:    "Shows an object. With --auth what only its sponsor sees.",
		example: "  cadastre epp --dev /tmp/cadastre info domain demo.example",
		bodies: map[string]func([]string) eppxml.Body{
			"domain": func(names []string) eppxml.Body {
				return &eppxml.DomainInfo{Name: names[0], AuthInfo: optionalAuthInfo(auth)}
			},
			"host": func(names []string) eppxml.Body { return &eppxml.HostInfo{Name: names[0]} },
			"contact": func(names []string) eppxml.Body {
				return &eppxml.ContactInfo{ID: names[0], AuthInfo: optionalAuthInfo(auth)}
			},
			"org": func(names []string) eppxml.Body { return &eppxml.OrgInfo{ID: names[0]} },
		},
	})
	cmd.PersistentFlags().StringVar(&auth, "auth", "", "authInfo of the object")
	return cmd
}

func newEPPRenewCommand(a *app, flags *eppFlags) *cobra.Command {
	group := &cobra.Command{
		Use: "renew", Short: "Renew a domain", Long: "Extends the registration of a domain.",
		Example: "  cadastre epp --dev /tmp/cadastre renew domain demo.example --expires 2027-06-01 --period 1y",
	}
	var expires, period string
	extras := &eppExtras{}
	cmd := &cobra.Command{
		Use: "domain NAME", Short: "Renew a domain", Args: cobra.ExactArgs(1), Example: group.Example,
		Long: "Extends the registration of a domain. --expires is the expiry that you know of, so that sending it twice renews once.",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parsePeriod(period)
			if err != nil {
				return err
			}
			day, err := time.Parse(time.DateOnly, expires)
			if err != nil {
				return &usageError{fmt.Sprintf("--expires %q: want the present expiry date, such as 2027-06-01", expires)}
			}
			return a.eppSend(cmd.Context(), flags, &eppxml.DomainRenew{Name: args[0], CurExpDate: day, Period: p}, extras.common("renew")...)
		},
	}
	extras.registerFee(cmd.Flags())
	cmd.Flags().StringVar(&expires, "expires", "", "present expiry date, YYYY-MM-DD")
	cmd.Flags().StringVar(&period, "period", "", "by how long, such as 1y (default: the TLD's)")
	group.AddCommand(cmd)
	return group
}
