package policy

import (
	"fmt"

	"cadastre/registry"
)

// DefaultMaxDelegationSigners is how many DS records or keys a domain may have where the TLD
// says nothing: two algorithms with two digests each, twice for a rollover.
const DefaultMaxDelegationSigners = 8

// MaxDelegationSignersLimit is the most that a TLD may admit, so that a referral stays small.
const MaxDelegationSignersLimit = 16

// Digest types of DS records and lengths of digests in octets (RFC 4509 section 2.1,
// RFC 6605 section 2).
const (
	digestSHA1, digestSHA256, digestSHA384 = 1, 2, 4
	sha256Octets, sha384Octets             = 32, 48
)

// What a key of a delegation must say: a zone key that is a secure entry point (RFC 4034
// sections 2.1.1 and 2.1.2).
const (
	keyFlags    = 257
	keyProtocol = 3
)

// isSigningAlgorithm says whether delegations may rest on the DNSSEC algorithm: those of
// IANA's registry that sign zones and do not use MD5, SHA-1 or the withdrawn GOST of 2001
// (RFC 9904, RFC 9905, RFC 9906).
func isSigningAlgorithm(algorithm uint8) bool {
	switch algorithm {
	case 8, 10, 13, 14, 15, 16, 17, 23:
		return true
	default:
		return false
	}
}

// CheckDelegationSigner says whether the DS record can be published under the TLD.
func CheckDelegationSigner(tld *registry.TLD, ds *registry.DelegationSigner) error {
	wrong := func(code registry.Code, field string, value any, reason string) error {
		return &registry.Error{Code: code, Field: field, Value: fmt.Sprint(value), Reason: reason}
	}
	switch {
	case tld.Policy.KeyDataInterface:
		return wrong(registry.CodeParameterPolicy, "keyTag", ds.KeyTag, "this TLD takes keys, not DS records; use keyData (RFC 5910 section 4)")
	case !isSigningAlgorithm(ds.Algorithm):
		return wrong(registry.CodeParameterPolicy, "alg", ds.Algorithm, "the algorithm is not one that delegations may rest on here (RFC 9904)")
	case ds.DigestType == digestSHA1:
		return wrong(registry.CodeParameterPolicy, "digestType", ds.DigestType, "SHA-1 digests are not published here; use digest type 2 or 4 (RFC 9905)")
	case ds.DigestType != digestSHA256 && ds.DigestType != digestSHA384:
		return wrong(registry.CodeParameterPolicy, "digestType", ds.DigestType, "the digest type is not published here; use 2 (SHA-256) or 4 (SHA-384)")
	case ds.DigestType == digestSHA256 && len(ds.Digest) != sha256Octets:
		return wrong(registry.CodeParameterSyntax, "digest", "", "a SHA-256 digest has 32 octets")
	case ds.DigestType == digestSHA384 && len(ds.Digest) != sha384Octets:
		return wrong(registry.CodeParameterSyntax, "digest", "", "a SHA-384 digest has 48 octets")
	case ds.Key != nil:
		return checkKey(ds.Key)
	}
	return nil
}

// CheckPublicKey says whether a DS record can be made of the key under the TLD.
func CheckPublicKey(tld *registry.TLD, key *registry.PublicKey) error {
	if !tld.Policy.KeyDataInterface {
		return &registry.Error{Code: registry.CodeParameterPolicy, Field: "flags", Value: fmt.Sprint(key.Flags),
			Reason: "this TLD takes DS records, not keys; use dsData (RFC 5910 section 4)"}
	}
	return checkKey(key)
}

func checkKey(key *registry.PublicKey) error {
	wrong := func(code registry.Code, field string, value any, reason string) error {
		return &registry.Error{Code: code, Field: field, Value: fmt.Sprint(value), Reason: reason}
	}
	switch {
	case key.Flags != keyFlags:
		return wrong(registry.CodeParameterRange, "flags", key.Flags, "the flags of the key of a delegation are 257 (RFC 4034 section 2.1.1)")
	case key.Protocol != keyProtocol:
		return wrong(registry.CodeParameterRange, "protocol", key.Protocol, "the protocol of a key is 3 (RFC 4034 section 2.1.2)")
	case !isSigningAlgorithm(key.Algorithm):
		return wrong(registry.CodeParameterPolicy, "alg", key.Algorithm, "the algorithm is not one that delegations may rest on here (RFC 9904)")
	case len(key.Data) == 0:
		return wrong(registry.CodeParameterSyntax, "pubKey", "", "the public key is empty")
	}
	return nil
}

// CheckDelegationSignerCount says whether a domain may have that many DS records or keys.
func CheckDelegationSignerCount(tld *registry.TLD, count int) error {
	most := int(tld.Policy.MaxDelegationSigners)
	if most == 0 {
		most = DefaultMaxDelegationSigners
	}
	if count > most {
		return &registry.Error{Code: registry.CodeParameterPolicy, Field: "dsData", Value: fmt.Sprint(count),
			Reason: fmt.Sprintf("a domain has at most %d DS records or keys under this TLD", most)}
	}
	return nil
}

// CheckRelayedKey says whether a key may be relayed from one DNS operator to another (RFC
// 8063): one that signs zones, entry point or not.
func CheckRelayedKey(key *registry.PublicKey) error {
	const withoutEntryPoint = keyFlags - 1 // RFC 4034 section 2.1.1
	if key.Flags != keyFlags && key.Flags != withoutEntryPoint {
		return &registry.Error{Code: registry.CodeParameterRange, Field: "flags", Value: fmt.Sprint(key.Flags),
			Reason: "the flags of a key that signs a zone are 256 or 257 (RFC 4034 section 2.1.1)"}
	}
	entry := *key
	entry.Flags = keyFlags
	return checkKey(&entry)
}
