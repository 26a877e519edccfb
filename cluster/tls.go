package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// http2Protocol is HTTP/2's name in ALPN (RFC 7301).
const http2Protocol = "h2"

// Admit decides during the handshake whether an identity of this cluster may connect.
type Admit func(Identity) error

// AdmitKinds admits the given kinds of certificate and nothing else.
func AdmitKinds(kinds ...Kind) Admit {
	return func(id Identity) error {
		if !slices.Contains(kinds, id.Kind) {
			return fmt.Errorf("a certificate of kind %s is not admitted here", id.Kind)
		}
		return nil
	}
}

// admitNode admits the node of the given id, or any node if it is empty.
func admitNode(nodeID string) Admit {
	return func(id Identity) error {
		if id.Kind != KindNode {
			return fmt.Errorf("the server's certificate is of kind %s, not node", id.Kind)
		}
		if nodeID != "" && id.Name != nodeID {
			return fmt.Errorf("the server is node %q, not %q", id.Name, nodeID)
		}
		return nil
	}
}

// PeerServerTLS returns the configuration of a server for the inside of the cluster (gRPC,
// Raft): TLS 1.3, and a client certificate of this cluster that admit accepts, checked
// before a byte of the protocol is read.
func (c *Credentials) PeerServerTLS(admit Admit) *tls.Config {
	cfg := c.serverTLS(admit)
	cfg.MinVersion = tls.VersionTLS13
	return c.following(cfg)
}

// RegistrarServerTLS returns the configuration of the EPP server (RFC 5734 section 8): TLS
// 1.2 or newer with the cipher suites of RFC 9325 section 4.2, and a client certificate of
// kind registrar of this cluster, checked before a byte of EPP is read. Which registrar
// may log in with it is for the EPP login to decide, by Fingerprint.
func (c *Credentials) RegistrarServerTLS() *tls.Config {
	cfg := c.serverTLS(AdmitKinds(KindRegistrar))
	cfg.MinVersion = tls.VersionTLS12
	// These bind TLS 1.2 only; those of TLS 1.3 are all good and not configurable.
	cfg.CipherSuites = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	}
	return c.following(cfg)
}

func (c *Credentials) serverTLS(admit Admit) *tls.Config {
	return &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.material().certificate, nil
		},
		ClientAuth:       tls.RequireAndVerifyClientCert,
		ClientCAs:        c.roots(),
		VerifyConnection: func(cs tls.ConnectionState) error { return c.checkPeer(cs, x509.ExtKeyUsageClientAuth, admit) },
		// A resumed session would keep an old certificate alive.
		SessionTicketsDisabled: true,
	}
}

// following makes a finished server configuration follow the CA file.
func (c *Credentials) following(cfg *tls.Config) *tls.Config {
	fixed := cfg.Clone()
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		now := fixed.Clone()
		now.ClientCAs = c.roots()
		// gRPC insists on having negotiated HTTP/2; the other protocols offer none.
		if slices.Contains(hello.SupportedProtos, http2Protocol) {
			now.NextProtos = []string{http2Protocol}
		}
		return now, nil
	}
	return cfg
}

// PeerClientTLS returns the configuration with which to call node nodeID, or any node of
// the cluster if nodeID is empty. Addresses change; what counts is the identity in the
// server's certificate.
func (c *Credentials) PeerClientTLS(nodeID string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &c.material().certificate, nil
		},
		// Go's own check compares host names, which say nothing here; checkPeer verifies the
		// chain and the identity instead.
		InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			return c.checkPeer(cs, x509.ExtKeyUsageServerAuth, admitNode(nodeID))
		},
	}
}

// checkPeer is the one gate of all TLS connections, in both directions: chain to this
// cluster's CA, usage, an identity of this cluster, and admit.
func (c *Credentials) checkPeer(cs tls.ConnectionState, usage x509.ExtKeyUsage, admit Admit) error {
	id, err := c.verifyPeer(cs, usage)
	if err != nil {
		return err
	}
	if err := admit(id); err != nil {
		return fmt.Errorf("refuse %s: %w", id, err)
	}
	return nil
}

func (c *Credentials) verifyPeer(cs tls.ConnectionState, usage x509.ExtKeyUsage) (Identity, error) {
	if len(cs.PeerCertificates) == 0 {
		return Identity{}, errors.New("the other side presented no certificate")
	}
	leaf := cs.PeerCertificates[0]
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:     c.roots(),
		KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return Identity{}, fmt.Errorf("certificate %q is not valid in cluster %s: %w",
			leaf.Subject.CommonName, c.ClusterID(), err)
	}
	id, err := ParseIdentity(leaf)
	if err != nil {
		return Identity{}, err
	}
	if id.ClusterID != c.ClusterID() {
		return Identity{}, fmt.Errorf("%s is of another cluster than %s", id, c.ClusterID())
	}
	return id, nil
}
