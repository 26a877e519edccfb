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
}
