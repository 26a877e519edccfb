package registry

import "time"

// KeyRole says what a key of a zone signs. Stored.
type KeyRole uint8

// The roles.
const (
	KeyKSK KeyRole = 1 // the DNSKEY set; the parent's DS record points to it
	KeyZSK KeyRole = 2 // all else
	KeyCSK KeyRole = 3 // both
)

// String returns the role as operators know it.
func (r KeyRole) String() string {
	switch r {
	case KeyKSK:
		return "KSK"
	case KeyZSK:
		return "ZSK"
	case KeyCSK:
		return "CSK"
	default:
		return "unknown"
	}
}

// IsEntryPoint says whether the parent points to keys of the role (the SEP flag of RFC 4034 section 2.1.1).
func (r KeyRole) IsEntryPoint() bool { return r == KeyKSK || r == KeyCSK }

// SignsZone says whether keys of the role sign more than the DNSKEY set.
func (r KeyRole) SignsZone() bool { return r == KeyZSK || r == KeyCSK }

// KeyLayout says which keys a zone has. Stored.
type KeyLayout uint8

// The layouts.
const (
	LayoutCSK   KeyLayout = 0
	LayoutSplit KeyLayout = 1 // a KSK and a ZSK
)

// String returns the layout as TLD documents show it.
func (l KeyLayout) String() string {
	if l == LayoutSplit {
		return "ksk-zsk"
	}
	return "csk"
}

// Roles returns the roles that a zone of the layout has keys of.
func (l KeyLayout) Roles() []KeyRole {
	if l == LayoutSplit {
		return []KeyRole{KeyKSK, KeyZSK}
	}
	return []KeyRole{KeyCSK}
}

// KeyState is how far a key is in its life. Stored; a key passes through the states that its role and the kind of
// rollover need, never backwards.
type KeyState uint8

// The states.
const (
	KeyStandby   KeyState = 1 // made; the zone shows nothing of it
	KeySigning   KeyState = 2 // of a new algorithm: signs the zone, not yet in the DNSKEY set (RFC 6781 section 4.1.4)
	KeyPublished KeyState = 3 // in the DNSKEY set, until every resolver knows it
	KeyReady     KeyState = 4 // known everywhere; the parent is to point to it
	KeyActive    KeyState = 5 // signs
	KeyRetiring  KeyState = 6 // signs nothing more, in the DNSKEY set for the signatures that are about
	KeyWithdrawn KeyState = 7 // of an old algorithm: out of the DNSKEY set, still signs the zone
	KeyRemoved   KeyState = 8 // the zone shows nothing of it any more; its private half may go
)

// String returns the state's name.
func (s KeyState) String() string {
	names := []string{"unknown", "standby", "signing", "published", "ready", "active", "retiring", "withdrawn", "removed"}
	if int(s) < len(names) {
		return names[s]
	}
	return names[0]
}

// ZoneKey is the public half of a key of a zone and where it stands.
type ZoneKey struct {
	TLD       DomainName
	ID        string // random, for ever
	Role      KeyRole
	Algorithm uint8 // of DNSSEC
	PublicKey []byte
	Tag       uint16 // RFC 4034 appendix B
	State     KeyState
	// Rolling asks for the key to come into use; without it, it stands by.
	Rolling bool
	// Replaces is the key that it takes over from; "" for the first of a zone.
	Replaces string
	// Emergency cuts the waits short: the old key is not trusted any more.
	Emergency bool

	CreatedAt time.Time
	// StateAt is when the state began, ObservedAt when all of the zone had come to show it; zero: not yet.
	StateAt, ObservedAt time.Time
	// DSSeenAt is when the parent was seen, or said, to point to it.
	DSSeenAt time.Time
}

// Flags returns those of the DNSKEY record (RFC 4034 section 2.1.1).
func (k *ZoneKey) Flags() uint16 {
	if k.Role.IsEntryPoint() {
		return 257
	}
	return 256
}

// InDNSKEYSet says whether the zone publishes the key.
func (k *ZoneKey) InDNSKEYSet() bool { return k.State >= KeyPublished && k.State <= KeyRetiring }

// KeyTag computes the tag of a DNSKEY record (RFC 4034 appendix B).
func KeyTag(flags uint16, algorithm uint8, publicKey []byte) uint16 {
	const protocol = 3
	rdata := append([]byte{byte(flags >> 8), byte(flags), protocol, algorithm}, publicKey...)
	var sum uint32
	for i, b := range rdata {
		if i%2 == 0 {
			sum += uint32(b) << 8
		} else {
			sum += uint32(b)
		}
	}
	return uint16(sum + sum>>16)
}
