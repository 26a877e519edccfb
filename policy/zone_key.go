package policy

import (
	"fmt"
	"net"
	"slices"
	"time"

	"cadastre/registry"
)

const (
	// DefaultZoneAlgorithm is ECDSA P-256 with SHA-256 (RFC 8624 section 3.1).
	DefaultZoneAlgorithm uint8 = 13
	// defaultPropagationSeconds and defaultDSTTLSeconds err on the long side: a rollover that waits does no harm.
	defaultPropagationSeconds = 3600
	defaultDSTTLSeconds       = 86400
	// RemovedKeyLifetime is how long a key that is gone is remembered, so that its tag is not used again while
	// somebody may still have it in a cache or a configuration.
	RemovedKeyLifetime = 30 * 24 * time.Hour
)

// IsZoneAlgorithm says whether zones can be signed with the algorithm.
func IsZoneAlgorithm(algorithm uint8) bool { return slices.Contains([]uint8{8, 13, 15}, algorithm) }

// ZoneAlgorithm is that of new keys of the TLD.
func ZoneAlgorithm(tld *registry.TLD) uint8 {
	if a := tld.Policy.Signing.Algorithm; a != 0 {
		return a
	}
	return DefaultZoneAlgorithm
}

// DNSKEYTTLSeconds is the TTL of the DNSKEY set.
func DNSKEYTTLSeconds(tld *registry.TLD) uint32 {
	return orDefault(tld.Policy.Signing.DNSKEYTTLSeconds, tld.Policy.ApexTTLSeconds)
}

// Propagation is how long the slowest server takes to show a publication.
func Propagation(tld *registry.TLD) time.Duration {
	return time.Duration(orDefault(tld.Policy.Signing.PropagationSeconds, defaultPropagationSeconds)) * time.Second
}

// DSTTL is that of the DS set at the parent.
func DSTTL(tld *registry.TLD) time.Duration {
	return time.Duration(orDefault(tld.Policy.Signing.DSTTLSeconds, defaultDSTTLSeconds)) * time.Second
}

// MaxZoneTTL is the longest time that a resolver keeps a record of the zone, and so its signature.
func MaxZoneTTL(tld *registry.TLD) time.Duration {
	p := &tld.Policy
	longest := max(p.ApexTTLSeconds, p.DelegationTTLSeconds, DNSKEYTTLSeconds(tld))
	for _, t := range []registry.RecordType{registry.RecordNS, registry.RecordDS, registry.RecordA, registry.RecordAAAA} {
		longest = max(longest, TTLBounds(tld, t).Max)
	}
	return time.Duration(longest) * time.Second
}

func orDefault(set, otherwise uint32) uint32 {
	if set == 0 {
		return otherwise
	}
	return set
}

const (
	maxSignatureDays   = 180 // Zonemaster's DNSSEC04
	maxDNSKEYTTL       = 7 * 86400
	maxZSKLifetimeDays = 3650
	maxPropagation     = 7 * 86400
)

// checkSigning returns what is wrong with how a zone is to be signed, "" if nothing is.
func checkSigning(s *registry.SigningPolicy) string {
	validity, refresh := orDefault(s.ValidityDays, DefaultSignatureValidityDays), orDefault(s.RefreshDays, DefaultSignatureRefreshDays)
	switch {
	case s.Denial > registry.DenialNSEC:
		return "absence is proved by nsec3 or nsec"
	case s.OptOut && s.Denial != registry.DenialNSEC3:
		return "opt-out is an option of nsec3 (RFC 5155 section 6)"
	case validity > maxSignatureDays || refresh >= validity:
		return fmt.Sprintf("signatures are valid for at most %d days and renewed before they end", maxSignatureDays)
	case s.Algorithm != 0 && !IsZoneAlgorithm(s.Algorithm):
		return "zones are signed with algorithm 13 (ECDSA P-256), 15 (Ed25519) or 8 (RSA-2048)"
	case s.Layout > registry.LayoutSplit:
		return "the layout of keys is csk or ksk-zsk"
	case s.DNSKEYTTLSeconds > maxDNSKEYTTL || s.PropagationSeconds > maxPropagation || s.DSTTLSeconds > maxDNSKEYTTL:
		return "the TTLs and the propagation delay are at most a week"
	case s.ZSKLifetimeDays > maxZSKLifetimeDays:
		return "a ZSK is replaced after ten years at the latest"
	case s.ZSKLifetimeDays > 0 && s.Layout != registry.LayoutSplit:
		return "only a ZSK is replaced by itself; what replaces a CSK waits for the parent"
	}
	if s.ParentServer != "" {
		if host, port, err := net.SplitHostPort(s.ParentServer); err != nil || host == "" || port == "" || len(s.ParentServer) > 300 {
			return "the parent's server is given as host:port"
		}
	}
	return ""
}

// IsNewAlgorithm says whether keys of the algorithm are on their way into a zone that is signed with others.
func IsNewAlgorithm(keys []registry.ZoneKey, algorithm uint8) bool {
	active := false
	for i := range keys {
		if keys[i].State == registry.KeyActive {
			active = true
			if keys[i].Algorithm == algorithm {
				return false
			}
		}
	}
	return active
}

// MayMoveKey says whether a key may go from its state to another.
func MayMoveKey(k *registry.ZoneKey, to registry.KeyState) bool {
	type move struct{ from, to registry.KeyState }
	m := move{k.State, to}
	switch m {
	case move{registry.KeyStandby, registry.KeyPublished}, move{registry.KeyStandby, registry.KeyActive}:
		return k.Rolling
	case move{registry.KeyStandby, registry.KeySigning}:
		return k.Rolling && k.Role.SignsZone()
	case move{registry.KeySigning, registry.KeyPublished}, move{registry.KeyWithdrawn, registry.KeyRemoved}, move{registry.KeyRetiring, registry.KeyRemoved}:
		return true
	case move{registry.KeyPublished, registry.KeyReady}:
		return k.Role.IsEntryPoint()
	case move{registry.KeyPublished, registry.KeyActive}:
		return k.Role == registry.KeyZSK
	case move{registry.KeyReady, registry.KeyActive}:
		return !k.DSSeenAt.IsZero()
	case move{registry.KeyActive, registry.KeyRetiring}, move{registry.KeyActive, registry.KeyWithdrawn}:
		return k.Role.SignsZone()
	case move{registry.KeyActive, registry.KeyRemoved}:
		return k.Role == registry.KeyKSK
	}
	return false
}

// CheckKeys returns why the zone would lose its chain of trust if its keys changed so, "" if it does not.
func CheckKeys(before, after []registry.ZoneKey) string {
	has := func(keys []registry.ZoneKey, does func(registry.KeyRole) bool) bool {
		return slices.ContainsFunc(keys, func(k registry.ZoneKey) bool { return k.State == registry.KeyActive && does(k.Role) })
	}
	switch {
	case has(before, registry.KeyRole.IsEntryPoint) && !has(after, registry.KeyRole.IsEntryPoint):
		return "the zone would have no key that the parent points to"
	case has(before, registry.KeyRole.SignsZone) && !has(after, registry.KeyRole.SignsZone):
		return "the zone would have no key that signs it"
	}
	return ""
}
