//go:build !cgo

package keystore

import (
	"crypto"
	"errors"

	"cadastre/registry"
)

// errNoCgo is returned for every use of a token by a program that cannot load libraries.
var errNoCgo = errors.New("this program was built without cgo and cannot use a token behind PKCS #11: build it with CGO_ENABLED=1, or keep keys in sealed files (keys.seal_file)")

// Token stands for a token that this program cannot use.
type Token struct{}

// OpenToken says that this program cannot use tokens.
func OpenToken(TokenConfig) (*Token, error) { return nil, errNoCgo }

// Close does nothing.
func (*Token) Close() error { return nil }

// Generate says that this program cannot use tokens.
func (*Token) Generate(registry.DomainName, registry.KeyRole, uint8) (*registry.ZoneKey, error) {
	return nil, errNoCgo
}

// Signer says that this program cannot use tokens.
func (*Token) Signer(*registry.ZoneKey) (crypto.Signer, error) { return nil, errNoCgo }

// Has says that no key is there.
func (*Token) Has(*registry.ZoneKey) bool { return false }

// Delete says that this program cannot use tokens.
func (*Token) Delete(*registry.ZoneKey) error { return errNoCgo }
