package registry

import "bytes"

// DelegationSigner is a DS record (RFC 4034 section 5) that a registrar gave for a domain.
type DelegationSigner struct {
	KeyTag     uint16
	Algorithm  uint8
	DigestType uint8
	Digest     []byte
	// Key is the key that the digest is said to be of, nil if it was not given. It is kept
	// and shown, and not published.
	Key *PublicKey
}

// SameAs says whether both are the same record; keys are not compared.
func (d *DelegationSigner) SameAs(other *DelegationSigner) bool {
	return d.KeyTag == other.KeyTag && d.Algorithm == other.Algorithm && d.DigestType == other.DigestType &&
		bytes.Equal(d.Digest, other.Digest)
}

// PublicKey is a DNSKEY record (RFC 4034 section 2) that a registrar gave for a domain; the
// registry makes the DS record of it.
type PublicKey struct {
	Flags     uint16
	Protocol  uint8
	Algorithm uint8
	Data      []byte
}

// SameAs says whether both are the same record.
func (k *PublicKey) SameAs(other *PublicKey) bool {
	return k.Flags == other.Flags && k.Protocol == other.Protocol && k.Algorithm == other.Algorithm && bytes.Equal(k.Data, other.Data)
}
