package policy

import (
	"fmt"
	"time"

	"cadastre/registry"
)

// DefaultRestoreReportDays is how long a registrar has for the report of a restore where the
// TLD says nothing.
const DefaultRestoreReportDays = 7

// RestoreReportDays returns how long a registrar has for the report of a restore.
func RestoreReportDays(tld *registry.TLD) uint32 {
	if days := tld.Policy.RestoreReportDays; days != 0 {
		return days
	}
	return DefaultRestoreReportDays
}

// clockTolerance is how far a registrar's clock may run ahead of the registry's.
const clockTolerance = 5 * time.Minute

// CheckRestoreReport says whether the report of a restore can be true as of now: the
// deletion before the restore, neither in the future, and nothing that must be said left out
// (RFC 3915 section 4.2.5).
func CheckRestoreReport(now time.Time, r *registry.RestoreReport) error {
	missing := func(field string) error {
		return &registry.Error{Code: registry.CodeParameterMissing, Field: field, Reason: "the report of a restore leaves nothing empty (RFC 3915 section 4.2.5)"}
	}
	outOfRange := func(field string, at time.Time, reason string) error {
		return &registry.Error{Code: registry.CodeParameterRange, Field: field, Value: at.Format(time.RFC3339), Reason: reason}
	}
	switch {
	case r.PreData == "":
		return missing("preData")
	case r.PostData == "":
		return missing("postData")
	case r.Reason == "":
		return missing("resReason")
	case len(r.Statements) == 0:
		return missing("statement")
	case r.DeletedAt.After(r.RestoredAt):
		return outOfRange("delTime", r.DeletedAt, "the deletion lies after the restore")
	case r.RestoredAt.After(now.Add(clockTolerance)):
		return outOfRange("resTime", r.RestoredAt, fmt.Sprintf("the restore lies in the future; it is %s", now.Format(time.RFC3339)))
	}
	for _, s := range r.Statements {
		if s == "" {
			return missing("statement")
		}
	}
	return nil
}

// CheckAuthInfo says whether authorisation information may be set under the TLD, weak being
// the estimate of whoever saw it.
func CheckAuthInfo(tld *registry.TLD, weak bool) error {
	if weak && !tld.Policy.AllowWeakAuthInfo {
		return &registry.Error{Code: registry.CodeInvalidAuthInfo, Field: "authInfo",
			Reason: "the authorisation information can be guessed; use at least 20 random printable characters, or none until it is needed (RFC 9154 section 4.1)"}
	}
	return nil
}

// WithdrawYears is the inverse of AddYears; 29 February becomes 28 February in a common year.
func WithdrawYears(t time.Time, years uint32) time.Time {
	earlier := t.AddDate(-int(years), 0, 0)
	if earlier.Day() != t.Day() {
		earlier = earlier.AddDate(0, 0, -earlier.Day())
	}
	return earlier
}
