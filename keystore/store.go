package keystore

import (
	"bytes"
	"crypto"
	"crypto/cipher"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"cadastre/dnssec"
	"cadastre/registry"
)

// ErrDisabled says that the node was given no seal key and so keeps no keys.
var ErrDisabled = errors.New(`this node keeps no zone keys: set key "keys.seal_file" of its configuration`)

const suffix = ".key"

// Store holds the private halves on this node.
type Store struct {
	dir  string
	aead cipher.AEAD // nil: disabled

	mu      sync.Mutex
	signers map[string]crypto.Signer // unsealed, by id
}

// Open opens the folder of keys, which need not exist, with the seal key in a file. Without a file the store is disabled.
func Open(dir, sealFile string) (*Store, error) {
	s := &Store{dir: dir, signers: make(map[string]crypto.Signer)}
	if sealFile == "" {
		return s, nil
	}
	var err error
	s.aead, err = readSealKey(sealFile)
	return s, err
}

// Enabled says whether the node can keep keys.
func (s *Store) Enabled() bool { return s.aead != nil }

// Generate makes a key for the zone and keeps its private half.
func (s *Store) Generate(tld registry.DomainName, role registry.KeyRole, algorithm uint8) (*registry.ZoneKey, error) {
	if !s.Enabled() {
		return nil, ErrDisabled
	}
	k, signer, err := dnssec.NewZoneKey(tld, role, algorithm)
	if err != nil {
		return nil, err
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails: crypto/rand ends the process instead
	k.ID = hex.EncodeToString(id)
	private, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return nil, fmt.Errorf("encode the new key of %s: %w", tld, err)
	}
	return k, s.Put(k, private)
}

// Put keeps the private half of a key, in PKCS #8, which must be that of its public half.
func (s *Store) Put(k *registry.ZoneKey, private []byte) error {
	if !s.Enabled() {
		return ErrDisabled
	}
	signer, err := parsePrivate(k, private)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path(k)), 0o700); err != nil {
		return fmt.Errorf("make the folder of keys: %w", err)
	}
	if err := writeFile(s.path(k), seal(s.aead, private, bound(k))); err != nil {
		return fmt.Errorf("keep key %s of %s: %w", k.ID, k.TLD, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signers[k.ID] = signer
	return nil
}

// Private returns the private half of a key in PKCS #8, for another voter.
func (s *Store) Private(k *registry.ZoneKey) ([]byte, error) {
	if !s.Enabled() {
		return nil, ErrDisabled
	}
	f, err := os.Open(s.path(k))
	if err != nil {
		return nil, fmt.Errorf("open key %s of %s: %w", k.ID, k.TLD, err)
	}
	defer func() { _ = f.Close() }() // only read
	sealed, err := io.ReadAll(io.LimitReader(f, maxFileOctets))
	if err != nil {
		return nil, fmt.Errorf("read key %s of %s: %w", k.ID, k.TLD, err)
	}
	private, err := unseal(s.aead, sealed, bound(k))
	if err != nil {
		return nil, fmt.Errorf("unseal key %s of %s in %s: %w", k.ID, k.TLD, s.path(k), err)
	}
	return private, nil
}

// Signer returns what signs with a key.
func (s *Store) Signer(k *registry.ZoneKey) (crypto.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if signer := s.signers[k.ID]; signer != nil {
		return signer, nil
	}
	private, err := s.Private(k)
	if err != nil {
		return nil, err
	}
	signer, err := parsePrivate(k, private)
	if err != nil {
		return nil, err
	}
	s.signers[k.ID] = signer
	return signer, nil
}

// Has says whether the private half is here and can be used.
func (s *Store) Has(k *registry.ZoneKey) bool {
	_, err := s.Signer(k)
	return err == nil
}

// IsShared says no: each voter has a file of its own.
func (s *Store) IsShared(*registry.ZoneKey) bool { return false }

// Delete removes the private half of a key for good.
func (s *Store) Delete(k *registry.ZoneKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.signers, k.ID)
	if err := os.Remove(s.path(k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete key %s of %s: %w", k.ID, k.TLD, err)
	}
	return nil
}

func (s *Store) path(k *registry.ZoneKey) string {
	return filepath.Join(s.dir, string(k.TLD), k.ID+suffix)
}

// bound ties a sealed private half to its place and public half.
func bound(k *registry.ZoneKey) string {
	return fmt.Sprintf("%s/%s/%d/%x", k.TLD, k.ID, k.Algorithm, k.PublicKey)
}

func parsePrivate(k *registry.ZoneKey, private []byte) (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("the private half of key %s of %s cannot be read", k.ID, k.TLD) // the cause might quote it
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("the private half of key %s of %s cannot sign", k.ID, k.TLD)
	}
	public, err := dnssec.PublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(public, k.PublicKey) {
		return nil, fmt.Errorf("the private half of key %s of %s is not that of its public half", k.ID, k.TLD)
	}
	return signer, nil
}

// writeFile writes a file as a whole: a crash leaves the old one or the new one.
func writeFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
