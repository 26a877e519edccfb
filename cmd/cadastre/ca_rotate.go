package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/internal/pause"
)

const (
	// rotateTimeout bounds one run of a rotation: a few calls to each node.
	rotateTimeout = 5 * time.Minute
	// rotatePoll is how often the nodes are asked whether they follow.
	rotatePoll = 200 * time.Millisecond
)

func newCARotateCommand(a *app) *cobra.Command {
	var (
		flags       connFlags
		dir, reason string
		finish      bool
		lifetime    time.Duration
	)
	cmd := &cobra.Command{
		Use:   "rotate --dir CA",
		Short: "Replace the certificate authority of a running cluster",
		Long: `Replaces the authority in two runs, while the cluster works. The first makes a new authority
in the folder, has every node trust both, gives every node a certificate of the new one (its
key is made on the node and stays there), and lets the new authority issue from then on. Then
issue certificates anew for every operator and registrar and give them the new ca.crt, which
holds both. The second run, with --finish, makes every node trust the new authority only; what
the old one issued is worth nothing from then on. Each run may be repeated if it was interrupted,
and says what it does. Every member must be up.`,
		Example: "  cadastre ca rotate --dir ca --dev /tmp/cadastre\n  cadastre ca rotate --dir ca --dev /tmp/cadastre --finish",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return &usageError{"--dir CA is required"}
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), rotateTimeout)
			defer cancel()
			client, err := dialTrusting(ctx, &flags, dir)
			if err != nil {
				return err
			}
			defer client.close()
			r := &rotation{app: a, client: client, dir: dir, reason: reason, lifetime: lifetime}
			if finish {
				return r.finish(ctx)
			}
			return r.begin(ctx)
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&dir, "dir", "", "folder of the certificate authority")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	cmd.Flags().BoolVar(&finish, "finish", false, "drop the old authority; what it issued is worth nothing from then on")
	cmd.Flags().DurationVar(&lifetime, "lifetime", cluster.DefaultNodeLifetime, "how long the nodes' new certificates are valid")
	return cmd
}

