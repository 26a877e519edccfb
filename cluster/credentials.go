package cluster

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// reloadCheckInterval bounds how often handshakes look at the files: a renewed certificate
// is in use a second later, and a flood of handshakes costs no flood of stat calls.
const reloadCheckInterval = time.Second

// Paths says where the PEM files of a certificate holder are.
type Paths struct {
	CA          string
	Certificate string
	Key         string
}

// Credentials are a holder's certificate, key and CA. They follow the files: renewed ones
// are used by the next handshake, without a restart. While the files on disk are unusable
// the last good ones stay in use and the log says so.
type Credentials struct {
	paths    Paths
	log      *slog.Logger
	identity Identity // fixed for life; renewed files must carry the same

	mu        sync.Mutex
	current   *material
	checkedAt time.Time
	stamp     [3]fileStamp
	// trusted, if not nil, is what the cluster says, in the place of the CA file.
	trusted *trustSet
}

// trustSet is a set of authorities; immutable.
type trustSet struct {
	pool        *x509.CertPool
	authorities []*x509.Certificate
}

// Trust sets the authorities that count in the place of those in the CA file; none lets the
// file count again. Each must be an authority of this cluster.
func (c *Credentials) Trust(authorities [][]byte) error {
	var set *trustSet
	for _, der := range authorities {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("trust an authority: %w", err)
		}
		if id, err := caClusterID(cert); err != nil || id != c.ClusterID() {
			return errors.Join(fmt.Errorf("trust an authority: %q is not one of cluster %s", cert.Subject.CommonName, c.ClusterID()), err)
		}
		if set == nil {
			set = &trustSet{pool: x509.NewCertPool()}
		}
		set.pool.AddCert(cert)
		set.authorities = append(set.authorities, cert)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trusted = set
	return nil
}

// roots returns the authorities that count now.
func (c *Credentials) roots() *x509.CertPool {
	m := c.material()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trusted != nil {
		return c.trusted.pool
	}
	return m.roots
}

// authorities returns them as certificates, and the one that our own certificate is from,
// nil if none of them.
func (c *Credentials) authorities() (trusted []*x509.Certificate, issuer *x509.Certificate) {
	m := c.material()
	c.mu.Lock()
	defer c.mu.Unlock()
	trusted = m.authorities
	if c.trusted != nil {
		trusted = c.trusted.authorities
	}
	for _, ca := range append(append([]*x509.Certificate{}, trusted...), m.authorities...) {
		if m.certificate.Leaf.CheckSignatureFrom(ca) == nil {
			return trusted, ca
		}
	}
	return trusted, nil
}

// IssuedBy says whether the certificate in use was signed by the authority.
func (c *Credentials) IssuedBy(ca *x509.Certificate) bool {
	return c.Certificate().CheckSignatureFrom(ca) == nil
}

// material is one consistent reading of the files; immutable.
type material struct {
	certificate tls.Certificate
	roots       *x509.CertPool
	authorities []*x509.Certificate
}

type fileStamp struct {
	modified  time.Time
	sizeBytes int64
}

// LoadCredentials reads the files and checks that they belong together.
func LoadCredentials(paths Paths, log *slog.Logger) (*Credentials, error) {
	c := &Credentials{paths: paths, log: log}
	if err := finishReplace(paths); err != nil {
		return nil, fmt.Errorf("finish the replacement of the certificate %s: %w", paths.Certificate, err)
	}
	stamp, err := c.stat()
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	m, id, err := c.read()
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	c.current, c.identity, c.stamp, c.checkedAt = m, id, stamp, time.Now()
	return c, nil
}

// Identity returns whose credentials these are.
func (c *Credentials) Identity() Identity { return c.identity }

// ClusterID returns the id of the cluster that they are for.
func (c *Credentials) ClusterID() string { return c.identity.ClusterID }

// Certificate returns the leaf certificate now in use.
func (c *Credentials) Certificate() *x509.Certificate { return c.material().certificate.Leaf }

// material returns the newest usable reading of the files.
func (c *Credentials) material() *material {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.checkedAt) < reloadCheckInterval {
		return c.current
	}
	c.checkedAt = now
	stamp, err := c.stat()
	if err == nil && stamp == c.stamp {
		return c.current
	}
	if err == nil {
		err = c.reload(stamp)
	}
	if err != nil {
		c.log.Warn("cannot use the certificate files on disk; the loaded ones stay in use",
			"certificate", c.paths.Certificate, "error", err)
	}
	return c.current
}

