package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// caNextDir is the folder in that of an authority in which its successor waits.
const caNextDir = "next"

// Certificate returns the authority's own certificate.
func (ca *CA) Certificate() *x509.Certificate { return ca.cert }

// Trusted returns the authorities in ca.crt: the one that issues first, and during a
// rotation the one before it.
func (ca *CA) Trusted() ([]*x509.Certificate, error) { return decodeCertificates(ca.certPEM) }

// TrustedPEM returns the content of ca.crt, for whoever holds a certificate.
func (ca *CA) TrustedPEM() []byte { return ca.certPEM }

// NextCA returns the successor of the authority in dir, which is made if there is none yet.
// It issues for the same cluster; bundles that it makes trust both.
func NextCA(dir string) (next *CA, made bool, err error) {
	present, err := LoadCA(dir)
	if err != nil {
		return nil, false, err
	}
	nextDir := filepath.Join(dir, caNextDir)
	_, err = os.Stat(filepath.Join(nextDir, CACertFile))
	if errors.Is(err, fs.ErrNotExist) {
		made = true
		err = makeNext(nextDir, present)
	}
	if err != nil {
		return nil, false, fmt.Errorf("make the next authority: %w", err)
	}
	next, err = loadAuthority(nextDir, present.gossipKey)
	if err != nil {
		return nil, false, err
	}
	if next.clusterID != present.clusterID {
		return nil, false, fmt.Errorf("%s is an authority of cluster %s, not %s", nextDir, next.clusterID, present.clusterID)
	}
	return next, made, nil
}

// IsRotating says whether a successor waits in dir.
func IsRotating(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, caNextDir, CACertFile))
	return err == nil
}

// FolderAuthorities returns, in DER, every authority that the folder knows: those in ca.crt
// and the successor.
func FolderAuthorities(dir string) (list [][]byte, err error) {
	for _, path := range []string{filepath.Join(dir, CACertFile), filepath.Join(dir, caNextDir, CACertFile)} {
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && len(list) > 0 {
			return list, nil // no rotation is under way
		}
		if err != nil {
			return nil, fmt.Errorf("read the authorities: %w", err)
		}
		certs, err := decodeCertificates(content)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		for _, cert := range certs {
			list = append(list, cert.Raw)
		}
	}
	return list, nil
}

func makeNext(dir string, present *CA) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := selfSign(present.clusterID, key)
	if err != nil {
		return err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return err
	}
	both := append(encodeCertificate(der), encodeCertificate(present.cert.Raw)...)
	return writeFiles(dir, []file{{CAKeyFile, keyPEM, 0o600}, {CACertFile, both, 0o644}})
}

// PromoteNext puts the successor in the place of the authority, whose key is gone then. It
// may be repeated if it was interrupted.
func PromoteNext(dir string) error {
	nextDir := filepath.Join(dir, caNextDir)
	var files []file
	for _, f := range []file{{CAKeyFile, nil, 0o600}, {CACertFile, nil, 0o644}} {
		content, err := os.ReadFile(filepath.Join(nextDir, f.name))
		if err != nil {
			return fmt.Errorf("read the next authority: %w", err)
		}
		files = append(files, file{f.name, content, f.mode})
	}
	if err := writeFiles(dir, files); err != nil {
		return fmt.Errorf("put the next authority in place: %w", err)
	}
	// The certificate goes first: while it is there the rotation is under way and the key is
	// looked for.
	if err := os.Remove(filepath.Join(nextDir, CACertFile)); err != nil {
		return err
	}
	return os.RemoveAll(nextDir)
}

// FinishPromotion completes a PromoteNext that was interrupted between its two files.
func FinishPromotion(dir string) error {
	if !IsRotating(dir) {
		return nil
	}
	key, err := os.ReadFile(filepath.Join(dir, CAKeyFile))
	if err != nil {
		return fmt.Errorf("read CA key: %w", err)
	}
	next, err := os.ReadFile(filepath.Join(dir, caNextDir, CAKeyFile))
	if err != nil {
		return fmt.Errorf("read the next CA key: %w", err)
	}
	if string(key) != string(next) {
		return nil
	}
	return PromoteNext(dir)
}

// DropOld makes ca.crt hold the authority that issues, alone.
func (ca *CA) DropOld(dir string) error {
	return writeFiles(dir, []file{{CACertFile, encodeCertificate(ca.cert.Raw), 0o644}})
}

// SignRequest issues a certificate for a node's own key. The request (PKCS #10, DER) must
// be signed by that key and name the node; other identities, and other uses than a node's,
// cannot be asked for.
func (ca *CA) SignRequest(request []byte, nodeID string, lifetime time.Duration) (certPEM []byte, err error) {
	csr, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return nil, fmt.Errorf("read the certificate request of node %s: %w", nodeID, err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("the certificate request of node %s: %w", nodeID, err)
	}
	key, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the certificate request of node %s: not an ECDSA key", nodeID)
	}
	id := Identity{ClusterID: ca.clusterID, Kind: KindNode, Name: nodeID}
	if err := id.validate(); err != nil {
		return nil, err
	}
	if len(csr.URIs) != 1 || csr.URIs[0].String() != id.String() {
		return nil, fmt.Errorf("the certificate request of node %s names %v, want %s", nodeID, csr.URIs, id)
	}
	hosts := append([]string{}, csr.DNSNames...)
	for _, ip := range csr.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	template, err := ca.template(id, hosts, lifetime)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key, ca.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %s: %w", id, err)
	}
	return encodeCertificate(der), nil
}
