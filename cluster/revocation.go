package cluster

import (
	"bytes"
	"context"
	"crypto/x509"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// isRevoked looks into the local state, on each call.
func (s *Server) isRevoked(name string, cert *x509.Certificate) (revoked bool, err error) {
	err = s.store.View(func(tx *store.ReadTx) error {
		revoked = tx.CertificateRevoked(name, Fingerprint(cert))
		if at, all := tx.OperatorRevokedAt(name); all {
			// Certificates are back-dated by the allowance.
			revoked = revoked || !cert.NotBefore.Add(clockSkewAllowance).After(at)
		}
		return nil
	})
	return revoked, err
}

// RevokeOperator makes certificates of an operator worthless. An operator cannot lock
// himself out.
func (s *adminService) RevokeOperator(ctx context.Context, req *clusterpb.RevokeOperatorRequest) (*clusterpb.RevokeOperatorResponse, error) {
	if err := checkReason(req.GetReason()); err != nil {
		return nil, err
	}
	if err := checkName(string(KindOperator), req.GetName()); err != nil {
		return nil, &registry.Error{Code: registry.CodeParameterSyntax, Field: "name", Value: req.GetName(), Reason: err.Error()}
	}
	own, err := callerCertificate(ctx)
	if err != nil {
		return nil, err
	}
	if caller(ctx).Name == req.GetName() && (len(req.GetSha256()) == 0 || bytes.Equal(req.GetSha256(), Fingerprint(own))) {
		return nil, refuse(registry.CodeStatusProhibits, "name", req.GetName(), "this would revoke the certificate that asks; use another operator's, or name another certificate of yours by its fingerprint")
	}
	result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
		Actor: operator(ctx), Reason: req.GetReason(),
		Body: &fsmpb.Command_OperatorRevoke{OperatorRevoke: &fsmpb.OperatorRevoke{Name: req.GetName(), Sha256: req.GetSha256()}},
	})
	if err != nil {
		return nil, err
	}
	if err := ResultError(result); err != nil {
		return nil, err
	}
	s.log.Warn("operator revoked", "name", req.GetName(), "operator", caller(ctx).Name, "reason", req.GetReason())
	return &clusterpb.RevokeOperatorResponse{}, nil
}

// ListRevoked lists what was revoked.
func (s *adminService) ListRevoked(context.Context, *clusterpb.ListRevokedRequest) (*clusterpb.ListRevokedResponse, error) {
	resp := &clusterpb.ListRevokedResponse{}
	err := s.store.View(func(tx *store.ReadTx) error {
		for _, r := range tx.Revocations() {
			resp.Revoked = append(resp.Revoked, &clusterpb.RevokedCertificate{Name: r.Operator, Sha256: r.SHA256, RevokedAtMs: unixMilli(r.At)})
		}
		return nil
	})
	return resp, err
}
