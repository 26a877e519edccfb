package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1 // refused or failed
	exitUsage = 2 // the command line is wrong
)

// app is what every verb works with.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// json asks for output for machines.
	json bool
	// started says that the command line was right and the verb runs.
	started bool
}

// usageError is returned by a verb that finds its command line wrong.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

// exitStatusError ends the program with the status, saying nothing more.
type exitStatusError struct{ status int }

func (e *exitStatusError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := newRoot(a)
	root.SetArgs(normalizeArgs(args))
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if silent, ok := errors.AsType[*exitStatusError](err); ok {
		return silent.status
	}
	_, wrongUsage := errors.AsType[*usageError](err)
	a.say("cadastre: %s\n", oneLine(err))
	if wrongUsage || !a.started {
		a.say("See: %s --help\n", cmd.CommandPath())
		return exitUsage
	}
	return exitError
}

// oneLine keeps joined errors on one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// normalizeArgs admits the long options -config and -help with one dash.
func normalizeArgs(args []string) []string {
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if arg == "-config" || strings.HasPrefix(arg, "-config=") || arg == "-help" {
			arg = "-" + arg
		}
		out = append(out, arg)
	}
	return out
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "cadastre",
		Short: "A domain registry replicated by Raft",
		Long: `Cadastre runs a top-level-domain registry: EPP for registrars, authoritative DNS and
WHOIS, replicated on every node of a cluster.

Start with a whole cluster on this machine: cadastre dev --dir /tmp/cadastre`,
		Example:       "  cadastre dev --dir /tmp/cadastre\n  cadastre server --config /etc/cadastre/node.toml",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       buildVersion(),
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON for machines")
	root.AddCommand(
		newServerCommand(a), newDevCommand(a), newDemoCommand(a), newEPPCommand(a),
		newCACommand(a), newClusterCommand(a), newTLDCommand(a), newPremiumCommand(a), newReservedCommand(a), newRegistrarCommand(a), newTokenCommand(a), newLaunchCommand(a), newClockCommand(a),
		newBackupCommand(a), newRestoreCommand(a), newNodeCommand(a),
	)
	root.AddCommand(newObjectCommands(a)...)
	root.AddCommand(newHistoryCommand(a), newShowCommand(a), newMaintenanceCommand(a), newDisclosureCommand(a), newOperatorCommand(a), newGossipCommand(a), newKeyCommand(a))
	root.AddCommand(newZoneCommand(a), newImportCommand(a))
	prepare(a, root)
	return root
}

// prepare makes every verb note that it was reached, and every group refuse what is not one
// of its verbs.
func prepare(a *app, cmd *cobra.Command) {
	for _, child := range cmd.Commands() {
		prepare(a, child)
	}
	if cmd.RunE == nil {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())}
			}
			a.say("%s", cmd.UsageString())
			return &usageError{fmt.Sprintf("%q needs a command", cmd.CommandPath())}
		}
		return
	}
	inner := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a.started = true
		return inner(cmd, args)
	}
}
