package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func newTLDApplyCommand(a *app, flags *connFlags) *cobra.Command {
	var (
		file, reason string
		yes, dryRun  bool
	)
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Make a TLD or change its policy",
		Long: `Compares the document with the policy in force, shows the difference and asks before it
changes anything. "-" reads the document from standard input, which needs --yes.`,
		Example: "  cadastre tld apply -f example.toml --dev /tmp/cadastre\n  cadastre tld apply -f example.toml --dry-run --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case file == "":
				return &usageError{"-f FILE is required"}
			case file == "-" && !yes && !dryRun:
				return &usageError{"-f - needs --yes, as the answer cannot come from standard input too"}
			}
			tld, err := a.readTLDFile(file)
			if err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				diff, err := tldDifference(ctx, client, tld)
				if err != nil {
					return err
				}
				if !a.json {
					if _, err := fmt.Fprint(a.stdout, joinLines(diff)); err != nil {
						return err
					}
				}
				if len(diff) == 0 || dryRun {
					return a.result(map[string]any{"tld": tld.Name, "difference": append([]string{}, diff...), "applied": false},
						fmt.Sprintf("%d lines differ; nothing was changed.", len(diff)))
				}
				if !yes {
					if err := a.confirm(fmt.Sprintf("Apply this to .%s?", tld.Name)); err != nil {
						return err
					}
				}
				result, err := applyTLD(ctx, client, tld, reason)
				if err != nil {
					return err
				}
				return a.result(map[string]any{"tld": tld.Name, "difference": diff, "applied": true, "raft_index": result.GetIndex()},
					fmt.Sprintf("Applied to .%s.", tld.Name))
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the policy document, TOML")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only show the difference")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	return cmd
}

func (a *app) readTLDFile(file string) (*registry.TLD, error) {
	if file == "-" {
		return readTLDDocument(a.stdin, "standard input")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the policy document: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	return readTLDDocument(f, file)
}

// tldDifference returns the lines by which the policy in force and the new one differ.
func tldDifference(ctx context.Context, client *admin, tld *registry.TLD) ([]string, error) {
	old := ""
	current, err := client.GetTLD(ctx, &clusterpb.GetTLDRequest{Name: string(tld.Name)})
	switch {
	case err == nil:
		if old, err = documentOfProto(current.GetName(), current.GetPolicy()).toml(); err != nil {
			return nil, err
		}
	case !errors.Is(plainError(err), registry.CodeObjectDoesNotExist):
		return nil, plainError(err)
	}
	wanted, err := documentOf(tld.Name, &tld.Policy).toml()
	if err != nil {
		return nil, err
	}
	return diffLines(old, wanted), nil
}

// applyTLD puts the policy into force.
func applyTLD(ctx context.Context, client *admin, tld *registry.TLD, reason string) (*fsmpb.Result, error) {
	return client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{
		Name: string(tld.Name), Roid: newROIDPart(), Policy: fsm.PolicyToProto(&tld.Policy),
	}}})
}

// newROIDPart returns the unique part of an object identifier.
func newROIDPart() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

var errDeclined = errors.New("nothing was changed")

// maxAnswerBytes bounds the line read as an answer.
const maxAnswerBytes = 1024

// confirm asks and returns an error unless the answer is yes.
func (a *app) confirm(question string) error {
	a.say("%s [y/N] ", question)
	line, err := bufio.NewReader(io.LimitReader(a.stdin, maxAnswerBytes)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return errDeclined
}

func joinLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}
