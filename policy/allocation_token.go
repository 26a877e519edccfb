package policy

import (
	"time"

	"cadastre/registry"
)

// MaxDiscountPercent is a discount that leaves nothing to pay.
const MaxDiscountPercent = 100

// CheckToken says whether the token, nil if there is none of the hash presented, lets the
// registrar have the name below the TLD now. Who guesses learns nothing: all refusals are
// of one code (RFC 8495 sections 3.2.1 and 3.2.4).
func CheckToken(t *registry.AllocationToken, registrar registry.RegistrarID, tld, name registry.DomainName, now time.Time) error {
	reason := ""
	switch {
	case t == nil, t.Registrar != "" && t.Registrar != registrar, t.Name != "" && t.Name != name, t.Name == "" && t.TLD != tld:
		reason = "the allocation token does not apply to the name"
	case !t.RevokedAt.IsZero():
		reason = "the allocation token was revoked"
	case t.IsSpent():
		reason = "the allocation token was used already"
	case !t.ValidFrom.IsZero() && now.Before(t.ValidFrom):
		reason = "the allocation token is not valid yet"
	case !t.ValidUntil.IsZero() && !now.Before(t.ValidUntil):
		reason = "the allocation token has expired"
	default:
		return nil
	}
	return &registry.Error{Code: registry.CodeAuthorization, Field: "allocationToken", Reason: reason}
}

// CheckAllocatable is CheckRegistrable for a registrar that presents a token that applies to
// the name, nil for none: a token may open reserved labels.
func CheckAllocatable(lists Lists, tld *registry.TLD, name registry.DomainName, token *registry.AllocationToken) error {
	if token != nil && token.UnlocksReserved {
		return checkOffered(tld, name)
	}
	return CheckRegistrable(lists, tld, name)
}

// TokenPriceMinor is what years cost with the token, nil for none, in place of the price.
// A discount is rounded in the registrar's favour.
func TokenPriceMinor(token *registry.AllocationToken, priceMinor int64, years uint32) int64 {
	switch {
	case token == nil:
		return priceMinor
	case token.HasPrice:
		return token.PriceMinor * int64(years)
	default:
		// Divided first, so that no price overflows.
		kept := int64(MaxDiscountPercent - min(token.DiscountPercent, MaxDiscountPercent))
		return priceMinor/MaxDiscountPercent*kept + priceMinor%MaxDiscountPercent*kept/MaxDiscountPercent
	}
}
