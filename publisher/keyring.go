package publisher

import (
	"crypto"
	"errors"
	"fmt"

	"cadastre/dnssec"
	"cadastre/registry"
	"cadastre/store"
)

// errNoKeyYet says that a zone waits for its first keys.
var errNoKeyYet = errors.New("the zone is to be signed and its first keys are not in use yet")

// signers gives the private halves of keys that are on this node.
type signers interface {
	Signer(k *registry.ZoneKey) (crypto.Signer, error)
}

// Keyring says what zones are signed with by the keys of the state, whose private halves are on this node.
type Keyring struct{ signers signers }

// NewKeyring returns a keyring over this node's private keys.
func NewKeyring(s signers) *Keyring { return &Keyring{signers: s} }

// Keys returns what the zone is signed with, nil if it is not to be signed.
func (r *Keyring) Keys(tx *store.ReadTx, tld *registry.TLD) (*dnssec.KeySet, error) {
	if tld.Policy.Signing.Denial == registry.DenialNone {
		return nil, nil
	}
	set, err := dnssec.Assemble(tld, tx.ZoneKeys(tld.Name), func(k *registry.ZoneKey) (crypto.Signer, error) {
		signer, err := r.signers.Signer(k)
		if err != nil {
			return nil, fmt.Errorf("key %d of %s cannot be reached on this node: %w", k.Tag, tld.Name, err)
		}
		return signer, nil
	})
	if err == nil && set == nil {
		return nil, errNoKeyYet
	}
	if set != nil && !tx.ZoneGuard(tld.Name).DSGoneAt.IsZero() {
		set.Parent = nil // the zone is on its way out of signing
	}
	return set, err
}
