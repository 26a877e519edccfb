package dnssec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"math/big"

	"github.com/miekg/dns"
)

// verifier checks signatures of one key.
type verifier func(data, signature []byte) bool

// newVerifier makes a verifier of a DNSKEY record: ECDSA P-256 (RFC 6605), Ed25519 (RFC 8080) and RSA with SHA-256 or
// SHA-512 (RFC 5702).
func newVerifier(record *dns.DNSKEY) (verifier, error) {
	key, err := base64.StdEncoding.DecodeString(record.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("public key of %s: %w", keyName(record), err)
	}
	switch record.Algorithm {
	case dns.ECDSAP256SHA256:
		return ecdsaVerifier(record, key)
	case dns.ED25519:
		if len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("public key of %s: %d octets", keyName(record), len(key))
		}
		return func(data, signature []byte) bool { return ed25519.Verify(key, data, signature) }, nil
	case dns.RSASHA256, dns.RSASHA512:
		return rsaVerifier(record, key)
	default:
		return nil, fmt.Errorf("key %s: unknown algorithm", keyName(record))
	}
}

func ecdsaVerifier(record *dns.DNSKEY, key []byte) (verifier, error) {
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, key...))
	if err != nil {
		return nil, fmt.Errorf("public key of %s: %w", keyName(record), err)
	}
	return func(data, signature []byte) bool {
		const half = 32
		if len(signature) != 2*half {
			return false
		}
		digest := sha256.Sum256(data)
		return ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
	}, nil
}

func rsaVerifier(record *dns.DNSKEY, key []byte) (verifier, error) {
	// RFC 3110 section 2: the length of the exponent in one octet, or in three of which the first is zero.
	if len(key) < 3 {
		return nil, fmt.Errorf("public key of %s is too short", keyName(record))
	}
	length, rest := int(key[0]), key[1:]
	if length == 0 {
		length, rest = int(key[1])<<8|int(key[2]), key[3:]
	}
	const maxExponentOctets = 4
	if length > maxExponentOctets || length >= len(rest) {
		return nil, fmt.Errorf("public key of %s: an exponent of %d octets", keyName(record), length)
	}
	public := &rsa.PublicKey{E: int(new(big.Int).SetBytes(rest[:length]).Int64()), N: new(big.Int).SetBytes(rest[length:])}
	return func(data, signature []byte) bool {
		if record.Algorithm == dns.RSASHA512 {
			digest := sha512.Sum512(data)
			return rsa.VerifyPKCS1v15(public, crypto.SHA512, digest[:], signature) == nil
		}
		digest := sha256.Sum256(data)
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	}, nil
}
