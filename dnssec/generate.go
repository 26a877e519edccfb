package dnssec

import (
	"crypto"
	"fmt"

	"github.com/miekg/dns"

	"cadastre/registry"
)

// Flags of DNSKEY records (RFC 4034 section 2.1.1, RFC 3757).
const (
	FlagsZoneKey    uint16 = 256
	FlagsEntryPoint uint16 = 257 // of keys that the parent points to
	dnskeyProtocol         = 3
	rsaBits                = 2048
	ecdsaBits              = 256
	ed25519Bits            = 256
)

// Generate makes a new key for the zone: ECDSA P-256 (13), Ed25519 (15) or RSA-2048 with SHA-256 (8).
func Generate(tld registry.DomainName, flags uint16, algorithm uint8, ttlSeconds uint32) (Key, error) {
	bits, known := map[uint8]int{dns.ECDSAP256SHA256: ecdsaBits, dns.ED25519: ed25519Bits, dns.RSASHA256: rsaBits}[algorithm]
	if !known {
		return Key{}, fmt.Errorf("generate a key of algorithm %d: use 13 (ECDSA P-256), 15 (Ed25519) or 8 (RSA-2048)", algorithm)
	}
	record := &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: string(tld) + ".", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: ttlSeconds},
		Flags: flags, Protocol: dnskeyProtocol, Algorithm: algorithm,
	}
	private, err := record.Generate(bits)
	if err != nil {
		return Key{}, fmt.Errorf("generate a key of algorithm %d for %s: %w", algorithm, tld, err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return Key{}, fmt.Errorf("generate a key of algorithm %d for %s: it cannot sign", algorithm, tld)
	}
	return Key{Record: record, Signer: signer}, nil
}
