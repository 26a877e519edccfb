package cluster

import (
	"crypto/tls"
	"crypto/x509"
)

// PublicServerTLS returns the configuration of a server for the whole world (RDAP): TLS 1.2 or newer with the cipher
// suites of RFC 9325 section 4.2. A client may show a certificate of this cluster, of a registrar or a requester; one that
// is shown must be valid. getCertificate gives the server's own, nil for the node's.
func (c *Credentials) PublicServerTLS(getCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	cfg := c.serverTLS(nil)
	cfg.MinVersion = tls.VersionTLS12
	cfg.CipherSuites = publicCipherSuites()
	cfg.ClientAuth = tls.VerifyClientCertIfGiven
	cfg.NextProtos = []string{http2Protocol, "http/1.1"}
	if getCertificate != nil {
		cfg.GetCertificate = getCertificate
	}
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		if len(cs.PeerCertificates) == 0 {
			return nil
		}
		return c.checkPeer(cs, x509.ExtKeyUsageClientAuth, AdmitKinds(KindRegistrar, KindRequester))
	}
	fixed := cfg.Clone()
	cfg.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := fixed.Clone()
		now.ClientCAs = c.roots()
		return now, nil
	}
	return cfg
}

// publicCipherSuites are those of TLS 1.2; those of TLS 1.3 are all good and not configurable.
func publicCipherSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	}
}
