package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"cadastre/cluster"
	"cadastre/epp/eppclient"
	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
)

// eppFlags say where to log in, and as whom.
type eppFlags struct {
	dev, node, registrar string
	addr, ca, cert, key  string
	id, passwordFile     string
	xml, noLogin         bool
	raw                  []string
	address, password    string // resolved
	paths                cluster.Paths
}

func newEPPCommand(a *app) *cobra.Command {
	flags := &eppFlags{}
	cmd := &cobra.Command{
		Use:   "epp",
		Short: "Send EPP commands as a registrar",
		Long: `A small EPP client: it logs in, sends one command, prints the answer and ends with status 0
if the result code is 1xxx and 1 otherwise. With --raw it sends frames as they are.`,
		Example: `  cadastre epp --dev /tmp/cadastre -r registrar-a create domain demo.example --period 1y
  cadastre epp --dev /tmp/cadastre -r registrar-a --node n2 info domain demo.example --xml
  cadastre epp --dev /tmp/cadastre -r registrar-a --raw command.xml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(flags.raw) == 0 {
				return &usageError{"give a command, or --raw FILE"}
			}
			return a.eppRaw(cmd.Context(), flags)
		},
	}
	f := cmd.PersistentFlags()
	f.StringVar(&flags.dev, "dev", "", "folder of a running `cadastre dev` cluster")
	f.StringVar(&flags.node, "node", "", "with --dev: the node to connect to (default: the first)")
	f.StringVarP(&flags.registrar, "registrar", "r", "", "with --dev: the registrar to log in as (default: the first)")
	f.StringVar(&flags.addr, "addr", "", "host:port of the EPP server")
	f.StringVar(&flags.ca, "ca", "", "CA certificate of the server, PEM")
	f.StringVar(&flags.cert, "cert", "", "your client certificate, PEM")
	f.StringVar(&flags.key, "key", "", "your client key, PEM")
	f.StringVar(&flags.id, "id", "", "your registrar id")
	f.StringVar(&flags.passwordFile, "password-file", "", "file whose first line is your password")
	f.BoolVar(&flags.xml, "xml", false, "print the answer as it came")
	cmd.Flags().StringSliceVar(&flags.raw, "raw", nil, "file with a frame to send as it is, - for standard input (repeatable)")
	cmd.Flags().BoolVar(&flags.noLogin, "no-login", false, "with --raw: send no login before the frames")
	cmd.AddCommand(newEPPHelloCommand(a, flags), newEPPCreateCommand(a, flags), newEPPInfoCommand(a, flags),
		newEPPCheckCommand(a, flags), newEPPUpdateCommand(a, flags), newEPPDeleteCommand(a, flags), newEPPRenewCommand(a, flags),
		newEPPRestoreCommand(a, flags), newEPPTransferCommand(a, flags), newEPPPollCommand(a, flags))
	return cmd
}

// resolve fills in where to connect and what to log in with.
func (f *eppFlags) resolve(a *app, needsPassword bool) error {
	if f.dev == "" {
		if f.addr == "" || f.ca == "" || f.cert == "" || f.key == "" || needsPassword && f.id == "" {
			return &usageError{"give --dev DIR, or all of --addr, --ca, --cert, --key and --id"}
		}
		f.address, f.paths = f.addr, cluster.Paths{CA: f.ca, Certificate: f.cert, Key: f.key}
		if !needsPassword {
			return nil
		}
		var err error
		f.password, err = a.readPassword(f.passwordFile)
		return err
	}
	info, err := devcluster.ReadInfo(f.dev)
	if err != nil {
		return err
	}
	node, err := info.Node(f.node)
	if err != nil {
		return err
	}
	registrar, err := info.Registrar(f.registrar)
	if err != nil {
		return err
	}
	f.address, f.id, f.password = firstNonEmpty(f.addr, node.EPP), firstNonEmpty(f.id, registrar.ID), registrar.Password
	f.paths = cluster.Paths{CA: info.CA, Certificate: firstNonEmpty(f.cert, registrar.Cert), Key: firstNonEmpty(f.key, registrar.Key)}
	if f.passwordFile != "" {
		f.password, err = a.readPassword(f.passwordFile)
	}
	return err
}

// open connects and, unless it is not wanted, logs in.
func (f *eppFlags) open(ctx context.Context, a *app, login bool) (*eppclient.Client, error) {
	if err := f.resolve(a, login); err != nil {
		return nil, err
	}
	if !login {
		return dialEPP(ctx, f.address, f.paths)
	}
	return loginEPP(ctx, f.address, f.paths, f.id, f.password)
}

// eppSend logs in, sends the command with the encoded elements of extensions and prints the
// answer.
func (a *app) eppSend(ctx context.Context, flags *eppFlags, body eppxml.Body, extensions ...[]byte) error {
	elements, err := extensionElements(extensions)
	if err != nil {
		return err
	}
	client, err := flags.open(ctx, a, true)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // everything was said
	frame, err := client.Exchange(ctx, eppxml.AppendCommand(nil, &eppxml.Command{Body: body, Extensions: elements, ClTRID: newClTRID()}))
	if err != nil {
		return err
	}
	response, err := eppxml.ParseResponse(frame)
	if err != nil {
		return fmt.Errorf("understand the answer: %w", err)
	}
	if err := a.printResponse(flags, response, frame); err != nil {
		return err
	}
	_, _ = client.Do(ctx, &eppxml.Logout{}, newClTRID()) // a courtesy
	if !response.OK() {
		return &exitStatusError{exitError}
	}
	return nil
}

// eppRaw sends frames as they are and prints what comes back.
func (a *app) eppRaw(ctx context.Context, flags *eppFlags) error {
	var frames [][]byte
	for _, name := range flags.raw {
		frame, err := a.readFrameFile(name)
		if err != nil {
			return err
		}
		frames = append(frames, frame)
	}
	client, err := flags.open(ctx, a, !flags.noLogin)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // everything was said
	failed := false
	for _, frame := range frames {
		answer, err := client.Exchange(ctx, frame)
		if err != nil {
			return err
		}
		response, err := eppxml.ParseResponse(answer)
		if err != nil { // such as a greeting
			if _, err := fmt.Fprintf(a.stdout, "%s\n", answer); err != nil {
				return err
			}
			continue
		}
		failed = failed || !response.OK()
		if err := a.printResponse(flags, response, answer); err != nil {
			return err
		}
	}
	if failed {
		return &exitStatusError{exitError}
	}
	return nil
}

// maxRawFrameBytes lets frames through that are far beyond what servers accept, so that
// their refusal can be tried.
const maxRawFrameBytes = 16 << 20

func (a *app) readFrameFile(name string) ([]byte, error) {
	in := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the frame: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	frame, err := io.ReadAll(io.LimitReader(in, maxRawFrameBytes))
	if err != nil {
		return nil, fmt.Errorf("read the frame: %w", err)
	}
	if len(frame) == 0 {
		return nil, errors.New("the frame is empty")
	}
	return frame, nil
}
