package registry

import "time"

// AllocationToken lets registrars have names (RFC 8495): reserved ones, or any at another
// price. The token itself is known to whoever was given it; the registry keeps its SHA-256.
// Tokens are made by the registry from enough randomness that a hash without salt is safe.
type AllocationToken struct {
	SHA256 []byte
	// Name or TLD is what the token is for, the other is empty.
	Name DomainName
	TLD  DomainName
	// Registrar may use it; "" for everybody.
	Registrar RegistrarID
	Unlimited bool // can be used any number of times rather than once
	// ValidFrom and ValidUntil are when it starts to be valid and when it no longer is; zero
	// for no bound.
	ValidFrom  time.Time
	ValidUntil time.Time
	// HasPrice says that PriceMinor is the price of a year in place of that of the name.
	HasPrice        bool
	PriceMinor      int64
	DiscountPercent uint32
	UnlocksReserved bool

	CreatedAt time.Time
	CreatedBy string    // the operator
	RevokedAt time.Time // zero unless it was revoked

	Uses        uint64
	LastUsedAt  time.Time
	LastUsedBy  RegistrarID
	LastUsedFor DomainName
}

// IsSpent says whether the token was for one use and has had it.
func (t *AllocationToken) IsSpent() bool { return !t.Unlimited && t.Uses > 0 }
