package dnssec

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"fmt"

	"github.com/miekg/dns"

	"cadastre/policy"
	"cadastre/registry"
	"cadastre/zone"
)

// Record returns the DNSKEY record of a key.
func Record(tld *registry.TLD, k *registry.ZoneKey) *dns.DNSKEY {
	return &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: string(tld.Name) + ".", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: policy.DNSKEYTTLSeconds(tld)},
		Flags: k.Flags(), Protocol: dnskeyProtocol, Algorithm: k.Algorithm, PublicKey: base64.StdEncoding.EncodeToString(k.PublicKey),
	}
}

// DelegationSigner returns the DS record that the parent should have for a key (RFC 4509: SHA-256).
func DelegationSigner(tld *registry.TLD, k *registry.ZoneKey) *dns.DS {
	ds := Record(tld, k).ToDS(dns.SHA256)
	ds.Hdr.Ttl = uint32(policy.DSTTL(tld).Seconds())
	return ds
}

// Assemble makes what the zone is signed with of its keys as they stand; signer gives the private half of a key. It
// returns nil if none is in use.
func Assemble(tld *registry.TLD, keys []registry.ZoneKey, signer func(*registry.ZoneKey) (crypto.Signer, error)) (*KeySet, error) {
	out := &KeySet{}
	for i := range keys {
		k := &keys[i]
		record := Record(tld, k)
		if k.InDNSKEYSet() {
			out.Published = append(out.Published, record)
		}
		if !signsKeySet(k) && !signsZone(keys, k) {
			continue
		}
		private, err := signer(k)
		if err != nil {
			return nil, err
		}
		if signsKeySet(k) {
			out.Apex = append(out.Apex, Key{Record: record, Signer: private})
		}
		if signsZone(keys, k) {
			out.Zone = append(out.Zone, Key{Record: record, Signer: private})
		}
		if announced(k) {
			out.Parent = append(out.Parent, parentRecords(tld, k)...)
		}
	}
	if len(out.Apex) == 0 || len(out.Zone) == 0 {
		return nil, nil
	}
	return out, nil
}

// InUse says whether the key must be at hand for the zone to be signed.
func InUse(keys []registry.ZoneKey, k *registry.ZoneKey) bool {
	return signsKeySet(k) || signsZone(keys, k)
}

// signsKeySet says whether the key signs the DNSKEY, CDS and CDNSKEY sets.
func signsKeySet(k *registry.ZoneKey) bool {
	return k.Role.IsEntryPoint() && k.State >= registry.KeyPublished && k.State <= registry.KeyActive
}

// signsZone says whether the key signs the other sets. One of a new algorithm does before it is seen, and one of an
// old algorithm still after: a zone bears signatures of each algorithm of its DNSKEY set (RFC 4035 section 2.2).
func signsZone(keys []registry.ZoneKey, k *registry.ZoneKey) bool {
	if !k.Role.SignsZone() {
		return false
	}
	switch k.State {
	case registry.KeyActive, registry.KeySigning, registry.KeyWithdrawn:
		return true
	case registry.KeyPublished, registry.KeyReady:
		return policy.IsNewAlgorithm(keys, k.Algorithm)
	default:
		return false
	}
}

// announced says whether the zone tells the parent of the key (RFC 7344, RFC 8078): until the parent points to it.
func announced(k *registry.ZoneKey) bool {
	return k.Role.IsEntryPoint() && k.DSSeenAt.IsZero() && (k.State == registry.KeyReady || k.State == registry.KeyActive)
}

func parentRecords(tld *registry.TLD, k *registry.ZoneKey) []dns.RR {
	key, ds := Record(tld, k), DelegationSigner(tld, k)
	cds, cdnskey := ds.ToCDS(), key.ToCDNSKEY()
	cds.Hdr.Ttl, cdnskey.Hdr.Ttl = key.Hdr.Ttl, key.Hdr.Ttl
	return []dns.RR{cds, cdnskey}
}

// PublicKey returns the public half of a key as DNSKEY records carry it.
func PublicKey(key crypto.PublicKey) ([]byte, error) {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			return nil, fmt.Errorf("public key of ECDSA: %w", err)
		}
		return point[1:], nil // RFC 6605 section 4: without the octet that says that it is uncompressed
	case ed25519.PublicKey:
		return bytes.Clone(key), nil
	case *rsa.PublicKey:
		exponent := bigEndian(key.E) // RFC 3110 section 2
		return append(append([]byte{byte(len(exponent))}, exponent...), key.N.Bytes()...), nil
	default:
		return nil, fmt.Errorf("a key of type %T signs no zone", key)
	}
}

func bigEndian(n int) (out []byte) {
	for ; n > 0; n >>= 8 {
		out = append([]byte{byte(n)}, out...)
	}
	return out
}

// NewZoneKey makes a key for the zone: its public half and what signs.
func NewZoneKey(tld registry.DomainName, role registry.KeyRole, algorithm uint8) (*registry.ZoneKey, crypto.Signer, error) {
	k := &registry.ZoneKey{TLD: tld, Role: role, Algorithm: algorithm, State: registry.KeyStandby}
	made, err := Generate(tld, k.Flags(), algorithm, 0)
	if err != nil {
		return nil, nil, err
	}
	if k.PublicKey, err = PublicKey(made.Signer.Public()); err != nil {
		return nil, nil, err
	}
	k.Tag = registry.KeyTag(k.Flags(), algorithm, k.PublicKey)
	return k, made.Signer, nil
}

// Shown is what the published zone shows of its keys.
type Shown struct {
	// SignedAs is the fingerprint of how all of it is signed.
	SignedAs string
	// Tags are the key tags of the DNSKEY set at the apex.
	Tags []uint16
}

// ReadShown reads it from the state.
func ReadShown(view View, tld registry.DomainName, signedAs string) (Shown, error) {
	shown := Shown{SignedAs: signedAs}
	packed, _ := view.Published(tld, tld)
	rrs, err := zone.Unpack(packed)
	if err != nil {
		return shown, err
	}
	for _, rr := range rrs {
		if key, ok := rr.(*dns.DNSKEY); ok {
			shown.Tags = append(shown.Tags, key.KeyTag())
		}
	}
	return shown, nil
}

// Is says whether all of the zone is signed as its keys and policy say that it should be. Without keys there is nothing
// that it should be.
func (s Shown) Is(tld *registry.TLD, keys []registry.ZoneKey) bool {
	set := &KeySet{}
	for i := range keys {
		if signsZone(keys, &keys[i]) {
			set.Zone = append(set.Zone, Key{Record: Record(tld, &keys[i])})
		}
	}
	return len(set.Zone) == 0 || Fingerprint(&tld.Policy.Signing, set) == s.SignedAs
}
