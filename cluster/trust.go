package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/internal/pause"
	"cadastre/registry"
	"cadastre/store"
)

// trustInterval is how often a node looks whether the state trusts other authorities.
const trustInterval = 250 * time.Millisecond

// FollowTrust makes the credentials trust what the state says, until ctx ends. While the
// state says nothing, the CA file counts.
func FollowTrust(ctx context.Context, st *store.Store, creds *Credentials) error {
	for followed := uint64(0); pause.For(ctx, trustInterval) == nil; {
		version, err := ApplyTrust(st, creds, followed)
		if err != nil {
			return err
		}
		followed = version
	}
	return nil
}

// ApplyTrust does it once, unless the version is the one followed.
func ApplyTrust(st *store.Store, creds *Credentials, followed uint64) (version uint64, err error) {
	var authorities [][]byte
	err = st.View(func(tx *store.ReadTx) error {
		version, authorities = tx.Trust()
		return nil
	})
	if err != nil || version == followed {
		return version, err
	}
	return version, creds.Trust(authorities)
}

// Trust tells how far a rotation of the authority is, by the word of each member.
func (s *adminService) Trust(ctx context.Context, _ *clusterpb.TrustRequest) (*clusterpb.TrustResponse, error) {
	resp := &clusterpb.TrustResponse{}
	var nodes []registry.Node
	err := s.store.View(func(tx *store.ReadTx) error {
		resp.Version, resp.Authorities = tx.Trust()
		nodes = tx.Nodes()
		return nil
	})
	if err != nil {
		return nil, err
	}
	var group errgroup.Group
	group.SetLimit(maxStatusCalls)
	for _, node := range nodes {
		member := &clusterpb.MemberTrust{NodeId: node.ID, GrpcAddress: node.GRPCAddress}
		resp.Members = append(resp.Members, member)
		group.Go(func() error {
			s.askTrust(ctx, member)
			return nil
		})
	}
	_ = group.Wait() // a node that does not answer is a finding, not an error
	return resp, nil
}

func (s *Server) askTrust(ctx context.Context, m *clusterpb.MemberTrust) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	var (
		status *clusterpb.StatusResponse
		err    error
	)
	if m.GetNodeId() == s.nodeID {
		status, err = s.statusHere()
	} else {
		for status, err = s.peers.Status(ctx, m.GetNodeId()); err != nil && pause.For(ctx, answerRetry) == nil; {
			status, err = s.peers.Status(ctx, m.GetNodeId())
		}
	}
	if err != nil {
		m.Problem = err.Error()
		return
	}
	m.TrustedSha256, m.IssuerSha256 = status.GetTrustedSha256(), status.GetIssuerSha256()
}

// PutTrust sets the authorities that every member trusts.
func (s *adminService) PutTrust(ctx context.Context, req *clusterpb.PutTrustRequest) (*clusterpb.PutTrustResponse, error) {
	if err := checkReason(req.GetReason()); err != nil {
		return nil, err
	}
	own, err := callerCertificate(ctx)
	if err != nil {
		return nil, err
	}
	trustsCaller := false
	for _, der := range req.GetAuthorities() {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, &registry.Error{Code: registry.CodeParameterSyntax, Field: "authorities", Reason: "not a certificate", Err: err}
		}
		if id, err := caClusterID(cert); err != nil || id != s.creds.ClusterID() {
			return nil, refuse(registry.CodeParameterPolicy, "authorities", cert.Subject.CommonName, "it is not an authority of this cluster")
		}
		trustsCaller = trustsCaller || own.CheckSignatureFrom(cert) == nil
	}
	if !trustsCaller {
		return nil, refuse(registry.CodeStatusProhibits, "authorities", "", "the certificate that asks is from none of these authorities: get a new one from the new authority first")
	}
	result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
		Actor: operator(ctx), Reason: req.GetReason(),
		Body: &fsmpb.Command_TrustPut{TrustPut: &fsmpb.TrustPut{ExpectedVersion: req.GetExpectedVersion(), Authorities: req.GetAuthorities()}},
	})
	if err != nil {
		return nil, err
	}
	if err := ResultError(result); err != nil {
		return nil, err
	}
	s.log.Warn("trusted authorities changed", "count", len(req.GetAuthorities()), "operator", caller(ctx).Name)
	return &clusterpb.PutTrustResponse{}, nil
}

// requestedKey is the key of the latest certificate request; it never leaves the node.
type requestedKey struct {
	mu  sync.Mutex
	key *ecdsa.PrivateKey
}

// RequestCertificate makes a new key, which stays in memory until its certificate comes.
func (s *adminService) RequestCertificate(context.Context, *clusterpb.RequestCertificateRequest) (*clusterpb.RequestCertificateResponse, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	present := s.creds.Certificate()
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: present.Subject.CommonName}, URIs: present.URIs,
		DNSNames: present.DNSNames, IPAddresses: present.IPAddresses,
	}, key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate request: %w", err)
	}
	s.requested.mu.Lock()
	defer s.requested.mu.Unlock()
	s.requested.key = key
	return &clusterpb.RequestCertificateResponse{Request: request}, nil
}

// InstallCertificate puts the certificate and its key in the place of the node's files,
// which are in use within a second.
func (s *adminService) InstallCertificate(ctx context.Context, req *clusterpb.InstallCertificateRequest) (*clusterpb.InstallCertificateResponse, error) {
	s.requested.mu.Lock()
	defer s.requested.mu.Unlock()
	if s.requested.key == nil {
		return nil, refuse(registry.CodeConflict, "certificate", "", "this node has requested none since it started")
	}
	if err := s.creds.Replace(req.GetAuthorities(), req.GetCertificate(), s.requested.key); err != nil {
		return nil, &registry.Error{Code: registry.CodeParameterPolicy, Field: "certificate", Reason: err.Error(), Err: err}
	}
	s.requested.key = nil
	s.log.Warn("certificate replaced", "operator", caller(ctx).Name, "not_after", s.creds.Certificate().NotAfter)
	return &clusterpb.InstallCertificateResponse{}, nil
}