// reload runs under mu.
func (c *Credentials) reload(stamp [3]fileStamp) error {
	m, id, err := c.read()
	if err != nil {
		return err
	}
	if id != c.identity {
		return fmt.Errorf("the new certificate is of %s, this process is %s", id, c.identity)
	}
	c.current, c.stamp = m, stamp
	c.log.Info("certificate reloaded", "identity", id.String(), "not_after", m.certificate.Leaf.NotAfter)
	return nil
}

func (c *Credentials) stat() ([3]fileStamp, error) {
	var stamp [3]fileStamp
	for i, path := range []string{c.paths.CA, c.paths.Certificate, c.paths.Key} {
		info, err := os.Stat(path)
		if err != nil {
			return stamp, err
		}
		stamp[i] = fileStamp{info.ModTime(), info.Size()}
	}
	return stamp, nil
}

func (c *Credentials) read() (*material, Identity, error) {
	caPEM, err := os.ReadFile(c.paths.CA)
	if err != nil {
		return nil, Identity{}, err
	}
	authorities, err := decodeCertificates(caPEM)
	if err != nil {
		return nil, Identity{}, fmt.Errorf("read %s: %w", c.paths.CA, err)
	}
	m := &material{roots: x509.NewCertPool(), authorities: authorities}
	for _, ca := range authorities {
		m.roots.AddCert(ca)
	}
	m.certificate, err = tls.LoadX509KeyPair(c.paths.Certificate, c.paths.Key)
	if err != nil {
		return nil, Identity{}, fmt.Errorf("read %s and %s: %w", c.paths.Certificate, c.paths.Key, err)
	}
	id, err := ParseIdentity(m.certificate.Leaf)
	if err != nil {
		return nil, Identity{}, fmt.Errorf("read %s: %w", c.paths.Certificate, err)
	}
	for _, ca := range authorities {
		caCluster, err := caClusterID(ca)
		if err != nil {
			return nil, Identity{}, fmt.Errorf("read %s: %w", c.paths.CA, err)
		}
		// Nobody else asks whether an authority has signed itself: it tells damage.
		if err := ca.CheckSignatureFrom(ca); err != nil {
			return nil, Identity{}, fmt.Errorf("read %s: the authority's own signature is wrong: %w", c.paths.CA, err)
		}
		if caCluster != id.ClusterID {
			return nil, Identity{}, fmt.Errorf("%s is the CA of cluster %s, but %s is of cluster %s",
				c.paths.CA, caCluster, c.paths.Certificate, id.ClusterID)
		}
	}
	_, err = m.certificate.Leaf.Verify(x509.VerifyOptions{
		Roots: m.roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		// Expiry is for the other side to judge: an expired node must still start and say so.
		CurrentTime: m.certificate.Leaf.NotBefore,
	})
	if err != nil {
		return nil, Identity{}, fmt.Errorf("%s is not from the CA in %s: %w", c.paths.Certificate, c.paths.CA, err)
	}
	return m, id, nil
}

// Replace writes a new certificate and key, and the authorities, over the files and uses
// them from the next handshake on. They must belong together and to the same holder.
func (c *Credentials) Replace(authoritiesPEM, certificatePEM []byte, key *ecdsa.PrivateKey) error {
	keyPEM, err := encodeKey(key)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certificatePEM, keyPEM)
	if err != nil {
		return fmt.Errorf("the certificate does not fit the key: %w", err)
	}
	id, err := ParseIdentity(pair.Leaf)
	if err != nil {
		return err
	}
	if id != c.identity {
		return fmt.Errorf("the certificate is of %s, this is %s", id, c.identity)
	}
	authorities, err := decodeCertificates(authoritiesPEM)
	if err != nil {
		return fmt.Errorf("read the authorities: %w", err)
	}
	issued := false
	for _, ca := range authorities {
		if id, err := caClusterID(ca); err != nil || id != c.identity.ClusterID {
			return fmt.Errorf("%q is not an authority of cluster %s", ca.Subject.CommonName, c.identity.ClusterID)
		}
		issued = issued || pair.Leaf.CheckSignatureFrom(ca) == nil
	}
	_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: c.roots(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil || !issued {
		return errors.Join(errors.New("the certificate is from no authority that this node trusts"), err)
	}
	if err := replaceFiles(c.paths, authoritiesPEM, certificatePEM, keyPEM, nil); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	stamp, err := c.stat()
	if err != nil {
		return err
	}
	return c.reload(stamp)
}
