package main

import (
	"github.com/spf13/cobra"

	"cadastre/idn"
)

type idnTableDocument struct {
	Tag     string `json:"tag"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

func newTLDTablesCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "tables",
		Short: "List the IDN tables that come with the program",
		Long: `Lists the tables of code points for internationalised names that a TLD can name by idn_tables
in its policy. Others are given there as text, by idn_custom_tables.`,
		Example: "  cadastre tld tables",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			rows := [][]string{{"TAG", "NAME", "VERSION"}}
			documents := []idnTableDocument{}
			for _, tag := range idn.BuiltinTags() {
				if t, found := idn.Builtin(tag); found {
					documents = append(documents, idnTableDocument{Tag: t.Tag, Name: t.Name, Version: t.Version})
					rows = append(rows, []string{t.Tag, t.Name, t.Version})
				}
			}
			return a.result(documents, table(rows))
		},
	}
}