// dialTrusting connects to the first node that answers and trusts, besides what the flags
// say, the authorities in the folder: nodes have certificates of the new one before others
// have heard of it.
func dialTrusting(ctx context.Context, flags *connFlags, dir string) (*admin, error) {
	addresses, paths, err := flags.resolve()
	if err != nil {
		return nil, err
	}
	creds, err := cluster.LoadCredentials(paths, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	authorities, err := cluster.FolderAuthorities(dir)
	if err != nil {
		return nil, err
	}
	if err := creds.Trust(authorities); err != nil {
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

// rotation is one run of `ca rotate`.
type rotation struct {
	app         *app
	client      *admin
	dir, reason string
	lifetime    time.Duration
	steps       []string
}

func (r *rotation) step(format string, args ...any) {
	r.steps = append(r.steps, fmt.Sprintf(format, args...))
	r.app.say("%s\n", r.steps[len(r.steps)-1])
}

func (r *rotation) result(text string) error {
	return r.app.result(map[string]any{"steps": nonNil(r.steps)}, text)
}

// begin does everything up to the new authority's issuing.
func (r *rotation) begin(ctx context.Context) error {
	if err := cluster.FinishPromotion(r.dir); err != nil {
		return err
	}
	present, err := cluster.LoadCA(r.dir)
	if err != nil {
		return err
	}
	trusted, err := present.Trusted()
	if err != nil {
		return err
	}
	if len(trusted) > 1 && !cluster.IsRotating(r.dir) {
		return errors.New("a rotation is under way and the new authority issues already: issue certificates anew for operators and registrars, then run this with --finish")
	}
	next, made, err := cluster.NextCA(r.dir)
	if err != nil {
		return err
	}
	if made {
		r.step("made a new authority in %s/next, SHA-256 %x", r.dir, cluster.Fingerprint(next.Certificate()))
	}
	both := []*x509.Certificate{next.Certificate(), present.Certificate()}
	if err := r.trust(ctx, both); err != nil {
		return err
	}
	if err := r.reissue(ctx, next); err != nil {
		return err
	}
	if err := cluster.PromoteNext(r.dir); err != nil {
		return err
	}
	r.step("the new authority issues from %s", r.dir)
	return r.result(`Every node has a certificate of the new authority and trusts both. Now issue certificates anew for every
operator and registrar (cadastre ca operator|registrar), give them their new ca.crt, and finish with:
cadastre ca rotate --finish`)
}

// finish makes the new authority the only one.
func (r *rotation) finish(ctx context.Context) error {
	if cluster.IsRotating(r.dir) {
		return errors.New("the nodes do not all have certificates of the new authority yet: run this without --finish first")
	}
	present, err := cluster.LoadCA(r.dir)
	if err != nil {
		return err
	}
	if !r.client.creds.IssuedBy(present.Certificate()) {
		return fmt.Errorf("the certificate that you use is from the old authority and would lock you out: issue one anew with `cadastre ca operator --dir %s`", r.dir)
	}
	status, err := r.status(ctx)
	if err != nil {
		return err
	}
	for _, m := range status.GetMembers() {
		if m.GetProblem() != "" {
			return fmt.Errorf("node %s does not answer, so nothing was changed: %s", m.GetNodeId(), m.GetProblem())
		}
		if !bytes.Equal(m.GetIssuerSha256(), cluster.Fingerprint(present.Certificate())) {
			return fmt.Errorf("node %s has no certificate of the new authority, so nothing was changed: issue one with `cadastre ca node %s --dir %s`", m.GetNodeId(), m.GetNodeId(), r.dir)
		}
	}
	if err := r.trust(ctx, []*x509.Certificate{present.Certificate()}); err != nil {
		return err
	}
	if err := present.DropOld(r.dir); err != nil {
		return err
	}
	return r.result("The old authority is worth nothing any more.")
}

func (r *rotation) status(ctx context.Context) (*clusterpb.TrustResponse, error) {
	status, err := r.client.Trust(ctx, &clusterpb.TrustRequest{})
	if err != nil {
		return nil, plainError(err)
	}
	return status, nil
}

// trust has the cluster trust the authorities and waits until every member does.
func (r *rotation) trust(ctx context.Context, authorities []*x509.Certificate) error {
	status, err := r.status(ctx)
	if err != nil {
		return err
	}
	var list, sums [][]byte
	for _, ca := range authorities {
		list, sums = append(list, ca.Raw), append(sums, cluster.Fingerprint(ca))
	}
	if !slices.EqualFunc(list, status.GetAuthorities(), bytes.Equal) {
		for _, m := range status.GetMembers() {
			if m.GetProblem() != "" {
				return fmt.Errorf("node %s does not answer, so nothing was changed: %s", m.GetNodeId(), m.GetProblem())
			}
		}
		_, err := r.client.PutTrust(ctx, &clusterpb.PutTrustRequest{ExpectedVersion: status.GetVersion(), Authorities: list, Reason: r.reason})
		if err != nil {
			return plainError(err)
		}
	}
	if err := r.client.creds.Trust(list); err != nil {
		return err
	}
	for {
		waiting := ""
		status, err := r.status(ctx)
		if err == nil {
			for _, m := range status.GetMembers() {
				if !slices.EqualFunc(sums, m.GetTrustedSha256(), bytes.Equal) {
					waiting = strings.TrimSpace(m.GetNodeId() + " " + m.GetProblem())
				}
			}
			if waiting == "" {
				r.step("every node trusts %d of 2 authorities", len(list))
				return nil
			}
		}
		if pause.For(ctx, rotatePoll) != nil {
			return fmt.Errorf("node %s does not follow yet; run this again (%w)", waiting, errors.Join(err, context.Cause(ctx)))
		}
	}
}

// reissue gives every member a certificate of the new authority, unless it has one.
func (r *rotation) reissue(ctx context.Context, next *cluster.CA) error {
	status, err := r.status(ctx)
	if err != nil {
		return err
	}
	for _, m := range status.GetMembers() {
		if bytes.Equal(m.GetIssuerSha256(), cluster.Fingerprint(next.Certificate())) {
			continue
		}
		if err := r.reissueNode(ctx, next, m); err != nil {
			return fmt.Errorf("give node %s a new certificate: %w", m.GetNodeId(), err)
		}
		r.step("node %s has a certificate of the new authority", m.GetNodeId())
	}
	return nil
}

func (r *rotation) reissueNode(ctx context.Context, next *cluster.CA, m *clusterpb.MemberTrust) error {
	node, err := dialNode(ctx, r.client.creds, m.GetNodeId(), m.GetGrpcAddress())
	if err != nil {
		return err
	}
	defer node.close()
	requested, err := node.RequestCertificate(ctx, &clusterpb.RequestCertificateRequest{})
	if err != nil {
		return plainError(err)
	}
	certificate, err := next.SignRequest(requested.GetRequest(), m.GetNodeId(), r.lifetime)
	if err != nil {
		return err
	}
	var authorities []byte
	trusted, err := next.Trusted()
	if err != nil {
		return err
	}
	for _, ca := range trusted {
		authorities = append(authorities, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})...)
	}
	_, err = node.InstallCertificate(ctx, &clusterpb.InstallCertificateRequest{Certificate: certificate, Authorities: authorities})
	if err != nil {
		return plainError(err)
	}
	return nil
}

// dialNode connects to the one node, whose certificate must be that of its id.
func dialNode(ctx context.Context, creds *cluster.Credentials, nodeID, address string) (*admin, error) {
	conn, err := cluster.Dial(creds, nodeID, address)
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
