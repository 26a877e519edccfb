package registry

import (
	"strings"
	"time"
)

// KeyRelay is what one registrar tells another of the keys of a domain that moves to another
// DNS operator (RFC 8063).
type KeyRelay struct {
	From RegistrarID // who relays
	Keys []RelayedKey
}

// RelayedKey is a key to be added to the zone of the present operator for some time. A time
// that has passed, and a relative one of zero, take back what was relayed before.
type RelayedKey struct {
	Key PublicKey
	// Until is when the key need not stand in the zone any longer, the zero time if that is
	// not said so.
	Until time.Time
	// For is the same as a duration of XML Schema from the creation of the message on, such as
	// P1M13D, as its sender wrote it; at most one of the two is set.
	For string
}

// IsDuration says whether s is a duration of XML Schema (part 2 section 3.2.6), such as
// P1Y2M3DT4H5M6.7S, with or without a sign.
func IsDuration(s string) bool {
	s = strings.TrimPrefix(s, "-")
	date, ok := strings.CutPrefix(s, "P")
	if !ok {
		return false
	}
	date, clock, hasClock := strings.Cut(date, "T")
	if hasClock && !areDurationParts(clock, "HMS") || !areDurationParts(date, "YMD") && date != "" {
		return false
	}
	return date != "" || hasClock
}

// areDurationParts says whether s is made of numbers, each with one of the units, in order.
// Seconds may have a fraction.
func areDurationParts(s, units string) bool {
	if s == "" {
		return false
	}
	for s != "" {
		end := strings.IndexAny(s, units)
		if end < 0 {
			return false
		}
		whole, fraction, hasFraction := strings.Cut(s[:end], ".")
		if !isNumber(whole) || hasFraction && (s[end] != 'S' || !isNumber(fraction)) {
			return false
		}
		units = units[strings.IndexByte(units, s[end])+1:]
		s = s[end+1:]
	}
	return true
}

// isNumber says whether s is 1 to 9 digits.
func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 9
}
