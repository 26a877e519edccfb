package policy

import (
	"time"

	"cadastre/registry"
)

const (
	// DefaultMaxRemovedDelegations is more than a day's deletions of most TLDs, and of small ones all.
	DefaultMaxRemovedDelegations = 1000
	// DefaultMaxRemovedPercent is far beyond what registrars delete within an hour, and well before harm is done to all.
	DefaultMaxRemovedPercent = 10
	noLimitPercent           = 100
	// PublicationWindow is the span within which what leaves a zone is counted together.
	PublicationWindow = time.Hour
	// ReleaseTime is how long no limit counts after an operator's release: what waits is published in minutes.
	ReleaseTime = time.Hour
)

// MaxRemoved is how many delegations may leave the TLD's zone within PublicationWindow, of as many as there were.
func MaxRemoved(tld *registry.TLD, delegations uint64) uint64 {
	percent := uint64(orDefault(tld.Policy.MaxRemovedPercent, DefaultMaxRemovedPercent))
	if percent >= noLimitPercent {
		return delegations
	}
	return max(uint64(orDefault(tld.Policy.MaxRemovedDelegations, DefaultMaxRemovedDelegations)), delegations*percent/100)
}
