package main

import (
	"github.com/spf13/cobra"

	"cadastre/epp/eppxml"
)

func newEPPCreateOrgCommand(a *app, flags *eppFlags) *cobra.Command {
	var (
		roles, contacts          []string
		parent, name, email, url string
		postalType               string
	)
	cmd := &cobra.Command{
		Use:     "org ID",
		Short:   "Create an organisation",
		Long:    "Creates an organisation, such as a reseller (RFC 8543).",
		Example: "  cadastre epp --dev /tmp/cadastre create org res1 --role reseller --name 'Example Resale' --contact admin:jd1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(roles) == 0 {
				return &usageError{"--role is required: registrar, reseller, privacyproxy or dns-operator"}
			}
			create := &eppxml.OrgCreate{ID: args[0], Parent: parent, Email: email}
			for _, role := range roles {
				create.Roles = append(create.Roles, eppxml.OrgRole{Type: role})
			}
			if name != "" {
				create.PostalInfos = []eppxml.OrgPostalInfo{{Type: postalType, Name: name}}
			}
			if url != "" {
				create.URL = &url
			}
			links, err := parseContacts("contact", contacts)
			if err != nil {
				return err
			}
			for _, link := range links {
				create.Contacts = append(create.Contacts, eppxml.OrgContact{Type: link.Type, ID: link.ID})
			}
			return a.eppSend(cmd.Context(), flags, create)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&roles, "role", nil, "registrar, reseller, privacyproxy or dns-operator (repeatable)")
	f.StringVar(&parent, "parent", "", "id of the organisation above")
	f.StringVar(&postalType, "type", eppxml.PostalInt, "form of the name: int (ASCII) or loc")
	f.StringVar(&name, "name", "", "name")
	f.StringVar(&email, "email", "", "e-mail address")
	f.StringVar(&url, "url", "", "web page")
	f.StringSliceVar(&contacts, "contact", nil, "contact as TYPE:ID (repeatable)")
	return cmd
}
