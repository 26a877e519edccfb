package cluster

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"

	"cadastre/registry"
)

// Kind says what a certificate of the cluster stands for.
type Kind string

// The kinds. A certificate has exactly one.
const (
	KindNode      Kind = "node"
	KindRegistrar Kind = "registrar"
	KindOperator  Kind = "operator"
	// KindRequester is of somebody to whom personal data may be disclosed.
	KindRequester Kind = "requester"
)

const (
	identityScheme = "cadastre"
	caPath         = "/ca"
	// maxNameChars bounds the name in a certificate: it is a DNS label and a file name too.
	maxNameChars = 63
	// minClusterIDChars and maxClusterIDChars bound a cluster id, which is also the gossip
	// label (at most 255 octets there).
	minClusterIDChars = 8
	maxClusterIDChars = 64
)

// Identity is who a certificate of this system belongs to: the URI
// cadastre://<cluster id>/<kind>/<name> among its subject alternative names.
type Identity struct {
	ClusterID string
	Kind      Kind
	Name      string // node id, registrar id or operator name
}

// String returns the identity as the URI in the certificate.
func (id Identity) String() string {
	return identityScheme + "://" + id.ClusterID + "/" + string(id.Kind) + "/" + id.Name
}

func (id Identity) uri() *url.URL {
	return &url.URL{Scheme: identityScheme, Host: id.ClusterID, Path: "/" + string(id.Kind) + "/" + id.Name}
}

// ParseIdentity returns the identity that cert carries. It checks form only; that the
// certificate comes from the cluster's CA is for the TLS configurations of Credentials.
// A certificate with no identity, or with more than one, is an error.
func ParseIdentity(cert *x509.Certificate) (Identity, error) {
	u, err := onlyIdentityURI(cert)
	if err != nil {
		return Identity{}, err
	}
	parts := strings.Split(u.Path, "/")
	if len(parts) != 3 || parts[0] != "" {
		return Identity{}, fmt.Errorf("certificate identity %q: want %s://<cluster id>/<kind>/<name>", u, identityScheme)
	}
	id := Identity{ClusterID: u.Host, Kind: Kind(parts[1]), Name: parts[2]}
	if err := id.validate(); err != nil {
		return Identity{}, fmt.Errorf("certificate identity %q: %w", u, err)
	}
	if u.String() != id.String() {
		return Identity{}, fmt.Errorf("certificate identity %q: not in canonical form %q", u, id)
	}
	return id, nil
}

// onlyIdentityURI returns the one URI of our scheme; two would make the identity ambiguous.
func onlyIdentityURI(cert *x509.Certificate) (*url.URL, error) {
	var found *url.URL
	for _, u := range cert.URIs {
		if u.Scheme != identityScheme {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("certificate %q carries more than one %s:// identity", cert.Subject.CommonName, identityScheme)
		}
		found = u
	}
	if found == nil {
		return nil, fmt.Errorf("certificate %q carries no %s:// identity", cert.Subject.CommonName, identityScheme)
	}
	return found, nil
}

func (id Identity) validate() error {
	if err := checkClusterID(id.ClusterID); err != nil {
		return err
	}
	switch id.Kind {
	case KindRegistrar:
		_, err := registry.ParseRegistrarID(id.Name)
		return err
	case KindNode, KindOperator, KindRequester:
		return checkName(string(id.Kind), id.Name)
	default:
		return fmt.Errorf("unknown kind %q: want node, registrar, operator or requester", id.Kind)
	}
}

// checkName admits what is safe in a URI, a file name, a log line and a DNS label.
func checkName(kind, name string) error {
	if name == "" || len(name) > maxNameChars {
		return fmt.Errorf("%s name %q: want 1 to %d characters", kind, name, maxNameChars)
	}
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		inner := i > 0 && (c == '-' || c == '_' || c == '.')
		if !letter && !inner {
			return fmt.Errorf("%s name %q: want lower-case letters and digits, and inside also hyphen, underscore and full stop", kind, name)
		}
	}
	return nil
}

func checkClusterID(id string) error {
	if len(id) < minClusterIDChars || len(id) > maxClusterIDChars {
		return fmt.Errorf("cluster id %q: want %d to %d characters", id, minClusterIDChars, maxClusterIDChars)
	}
	for _, c := range []byte(id) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && c != '-' {
			return fmt.Errorf("cluster id %q: want lower-case letters, digits and hyphens", id)
		}
	}
	return nil
}

// NewClusterID returns a random cluster id in the form of a UUID version 4 (RFC 9562
// section 5.4).
func NewClusterID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Fingerprint returns the SHA-256 of the certificate's DER form, the value by which a
// registrar's certificate is registered.
func Fingerprint(cert *x509.Certificate) []byte {
	sum := sha256.Sum256(cert.Raw)
	return sum[:]
}
