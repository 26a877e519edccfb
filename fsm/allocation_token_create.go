package fsm

import (
	"fmt"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// maxTokenPriceMinor bounds the price of a year with a token, so that ten years stay far
// within 63 bits.
const maxTokenPriceMinor = 1e14

// allocationTokenCreate makes a token with which registrars can have names (RFC 8495).
func (r *run) allocationTokenCreate(c *fsmpb.AllocationTokenCreate) (*fsmpb.Result, error) {
	if _, found := r.tx.AllocationToken(c.GetTokenSha256()); found {
		return nil, refuse(registry.CodeObjectExists, "token", "", "there is such a token already; make another one")
	}
	token := &registry.AllocationToken{
		SHA256: c.GetTokenSha256(), Name: registry.DomainName(c.GetName()), TLD: registry.DomainName(c.GetTld()),
		Registrar: registry.RegistrarID(c.GetRegistrar()), Unlimited: c.GetUnlimited(),
		HasPrice: c.PriceMinor != nil, PriceMinor: c.GetPriceMinor(), DiscountPercent: c.GetDiscountPercent(),
		UnlocksReserved: c.GetUnlocksReserved(), CreatedAt: r.now, CreatedBy: r.actor.GetId(),
		ValidFrom: optionalInstant(c.GetValidFromMs()), ValidUntil: optionalInstant(c.GetValidUntilMs()),
	}
	if token.Name != "" {
		if _, inside := r.tx.TLDOf(token.Name); !inside {
			return nil, refuse(registry.CodeParameterPolicy, "name", c.GetName(), "the name lies outside the TLDs of this registry")
		}
	} else if _, err := r.requireTLD(token.TLD); err != nil {
		return nil, err
	}
	if token.Registrar != "" {
		if _, found := r.tx.Registrar(token.Registrar); !found {
			return nil, refuse(registry.CodeObjectDoesNotExist, "registrar", c.GetRegistrar(), "there is no such registrar")
		}
	}
	if !token.ValidUntil.IsZero() && !token.ValidUntil.After(r.now) {
		return nil, refuse(registry.CodeParameterRange, "valid_until", token.ValidUntil.Format(time.RFC3339), "the token would have expired already; it is %s", r.now.Format(time.RFC3339))
	}
	r.tx.PutAllocationToken(token)
	return ok(), nil
}

func (k *checker) allocationTokenCreate(c *fsmpb.AllocationTokenCreate) {
	k.sha256("token_sha256", c.GetTokenSha256())
	k.require((c.GetName() == "") != (c.GetTld() == ""), "name", c.GetName(), "a token is for a name or for a TLD")
	if c.GetName() != "" {
		k.name("name", c.GetName())
	}
	if c.GetTld() != "" {
		k.name("tld", c.GetTld())
	}
	k.require(len(c.GetRegistrar()) <= maxTextChars, "registrar", "", "the id of a registrar is longer than %d characters", maxTextChars)
	k.instant("valid_from", c.GetValidFromMs())
	k.instant("valid_until", c.GetValidUntilMs())
	k.require(c.GetValidUntilMs() == 0 || c.GetValidFromMs() < c.GetValidUntilMs(), "valid_until", "", "a token expires after it becomes valid")
	k.require(c.GetPriceMinor() >= 0 && c.GetPriceMinor() <= maxTokenPriceMinor, "price", fmt.Sprint(c.GetPriceMinor()), "a price is not negative, nor beyond all measure")
	k.require(c.GetDiscountPercent() <= policy.MaxDiscountPercent, "discount", fmt.Sprint(c.GetDiscountPercent()), "a discount is at most 100 per cent")
	k.require(c.PriceMinor == nil || c.GetDiscountPercent() == 0, "discount", "", "a token has a price or a discount, not both")
}

// optionalInstant returns the time of Unix milliseconds, the zero time for 0.
func optionalInstant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
