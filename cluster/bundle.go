package cluster

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"cadastre/registry"
)

// Bundle is what the holder of a new certificate needs.
type Bundle struct {
	Identity    Identity
	Certificate *x509.Certificate
	caPEM       []byte
	certPEM     []byte
	keyPEM      []byte
	gossipKey   []byte // nodes only
}

// Write puts the bundle into dir: ca.crt, NAME.crt, NAME.key (readable by its owner only)
// and, for a node, gossip.key. Files of the same names are replaced, each as a whole.
func (b *Bundle) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create bundle folder: %w", err)
	}
	files := []file{
		{CACertFile, b.caPEM, 0o644},
		{b.Identity.Name + ".key", b.keyPEM, 0o600},
		{b.Identity.Name + ".crt", b.certPEM, 0o644},
	}
	if b.gossipKey != nil {
		files = append(files, file{GossipKeyFile, b.gossipKey, 0o600})
	}
	if err := writeFiles(dir, files); err != nil {
		return fmt.Errorf("write bundle of %s: %w", b.Identity, err)
	}
	return nil
}

// PathsIn returns where Write puts the files of a holder of the name in dir.
func PathsIn(dir, name string) Paths {
	return Paths{
		CA:          filepath.Join(dir, CACertFile),
		Certificate: filepath.Join(dir, name+".crt"),
		Key:         filepath.Join(dir, name+".key"),
	}
}

type file struct {
	name    string
	content []byte
	mode    os.FileMode
}

// writeFiles replaces each file atomically and makes all of them durable.
func writeFiles(dir string, files []file) error {
	for _, f := range files {
		if err := replaceFile(dir, f); err != nil {
			return err
		}
	}
	return syncFolder(dir)
}

func replaceFile(dir string, f file) error {
	tmp, err := os.CreateTemp(dir, "."+f.name+".*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(f.content)
	err = errors.Join(err, tmp.Chmod(f.mode), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(dir, f.name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// PEM block types.
const (
	pemCertificate = "CERTIFICATE"
	pemKey         = "PRIVATE KEY"
)

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: der})
}

// decodeCertificates returns at least one certificate or an error.
func decodeCertificates(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			break
		}
		if block.Type != pemCertificate {
			return nil, fmt.Errorf("unexpected PEM block %q", block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("no PEM certificate in it")
	}
	return certs, nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}), nil
}

func decodeKey(data []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemKey {
		return nil, errors.New("no PEM private key in it")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ecKey, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an ECDSA key")
	}
	return ecKey, nil
}

func isHostName(host string) bool {
	_, err := registry.ParseDomainName(host)
	return err == nil
}
