package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

func newPremiumCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:   "premium",
		Short: "Load, list and remove premium names of a TLD",
		Long: `Premium names have prices of their own. A list may have any length; it stands beside the few that
a policy document can hold, and goes before them.`,
		Example: "  cadastre premium load -f premium.csv --tld example --dev /tmp/cadastre\n  cadastre premium list --tld example --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newPremiumLoadCommand(a, flags), newListLabelsCommand(a, flags, false), newRemoveLabelsCommand(a, flags, false))
	return cmd
}

func newPremiumLoadCommand(a *app, flags *connFlags) *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use:   "load -f FILE --tld TLD",
		Short: "Put names on the list, or change their prices",
		Long: `Reads lines of comma-separated values: label, price class, and the prices of a registration and a
renewal for a year and of a restore. Lines that begin with # are left out. All of it is checked
before any is sent; then batches of 500 are applied one after another, so that a load that is
broken off can be repeated. Labels that the file does not name stay as they are.`,
		Example: "  cadastre premium load -f premium.csv --tld example --dev /tmp/cadastre\n  echo gold,tier-1,500.00,500.00,80.00 | cadastre premium load -f - --tld example --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := list.require(true); err != nil {
				return err
			}
			names, err := a.readPremiumFile(list.file)
			if err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				return a.sendBatches(ctx, client, &list, len(names), "loaded", func(from, to int) *fsmpb.Command {
					return &fsmpb.Command{Body: &fsmpb.Command_PremiumLoad{PremiumLoad: &fsmpb.PremiumLoad{Tld: list.tld, Names: names[from:to]}}}
				})
			})
		},
	}
	list.register(cmd, true)
	return cmd
}

// premiumFields is how many values a line has.
const premiumFields = 5

func (a *app) readPremiumFile(file string) ([]*fsmpb.PremiumName, error) {
	in, closeFile, err := a.openList(file)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	reader := csv.NewReader(in)
	reader.FieldsPerRecord, reader.Comment, reader.TrimLeadingSpace = premiumFields, '#', true
	var names []*fsmpb.PremiumName
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w; a line is: label,class,create,renew,restore", file, err)
		}
		line, _ := reader.FieldPos(0)
		name, err := premiumOfRecord(record)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", file, line, err)
		}
		if len(names) == maxListNames {
			return nil, fmt.Errorf("%s: more than %d names; divide the file", file, maxListNames)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s names no label", file)
	}
	return names, nil
}

func premiumOfRecord(record []string) (*fsmpb.PremiumName, error) {
	name := &registry.PremiumName{Label: record[0], Class: record[1]}
	for i, minor := range []*int64{&name.CreatePriceMinor, &name.RenewPriceMinor, &name.RestorePriceMinor} {
		var err error
		if *minor, err = registry.ParseMinorUnits(record[2+i]); err != nil {
			return nil, err
		}
	}
	if err := policy.CheckPremiumName(name); err != nil {
		return nil, err
	}
	return &fsmpb.PremiumName{Label: name.Label, Class: name.Class, CreatePriceMinor: name.CreatePriceMinor, RenewPriceMinor: name.RenewPriceMinor, RestorePriceMinor: name.RestorePriceMinor}, nil
}
