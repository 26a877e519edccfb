package policy

import (
	"time"

	"cadastre/registry"
)

// DefaultAuthInfoDays is how long authorisation information can be used unless the TLD says
// otherwise: long enough for any transfer, and short enough that what lies about in old
// letters opens nothing (RFC 9154 section 4.2 wants it to be short-lived).
const DefaultAuthInfoDays = 30

// maxAuthInfoDays is ten years, the longest registration: in effect no lifetime.
const maxAuthInfoDays = 3660

// AuthInfoExpiry is when authorisation information that is set now for a domain of the TLD
// ends. Several TLDs stand for a contact, which belongs to none: the shortest lifetime holds.
func AuthInfoExpiry(now time.Time, tlds ...*registry.TLD) time.Time {
	days := uint32(0)
	for _, tld := range tlds {
		own := tld.Policy.AuthInfoDays
		if own == 0 {
			own = DefaultAuthInfoDays
		}
		if days == 0 || own < days {
			days = own
		}
	}
	if days == 0 {
		days = DefaultAuthInfoDays
	}
	return AddDays(now, days)
}

// Bounds on wrong attempts at authorisation information. What is guessed at has 128 bits or
// is meant to, so they need not be tight: they stop whoever tries lists, and leave room for
// the mistakes of an honest registrar.
const (
	// AuthFailureWindow is for how long attempts are counted from the first one on, and thus
	// how long at most a closed object stays closed.
	AuthFailureWindow = 15 * time.Minute
	// MaxAuthFailures is how many attempts of one registrar at one object close the object to
	// that registrar, and to nobody else.
	MaxAuthFailures = 10
	// MaxAuthFailuresOfObject closes an object to all: several registrars are at it. One alone
	// cannot lock the others out, as its attempts count no longer once it is shut out itself.
	MaxAuthFailuresOfObject = 50
	// MaxAuthFailuresOfRegistrar closes all objects to a registrar that tries many.
	MaxAuthFailuresOfRegistrar = 1000
)
