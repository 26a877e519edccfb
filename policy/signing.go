package policy

import (
	"time"

	"cadastre/registry"
)

// DefaultSignatureValidityDays and DefaultSignatureRefreshDays let a signer be away for a week
// before any signature ends.
const (
	DefaultSignatureValidityDays = 14
	DefaultSignatureRefreshDays  = 7
)

// SignatureValidity is how long signatures of the TLD's zone are valid at least.
func SignatureValidity(tld *registry.TLD) time.Duration {
	return days(tld.Policy.Signing.ValidityDays, DefaultSignatureValidityDays)
}

// SignatureRefresh is how long before its end a signature is renewed.
func SignatureRefresh(tld *registry.TLD) time.Duration {
	return days(tld.Policy.Signing.RefreshDays, DefaultSignatureRefreshDays)
}

func days(set, otherwise uint32) time.Duration {
	if set == 0 {
		set = otherwise
	}
	return time.Duration(set) * 24 * time.Hour
}
