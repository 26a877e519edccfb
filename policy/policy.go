// Package policy holds the rules that a TLD's operator sets as pure functions of the
// replicated TLD record: which names and addresses are allowed, for how long, and at what
// price.
package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"cadastre/idn"
	"cadastre/registry"
)

// MaxTermYears caps every registration: no operation leaves more than this outstanding
// (ICANN base registry agreement, specification 6 and 10).
const MaxTermYears = 10

// CheckRegistrable says whether name can be registered under the TLD: exactly one label
// below it, letters, digits and inner hyphens, no reserved label. Of an A-label IDNOf
// says the rest.
func CheckRegistrable(lists Lists, tld *registry.TLD, name registry.DomainName) error {
	if err := checkOffered(tld, name); err != nil {
		return err
	}
	if IsReserved(lists, tld, name.FirstLabel()) {
		return refuseName(name, "the label is reserved under this TLD")
	}
	return nil
}

// checkOffered is CheckRegistrable but for reserved labels.
func checkOffered(tld *registry.TLD, name registry.DomainName) error {
	if name.Parent() != tld.Name {
		return refuseName(name, fmt.Sprintf("only names with exactly one label before .%s can be registered", tld.Name))
	}
	label := name.FirstLabel()
	isIDN := idn.HasPrefix(label) && OffersIDNs(tld)
	if tld.Policy.IDNOnly && !isIDN {
		return refuseName(name, "only internationalised names are registered under this TLD")
	}
	if len(label) >= 4 && label[2:4] == "--" && !isIDN {
		return refuseName(name, "labels with hyphens as third and fourth characters are not offered under this TLD (RFC 5891 section 4.2.3.1)")
	}
	if name == tld.Policy.SacrificialDomain {
		return refuseName(name, "the registry keeps the name for hosts of purged domains")
	}
	return nil
}

func refuseName(name registry.DomainName, reason string) error {
	return &registry.Error{Code: registry.CodeParameterPolicy, Field: "name", Value: string(name), Reason: reason}
}

// PeriodYears returns the period meant by requested years, 0 standing for the TLD's
// minimum, or an error if the TLD does not offer it.
func PeriodYears(tld *registry.TLD, requested uint32) (uint32, error) {
	p := &tld.Policy
	years := requested
	if years == 0 {
		years = p.MinPeriodYears
	}
	if years < p.MinPeriodYears || years > p.MaxPeriodYears {
		return 0, &registry.Error{Code: registry.CodeParameterRange, Field: "period", Value: fmt.Sprint(requested),
			Reason: fmt.Sprintf("this TLD registers for %d to %d years", p.MinPeriodYears, p.MaxPeriodYears)}
	}
	return years, nil
}

// CheckTerm says whether a registration that ends at expiry is within MaxTermYears of now.
func CheckTerm(now, expiry time.Time) error {
	if expiry.After(AddYears(now, MaxTermYears)) {
		return &registry.Error{Code: registry.CodeNotRenewable, Field: "period",
			Reason: fmt.Sprintf("the registration would run longer than %d years from now", MaxTermYears)}
	}
	return nil
}

// AddYears returns the same date and time of day years later; 29 February becomes
// 28 February in a common year, never 1 March.
func AddYears(t time.Time, years uint32) time.Time {
	later := t.AddDate(int(years), 0, 0)
	if later.Day() != t.Day() {
		later = later.AddDate(0, 0, -later.Day())
	}
	return later
}

// AddDays returns the instant a number of 24-hour days later.
func AddDays(t time.Time, days uint32) time.Time {
	return t.Add(time.Duration(days) * 24 * time.Hour)
}

// DefaultTransferPendingDays is how long a losing registrar has to answer a request for
// transfer unless the TLD says otherwise; it holds for contacts, which belong to no TLD
// (ICANN transfer policy, section I.A.3.5: five calendar days).
const DefaultTransferPendingDays = 5

// TransferPendingDays is how long the losing registrar has to answer a request for transfer.
func TransferPendingDays(tld *registry.TLD) uint32 {
	if tld.Policy.TransferPendingDays == 0 {
		return DefaultTransferPendingDays
	}
	return tld.Policy.TransferPendingDays
}

