package zone

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"

	"github.com/miekg/dns"

	"cadastre/registry"
)

// keyDigestType is the digest of the DS records that the registry makes of keys: SHA-256,
// which every validator knows (RFC 4509).
const keyDigestType = dns.SHA256

// DelegationSigners returns the DS records of a domain in the order in which they are
// published: those that its registrar gave, or those made of the keys that it gave
// (RFC 5910 section 4).
func DelegationSigners(domain *registry.Domain) []registry.DelegationSigner {
	signers := slices.Clone(domain.DS)
	for i := range domain.Keys {
		if ds, ok := digestKey(domain.Name, &domain.Keys[i]); ok {
			signers = append(signers, ds)
		}
	}
	slices.SortFunc(signers, func(a, b registry.DelegationSigner) int {
		switch {
		case a.KeyTag != b.KeyTag:
			return int(a.KeyTag) - int(b.KeyTag)
		case a.Algorithm != b.Algorithm:
			return int(a.Algorithm) - int(b.Algorithm)
		case a.DigestType != b.DigestType:
			return int(a.DigestType) - int(b.DigestType)
		default:
			return bytes.Compare(a.Digest, b.Digest)
		}
	})
	return slices.CompactFunc(signers, func(a, b registry.DelegationSigner) bool { return a.SameAs(&b) })
}

// digestKey makes the DS record of a key (RFC 4034 section 5.1.4).
func digestKey(owner registry.DomainName, key *registry.PublicKey) (registry.DelegationSigner, bool) {
	record := &dns.DNSKEY{
		Hdr: header(owner, dns.TypeDNSKEY, 0), Flags: key.Flags, Protocol: key.Protocol, Algorithm: key.Algorithm,
		PublicKey: base64.StdEncoding.EncodeToString(key.Data),
	}
	ds := record.ToDS(keyDigestType)
	if ds == nil {
		return registry.DelegationSigner{}, false
	}
	digest, err := hex.DecodeString(ds.Digest)
	return registry.DelegationSigner{KeyTag: ds.KeyTag, Algorithm: ds.Algorithm, DigestType: ds.DigestType, Digest: digest}, err == nil
}

func dsRecords(domain *registry.Domain, ttlSeconds uint32) []dns.RR {
	signers := DelegationSigners(domain)
	rrs := make([]dns.RR, 0, len(signers))
	for _, ds := range signers {
		rrs = append(rrs, &dns.DS{
			Hdr: header(domain.Name, dns.TypeDS, ttlSeconds), KeyTag: ds.KeyTag, Algorithm: ds.Algorithm, DigestType: ds.DigestType,
			Digest: hex.EncodeToString(ds.Digest),
		})
	}
	return rrs
}
