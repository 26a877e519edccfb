package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/internal/devcluster"
)

// adminTimeout bounds one call of an operator; it covers an election.
const adminTimeout = 45 * time.Second

// connFlags say which cluster to talk to, and as whom.
type connFlags struct {
	dev, node, addr, ca, cert, key string
}

func (f *connFlags) register(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.dev, "dev", "", "folder of a running `cadastre dev` cluster; stands for the other connection flags")
	flags.StringVar(&f.node, "node", "", "with --dev: the node to talk to (default: the first that answers)")
	flags.StringVar(&f.addr, "addr", "", "host:port of a node's admin service")
	flags.StringVar(&f.ca, "ca", "", "the cluster's CA certificate, PEM")
	flags.StringVar(&f.cert, "cert", "", "your operator certificate, PEM")
	flags.StringVar(&f.key, "key", "", "your operator key, PEM")
}

// resolve returns the addresses to try and the files to use.
func (f *connFlags) resolve() (addresses []string, paths cluster.Paths, err error) {
	if f.dev == "" {
		if f.addr == "" || f.ca == "" || f.cert == "" || f.key == "" {
			return nil, paths, &usageError{"give --dev DIR, or all of --addr, --ca, --cert and --key"}
		}
		return []string{f.addr}, cluster.Paths{CA: f.ca, Certificate: f.cert, Key: f.key}, nil
	}
	info, err := devcluster.ReadInfo(f.dev)
	if err != nil {
		return nil, paths, err
	}
	for _, n := range info.Nodes {
		if f.node == "" || f.node == n.ID {
			addresses = append(addresses, n.Admin)
		}
	}
	if len(addresses) == 0 {
		return nil, paths, fmt.Errorf("%s has no node %q", f.dev, f.node)
	}
	if f.addr != "" {
		addresses = []string{f.addr}
	}
	return addresses, cluster.Paths{CA: info.CA, Certificate: info.Operator.Cert, Key: info.Operator.Key}, nil
}

// admin is a connection to the Admin service of one node.
type admin struct {
	clusterpb.AdminClient
	conn    *grpc.ClientConn
	creds   *cluster.Credentials
	address string // of the node that is asked
}

// dial returns a connection to the first node that answers.
func (f *connFlags) dial(ctx context.Context) (*admin, error) {
	addresses, paths, err := f.resolve()
	if err != nil {
		return nil, err
	}
	creds, err := cluster.LoadCredentials(paths, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, address := range addresses {
		client, err := dialAdmin(ctx, creds, address)
		if err == nil {
			return client, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// dialAdmin connects to the admin service at the address and sees that it answers.
func dialAdmin(ctx context.Context, creds *cluster.Credentials, address string) (*admin, error) {
	conn, err := cluster.Dial(creds, "", address)
	if err != nil {
		return nil, err
	}
	client := &admin{AdminClient: clusterpb.NewAdminClient(conn), conn: conn, creds: creds, address: address}
	probe, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := client.StateHash(probe, &clusterpb.StateHashRequest{}); err != nil {
		client.close()
		return nil, fmt.Errorf("ask the node at %s: %w", address, plainError(err))
	}
	return client, nil
}

func (c *admin) close() { _ = c.conn.Close() } // nothing depends on it any more

// execute commits an operator's command and returns its result; a refusal is an error.
func (c *admin) execute(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	response, err := c.Execute(ctx, &clusterpb.ExecuteRequest{Command: command})
	if err != nil {
		return nil, plainError(err)
	}
	if err := cluster.ResultError(response.GetResult()); err != nil {
		return nil, err
	}
	return response.GetResult(), nil
}

// withAdmin runs fn over a connection, under the usual time limit.
func (f *connFlags) withAdmin(cmd *cobra.Command, fn func(ctx context.Context, client *admin) error) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), adminTimeout)
	defer cancel()
	client, err := f.dial(ctx)
	if err != nil {
		return err
	}
	defer client.close()
	return fn(ctx, client)
}

// plainError turns the error of a call into one for people.
func plainError(err error) error {
	converted := cluster.ErrorFromStatus(err)
	if _, bare := status.FromError(converted); bare {
		return grpcMessage(converted)
	}
	return converted
}
