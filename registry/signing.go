package registry

// Denial is how a zone proves that a name or a type is absent. Stored.
type Denial uint8

// The ways. A zone without one is not signed.
const (
	DenialNone  Denial = 0
	DenialNSEC3 Denial = 1 // RFC 5155, no iterations and no salt (RFC 9276)
	DenialNSEC  Denial = 2 // RFC 4034
)

// String returns the way as TLD documents show it.
func (d Denial) String() string {
	switch d {
	case DenialNSEC3:
		return "nsec3"
	case DenialNSEC:
		return "nsec"
	default:
		return "none"
	}
}

// SigningPolicy says how a TLD's zone is signed.
type SigningPolicy struct {
	Denial Denial
	// OptOut leaves insecure delegations out of the NSEC3 chain (RFC 5155 section 6).
	OptOut bool
	// ValidityDays is how long signatures are valid at least; 0 stands for policy.DefaultSignatureValidityDays.
	ValidityDays uint32
	// RefreshDays is how long before its end a signature is renewed; 0 stands for policy.DefaultSignatureRefreshDays.
	RefreshDays uint32
	// Algorithm is that of new keys; 0 stands for 13, ECDSA P-256.
	Algorithm uint8
	// Layout is which keys the zone begins with.
	Layout KeyLayout
	// DNSKEYTTLSeconds is the TTL of the DNSKEY set; 0 stands for that of the apex.
	DNSKEYTTLSeconds uint32
	// ZSKLifetimeDays is after how long the key that signs the zone is replaced by itself; 0: never. It is for the
	// layout with a ZSK: what replaces a CSK waits for the parent.
	ZSKLifetimeDays uint32
	// PropagationSeconds is how long the slowest server takes to show a publication; 0 stands for an hour.
	PropagationSeconds uint32
	// DSTTLSeconds is the TTL of the DS set at the parent; 0 stands for a day.
	DSTTLSeconds uint32
	// ParentServer is the host:port of a server or resolver that is asked for the zone's DS set; "": an operator
	// says when it has changed.
	ParentServer string
}
