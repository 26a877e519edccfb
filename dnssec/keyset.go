package dnssec

import (
	"crypto"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"cadastre/registry"
)

// Key is a key that can sign.
type Key struct {
	Record *dns.DNSKEY
	Signer crypto.Signer
}

// KeySet is what a zone is signed with at a moment.
type KeySet struct {
	// Published is the DNSKEY set of the apex.
	Published []*dns.DNSKEY
	// Apex keys sign the DNSKEY, CDS and CDNSKEY sets; Zone keys sign all else, each of them every set.
	Apex []Key
	Zone []Key
	// Parent holds the CDS and CDNSKEY records of the apex (RFC 7344); none while there is nothing to tell the parent.
	Parent []dns.RR
}

// Fingerprint names how a zone is signed: the proof of absence and the keys that sign its sets. A zone whose
// fingerprint is another has signatures to be made anew.
func Fingerprint(signing *registry.SigningPolicy, keys *KeySet) string {
	if keys == nil || signing.Denial == registry.DenialNone {
		return ""
	}
	parts := []string{signing.Denial.String()}
	if signing.Denial == registry.DenialNSEC3 && signing.OptOut {
		parts[0] += "-opt-out"
	}
	for i := range keys.Zone {
		parts = append(parts, keyName(keys.Zone[i].Record))
	}
	slices.Sort(parts[1:])
	return strings.Join(parts, " ")
}

func keyName(record *dns.DNSKEY) string {
	return fmt.Sprintf("%d/%d", record.Algorithm, record.KeyTag())
}

// SignsAs says whether a fingerprint names the key among those that sign.
func SignsAs(fingerprint string, record *dns.DNSKEY) bool {
	return slices.Contains(strings.Fields(fingerprint), keyName(record))
}
