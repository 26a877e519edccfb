package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// Names of the files of a CA and of a bundle.
const (
	CACertFile    = "ca.crt"
	CAKeyFile     = "ca.key"
	GossipKeyFile = "gossip.key"
)

// Lifetimes. Nodes and operators renew from the CA's folder at any time; the files are
// picked up without a restart.
const (
	CALifetime              = 10 * 365 * 24 * time.Hour
	DefaultNodeLifetime     = 397 * 24 * time.Hour
	DefaultClientLifetime   = 397 * 24 * time.Hour
	DefaultOperatorLifetime = 90 * 24 * time.Hour
	// clockSkewAllowance back-dates certificates, for nodes whose clocks lag a little.
	clockSkewAllowance = 5 * time.Minute
	// maxCertificateHosts bounds the host names and addresses of one certificate.
	maxCertificateHosts = 32
	gossipKeyBytes      = 32 // AES-256
	serialNumberBits    = 127
)

// CA is the cluster's certificate authority, opened for issuing.
type CA struct {
	clusterID string
	cert      *x509.Certificate
	certPEM   []byte
	key       *ecdsa.PrivateKey
	gossipKey []byte // the content of gossip.key
}

// InitCA makes a new authority in dir: ca.crt, ca.key and gossip.key, the last two readable
// by their owner only. clusterID "" makes a random one. A folder that already holds an
// authority is an error and stays as it is.
func InitCA(dir, clusterID string) (*CA, error) {
	if clusterID == "" {
		clusterID = NewClusterID()
	}
	if err := checkClusterID(clusterID); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create CA folder: %w", err)
	}
	for _, name := range []string{CACertFile, CAKeyFile, GossipKeyFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return nil, fmt.Errorf("%s already holds a certificate authority (%s); it is not overwritten", dir, name)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	der, err := selfSign(clusterID, key)
	if err != nil {
		return nil, err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, gossipKeyBytes)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the process instead
	gossip := []byte(base64.StdEncoding.EncodeToString(secret) + "\n")
	// The certificate goes last: a folder without it is not yet an authority to LoadCA.
	err = writeFiles(dir, []file{
		{CAKeyFile, keyPEM, 0o600},
		{GossipKeyFile, gossip, 0o600},
		{CACertFile, encodeCertificate(der), 0o644},
	})
	if err != nil {
		return nil, fmt.Errorf("write CA: %w", err)
	}
	return LoadCA(dir)
}

func selfSign(clusterID string, key *ecdsa.PrivateKey) ([]byte, error) {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: "Cadastre CA " + clusterID},
		NotBefore:             now.Add(-clockSkewAllowance),
		NotAfter:              now.Add(CALifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		URIs:                  []*url.URL{{Scheme: identityScheme, Host: clusterID, Path: caPath}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sign CA certificate: %w", err)
	}
	return der, nil
}

// LoadCA opens the authority in dir.
func LoadCA(dir string) (*CA, error) {
	gossip, err := os.ReadFile(filepath.Join(dir, GossipKeyFile))
	if err != nil {
		return nil, fmt.Errorf("read gossip key: %w", err)
	}
	return loadAuthority(dir, gossip)
}

func loadAuthority(dir string, gossip []byte) (*CA, error) {
	certPEM, err := os.ReadFile(filepath.Join(dir, CACertFile))
	if err != nil {
		return nil, fmt.Errorf("read CA certificate: %w", err)
	}
	certs, err := decodeCertificates(certPEM)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, CACertFile), err)
	}
	clusterID, err := caClusterID(certs[0])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, CACertFile), err)
	}
	keyPEM, err := os.ReadFile(filepath.Join(dir, CAKeyFile))
	if err != nil {
		return nil, fmt.Errorf("read CA key: %w", err)
	}
	key, err := decodeKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, CAKeyFile), err)
	}
	if !key.PublicKey.Equal(certs[0].PublicKey) {
		return nil, fmt.Errorf("%s: the key does not belong to the certificate %s", dir, CACertFile)
	}
	return &CA{clusterID: clusterID, cert: certs[0], certPEM: certPEM, key: key, gossipKey: gossip}, nil
}

// caClusterID returns the cluster that an authority's certificate is for.
func caClusterID(cert *x509.Certificate) (string, error) {
	u, err := onlyIdentityURI(cert)
	if err != nil {
		return "", err
	}
	if !cert.IsCA || u.Path != caPath {
		return "", errors.New("not the certificate of a cluster's CA")
	}
	return u.Host, checkClusterID(u.Host)
}

// ClusterID returns the id of the cluster that the authority is for.
func (ca *CA) ClusterID() string { return ca.clusterID }

// Issue makes a key and a certificate for a node, a registrar or an operator. hosts are
// the IP addresses and DNS names at which a node's services, EPP among them, are reached;
// for the other kinds it must be empty.
func (ca *CA) Issue(kind Kind, name string, hosts []string, lifetime time.Duration) (*Bundle, error) {
	id := Identity{ClusterID: ca.clusterID, Kind: kind, Name: name}
	if err := id.validate(); err != nil {
		return nil, err
	}
	if lifetime <= 0 {
		return nil, fmt.Errorf("certificate lifetime %s: want more than 0", lifetime)
	}
	template, err := ca.template(id, hosts, lifetime)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key of %s: %w", id, err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %s: %w", id, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back certificate of %s: %w", id, err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	b := &Bundle{Identity: id, Certificate: cert, caPEM: ca.certPEM, certPEM: encodeCertificate(der), keyPEM: keyPEM}
	if kind == KindNode {
		b.gossipKey = ca.gossipKey
	}
	return b, nil
}

func (ca *CA) template(id Identity, hosts []string, lifetime time.Duration) (*x509.Certificate, error) {
	now := time.Now()
	notAfter := now.Add(lifetime)
	if notAfter.After(ca.cert.NotAfter) {
		return nil, fmt.Errorf("certificate lifetime %s: it would outlive the CA, which ends %s",
			lifetime, ca.cert.NotAfter.UTC().Format(time.DateOnly))
	}
	t := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: id.Name, OrganizationalUnit: []string{string(id.Kind)}},
		NotBefore:    now.Add(-clockSkewAllowance),
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		URIs:         []*url.URL{id.uri()},
	}
	if id.Kind != KindNode {
		if len(hosts) > 0 {
			return nil, fmt.Errorf("certificate of %s: only a node has host names", id)
		}
		return t, nil
	}
	t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	if len(hosts) > maxCertificateHosts {
		return nil, fmt.Errorf("certificate of %s: %d hosts, at most %d", id, len(hosts), maxCertificateHosts)
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if isHostName(host) {
			t.DNSNames = append(t.DNSNames, host)
		} else {
			return nil, fmt.Errorf("certificate of %s: host %q is neither an IP address nor a host name", id, host)
		}
	}
	return t, nil
}

func newSerial() *big.Int {
	limit := new(big.Int).Lsh(big.NewInt(1), serialNumberBits)
	n, _ := rand.Int(rand.Reader, limit) // never fails: crypto/rand ends the process instead
	return n.Add(n, big.NewInt(1))
}