// TransferPeriodYears returns the period that a transfer adds for requested years, 0
// standing for one year, or an error if the TLD does not offer it.
func TransferPeriodYears(tld *registry.TLD, requested uint32) (uint32, error) {
	years := max(1, requested)
	if years > tld.Policy.MaxPeriodYears {
		return 0, &registry.Error{Code: registry.CodeParameterRange, Field: "period", Value: fmt.Sprint(requested),
			Reason: fmt.Sprintf("a transfer adds 1 to %d years under this TLD", tld.Policy.MaxPeriodYears)}
	}
	return years, nil
}

// TransferExpiry is when a domain that expires at expiry will expire once a transfer for
// years is done; voided automatic renewals count among those years, so that the term is not
// extended twice.
func TransferExpiry(expiry time.Time, years, voidedYears uint32) time.Time {
	return AddYears(expiry, years-min(years, voidedYears))
}

// CapTerm returns expiry or, if that is too late, the end of the longest term allowed from
// now on; never less than current, which has been paid for.
func CapTerm(now, current, expiry time.Time) time.Time {
	latest := AddYears(now, MaxTermYears)
	if latest.Before(current) {
		latest = current
	}
	if expiry.After(latest) {
		return latest
	}
	return expiry
}

// CheckNameServerCount says whether a domain may have that many name servers.
func CheckNameServerCount(tld *registry.TLD, count int) error {
	p := &tld.Policy
	if count > int(p.MaxNameServers) || count > 0 && count < int(p.MinNameServers) {
		return &registry.Error{Code: registry.CodeParameterPolicy, Field: "ns", Value: fmt.Sprint(count),
			Reason: fmt.Sprintf("a delegation has %d to %d name servers under this TLD", max(1, p.MinNameServers), p.MaxNameServers)}
	}
	return nil
}

// CheckContactCount says whether a domain may have that many admin, tech and billing
// contacts together.
func CheckContactCount(tld *registry.TLD, count int) error {
	if count > int(tld.Policy.MaxContacts) {
		return &registry.Error{Code: registry.CodeParameterPolicy, Field: "contact", Value: fmt.Sprint(count),
			Reason: fmt.Sprintf("a domain has at most %d admin, tech and billing contacts under this TLD", tld.Policy.MaxContacts)}
	}
	return nil
}

// CheckAddress says whether addr can serve as glue: a unicast address that is not
// loopback, unspecified or link-local and, unless the TLD admits them, not private or set
// aside for documentation (RFC 1918, RFC 4193, RFC 5737, RFC 3849).
func CheckAddress(tld *registry.TLD, addr netip.Addr) error {
	reason := ""
	switch {
	case addr.IsLoopback(), addr.IsUnspecified(), addr.IsMulticast(), addr.IsLinkLocalUnicast(),
		addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}), addr.Is4In6(), addr.Is4() && addr.As4()[0] == 0:
		reason = "the address is not a unicast address that resolvers can reach"
	case !tld.Policy.AllowPrivateAddresses && isPrivateOrDocumentation(addr):
		reason = "private and documentation addresses are not allowed under this TLD"
	default:
		return nil
	}
	return &registry.Error{Code: registry.CodeParameterPolicy, Field: "addr", Value: addr.String(), Reason: reason}
}

func isPrivateOrDocumentation(addr netip.Addr) bool {
	if addr.IsPrivate() {
		return true
	}
	for _, prefix := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "100.64.0.0/10", "2001:db8::/32"} {
		if netip.MustParsePrefix(prefix).Contains(addr) {
			return true
		}
	}
	return false
}

// daySeconds is how long a day is; registry time has no leap seconds.
const daySeconds = 24 * 3600

// PurgeAt returns when a deleted domain is purged whose time runs out at end: then, or at the
// next time of day at which the TLD releases names.
func PurgeAt(tld *registry.TLD, end time.Time) time.Time {
	if tld.Policy.PurgeTimeSeconds == 0 {
		return end
	}
	midnight := end.UTC().Truncate(24 * time.Hour)
	at := midnight.Add(time.Duration(tld.Policy.PurgeTimeSeconds%daySeconds) * time.Second)
	if at.Before(end) {
		at = at.Add(24 * time.Hour)
	}
	return at
}

// maxExpiryGraceDays keeps the year of a restore from having passed when the restore comes.
const maxExpiryGraceDays = 180

// maxTransferPendingDays keeps a mistyped policy from holding every transfer for years.
const maxTransferPendingDays = 365

