package policy

import (
	"cadastre/registry"
)

// checkDeletionPolicy says whether what the policy has about the end of registrations makes
// sense.
func checkDeletionPolicy(name registry.DomainName, p *registry.TLDPolicy) error {
	bad := func(field, value, reason string) error {
		return &registry.Error{Code: registry.CodeParameterPolicy, Field: field, Value: value, Reason: reason}
	}
	switch {
	case p.PurgeTimeSeconds > daySeconds:
		return bad("purge_time_seconds", string(name), "a time of day is 1 to 86400 seconds after midnight")
	case p.ExpiryGraceDays > 0 && p.AutoRenew:
		return bad("expiry_grace_days", string(name), "domains that are renewed at expiry have no grace after it")
	case p.ExpiryGraceDays > maxExpiryGraceDays:
		return bad("expiry_grace_days", string(name), "the grace after expiry lasts at most 180 days")
	case p.SacrificialDomain == "":
		return nil
	case p.HostAttributes:
		return bad("sacrificial_domain", string(p.SacrificialDomain), "a TLD with host attributes has no hosts to move")
	case p.SacrificialDomain.Parent() != name:
		return bad("sacrificial_domain", string(p.SacrificialDomain), "the sacrificial domain is a name directly below the TLD")
	}
	return nil
}
