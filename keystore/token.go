package keystore

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"cadastre/dnssec"
	"cadastre/registry"
)

// TokenConfig names a token behind PKCS #11: a hardware security module, or SoftHSM.
type TokenConfig struct {
	// Module is the path of the vendor's library, Label that of the token in it.
	Module, Label string
	// PINFile holds the user PIN. Nobody but the owner may read it.
	PINFile string
}

// Keys holds private halves in a token, in sealed files, or both: new keys are made in the token where there is one, and
// keys that lie sealed stay usable, until they are rolled.
type Keys struct {
	files *Store
	token *Token // nil: none
}

// NewKeys returns the keys of a node; token may be nil.
func NewKeys(files *Store, token *Token) *Keys { return &Keys{files: files, token: token} }

// Enabled says whether the node can keep keys.
func (k *Keys) Enabled() bool { return k.token != nil || k.files.Enabled() }

// Generate makes a key for the zone.
func (k *Keys) Generate(tld registry.DomainName, role registry.KeyRole, algorithm uint8) (*registry.ZoneKey, error) {
	if k.token != nil {
		return k.token.Generate(tld, role, algorithm)
	}
	return k.files.Generate(tld, role, algorithm)
}

// Put keeps the private half of a key that another voter gave.
func (k *Keys) Put(key *registry.ZoneKey, private []byte) error { return k.files.Put(key, private) }

// Private returns the private half of a key, for another voter. Those in a token never leave it.
func (k *Keys) Private(key *registry.ZoneKey) ([]byte, error) {
	if k.token != nil && k.token.Has(key) {
		return nil, fmt.Errorf("key %s of %s is in a token, which it never leaves: give the other voter access to the token", key.ID, key.TLD)
	}
	return k.files.Private(key)
}

// Signer returns what signs with a key.
func (k *Keys) Signer(key *registry.ZoneKey) (crypto.Signer, error) {
	var errs []error
	if k.files.Enabled() {
		signer, err := k.files.Signer(key)
		if err == nil {
			return signer, nil
		}
		errs = append(errs, err)
	}
	if k.token != nil {
		signer, err := k.token.Signer(key)
		if err == nil {
			return signer, nil
		}
		errs = []error{err} // where keys are looked for now
	}
	if len(errs) == 0 {
		errs = append(errs, ErrDisabled)
	}
	return nil, errors.Join(errs...)
}

// Has says whether the private half can be used here.
func (k *Keys) Has(key *registry.ZoneKey) bool {
	_, err := k.Signer(key)
	return err == nil
}

// IsShared says whether other voters use the same copy of a key, so that it is not to go when this node needs it no more.
func (k *Keys) IsShared(key *registry.ZoneKey) bool { return k.token != nil && k.token.Has(key) }

// Delete removes the private half of a key for good.
func (k *Keys) Delete(key *registry.ZoneKey) error {
	err := k.files.Delete(key)
	if k.token != nil {
		err = errors.Join(err, k.token.Delete(key))
	}
	return err
}

// readPIN reads the PIN of a token.
func readPIN(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open the PIN of the token: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("look at the PIN of the token: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("the PIN of the token %s can be read by others (mode %o): chmod 600", path, info.Mode().Perm())
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFileOctets))
	if err != nil {
		return "", fmt.Errorf("read the PIN of the token: %w", err)
	}
	pin := string(bytes.TrimSpace(content))
	if pin == "" {
		return "", fmt.Errorf("the file %s holds no PIN", path)
	}
	return pin, nil
}

// tokenID is the CKA_ID of a key's objects in a token.
func tokenID(id string) ([]byte, error) {
	octets, err := hex.DecodeString(id)
	if err != nil || len(octets) == 0 {
		return nil, fmt.Errorf("the id of a key %q is not hexadecimal", id)
	}
	return octets, nil
}

// samePublic says whether a public key is that of the zone key.
func samePublic(k *registry.ZoneKey, public crypto.PublicKey) error {
	have, err := dnssec.PublicKey(public)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, k.PublicKey) {
		return fmt.Errorf("the key with the id %s in the token is another one than that of %s", k.ID, k.TLD)
	}
	return nil
}
