package policy

import (
	"time"

	"cadastre/registry"
)

// DefaultKeepDays is how long decided applications and worthless allocation tokens are kept
// unless the TLD says otherwise: a quarter of a year, in which a registrar asks why.
const DefaultKeepDays = 90

// maxKeepDays is ten years, the longest registration.
const maxKeepDays = 3660

func keepDays(own uint32) uint32 {
	if own == 0 {
		return DefaultKeepDays
	}
	return own
}

// ForgetsApplication says whether the application was decided so long ago that the TLD no
// longer keeps it. One that waits for a decision is kept for ever.
func ForgetsApplication(tld *registry.TLD, a *registry.Application, now time.Time) bool {
	return a.Status.IsFinal() && !now.Before(AddDays(a.StatusAt, keepDays(tld.Policy.KeepApplicationDays)))
}

// ForgetsToken says whether the token has been worthless for so long that the TLD no longer
// keeps it.
func ForgetsToken(tld *registry.TLD, t *registry.AllocationToken, now time.Time) bool {
	at := tokenEnd(t)
	return !at.IsZero() && !now.Before(AddDays(at, keepDays(tld.Policy.KeepTokenDays)))
}

// tokenEnd returns when the token stops or stopped being of use, the zero time if it does not.
func tokenEnd(t *registry.AllocationToken) time.Time {
	end := t.ValidUntil
	for _, at := range []struct {
		time time.Time
		ends bool
	}{{t.RevokedAt, !t.RevokedAt.IsZero()}, {t.LastUsedAt, t.IsSpent()}} {
		if at.ends && (end.IsZero() || at.time.Before(end)) {
			end = at.time
		}
	}
	return end
}