// CheckPolicy says whether the policy of a TLD makes sense as a whole.
func CheckPolicy(name registry.DomainName, p *registry.TLDPolicy) error {
	bad := func(field, reason string, args ...any) error {
		return &registry.Error{Code: registry.CodeParameterPolicy, Field: field, Value: string(name), Reason: fmt.Sprintf(reason, args...)}
	}
	switch {
	case len(p.ROIDSuffix) < 1 || len(p.ROIDSuffix) > 8 || strings.Trim(p.ROIDSuffix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "":
		return bad("roid_suffix", "a ROID suffix is 1 to 8 upper-case letters, digits or underscores (RFC 5730 section 2.8)")
	case len(p.Currency) != 3:
		return bad("currency", "a currency is a three-letter ISO 4217 code")
	case p.CreatePriceMinor < 0 || p.RenewPriceMinor < 0 || p.TransferPriceMinor < 0 || p.RestorePriceMinor < 0:
		return bad("prices", "a price is not negative")
	case p.MinPeriodYears < 1 || p.MaxPeriodYears < p.MinPeriodYears || p.MaxPeriodYears > MaxTermYears:
		return bad("min_period_years", "periods run from 1 to %d years, the minimum first", MaxTermYears)
	case p.TransferPendingDays > maxTransferPendingDays:
		return bad("transfer_pending_days", "a transfer is pending for at most %d days", maxTransferPendingDays)
	case p.MaxNameServers > 13 || p.MinNameServers > p.MaxNameServers:
		return bad("max_name_servers", "a delegation has at most 13 name servers, and the minimum is not above the maximum")
	case p.AuthInfoDays > maxAuthInfoDays:
		return bad("auth_info_days", "authorisation information lives for at most %d days", maxAuthInfoDays)
	case p.KeepApplicationDays > maxKeepDays:
		return bad("keep_application_days", "decided applications are kept for at most %d days", maxKeepDays)
	case p.KeepTokenDays > maxKeepDays:
		return bad("keep_token_days", "allocation tokens that can no longer be used are kept for at most %d days", maxKeepDays)
	case p.DataModel > registry.DataModelPerRegistrar:
		return bad("data_model", "the data model is thick, thin or per-registrar")
	case p.DataModel == registry.DataModelThin && p.RegistrantRequired:
		return bad("registrant_required", "a domain of a thin TLD has no contacts, so that none can be required")
	case p.MaxDelegationSigners > MaxDelegationSignersLimit:
		return bad("max_delegation_signers", "a domain has at most %d DS records or keys", MaxDelegationSignersLimit)
	case len(p.ApexServers) == 0 || len(p.ApexServers) > 13:
		return bad("apex_servers", "a TLD has 1 to 13 name servers")
	case p.SOAMName == "" || p.SOARName == "":
		return bad("soa_mname", "the SOA record needs soa_mname and soa_rname")
	case p.SOARefreshSeconds == 0 || p.SOARetrySeconds == 0 || p.SOAExpireSeconds == 0 || p.SOAMinimumSeconds == 0:
		return bad("soa_refresh_seconds", "the timers of the SOA record are above zero")
	case p.ApexTTLSeconds == 0 || p.DelegationTTLSeconds == 0:
		return bad("apex_ttl_seconds", "the TTLs are above zero")
	}
	if err := checkDeletionPolicy(name, p); err != nil {
		return err
	}
	if reason := checkPremiumNames(p.PremiumNames); reason != "" {
		return bad("premium_names", "%s", reason)
	}
	if reason := checkLaunchPhases(p.LaunchPhases); reason != "" {
		return bad("launch_phases", "%s", reason)
	}
	if reason := checkSigning(&p.Signing); reason != "" {
		return bad("signing", "%s", reason)
	}
	if reason := checkRDDS(&p.RDDS); reason != "" {
		return bad("rdds", "%s", reason)
	}
	if reason := checkTTLBounds(p); reason != "" {
		return bad("ttl_bounds", "%s", reason)
	}
	if reason := checkIDN(p); reason != "" {
		return bad("idn_tables", "%s", reason)
	}
	for _, server := range p.ApexServers {
		if server.Name.IsBelow(name) && len(server.Addresses) == 0 {
			return bad("apex_servers", "the name server %s lies inside the zone and needs an address", server.Name)
		}
	}
	return nil
}
