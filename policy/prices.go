package policy

import (
	"fmt"

	"cadastre/registry"
)

// Prices is what operations on one name cost, in minor units of the TLD's currency.
type Prices struct {
	// Class is the price class of a premium name, "" for a name at the TLD's usual prices.
	Class string
	// yearly prices of a registration and of a renewal
	create, renew int64
	// transfer is the price of a transfer, which includes a year.
	transfer, restore int64
}

// IsPremium says whether the prices are not the usual ones of the TLD.
func (p *Prices) IsPremium() bool { return p.Class != "" }

// CreateMinor is the price of a registration for years.
func (p *Prices) CreateMinor(years uint32) int64 { return p.create * int64(years) }

// RenewMinor is the price of a renewal for years.
func (p *Prices) RenewMinor(years uint32) int64 { return p.renew * int64(years) }

// TransferMinor is the price of a transfer: that of the transfer, which includes a year,
// and of a renewal for every further year.
func (p *Prices) TransferMinor(years uint32) int64 { return p.transfer + p.renew*int64(years-1) }

// RestoreMinor is the price of a restore without the renewal that it may bring.
func (p *Prices) RestoreMinor() int64 { return p.restore }

// PricesOfNew returns the prices of a name that is not registered.
func PricesOfNew(lists Lists, tld *registry.TLD, name registry.DomainName) Prices {
	p, found := premiumName(lists, tld, name.FirstLabel())
	if !found {
		return usualPrices(tld)
	}
	// A transfer of a premium name renews it by a year at its own price.
	return Prices{Class: p.Class, create: p.CreatePriceMinor, renew: p.RenewPriceMinor, transfer: p.RenewPriceMinor, restore: p.RestorePriceMinor}
}

// PricesOf returns the prices of a registered domain. One that was registered at the usual
// prices keeps them, whatever is on the list of premium names by now; one that was taken
// from the list gets them.
func PricesOf(lists Lists, tld *registry.TLD, d *registry.Domain) Prices {
	if d.PriceClass == "" {
		return usualPrices(tld)
	}
	return PricesOfNew(lists, tld, d.Name)
}

func usualPrices(tld *registry.TLD) Prices {
	p := &tld.Policy
	return Prices{create: p.CreatePriceMinor, renew: p.RenewPriceMinor, transfer: p.TransferPriceMinor, restore: p.RestorePriceMinor}
}

// Fee is what a registrar agrees to pay (RFC 8748 section 3.4).
type Fee struct {
	AmountMinor int64
	Currency    string // "" stands for that of the TLD
}

// CheckFee says whether the fee that a registrar gave, nil if it gave none, covers the
// price. Only premium names ask for one (RFC 8748 section 3.8).
func CheckFee(tld *registry.TLD, prices *Prices, fee *Fee, priceMinor int64) error {
	wrong := func(code registry.Code, field, value, reason string, args ...any) error {
		return &registry.Error{Code: code, Field: field, Value: value, Reason: fmt.Sprintf(reason, args...)}
	}
	currency := tld.Policy.Currency
	switch {
	case fee == nil && prices.IsPremium():
		return wrong(registry.CodeParameterMissing, "fee", "", "the name is of the price class %s; agree to %s %s with the fee extension (RFC 8748)",
			prices.Class, registry.FormatMinorUnits(priceMinor), currency)
	case fee == nil:
		return nil
	case fee.Currency != "" && fee.Currency != currency:
		return wrong(registry.CodeParameterRange, "currency", fee.Currency, "prices under this TLD are in %s", currency)
	case fee.AmountMinor < priceMinor:
		return wrong(registry.CodeParameterRange, "fee", registry.FormatMinorUnits(fee.AmountMinor), "the price is %s %s", registry.FormatMinorUnits(priceMinor), currency)
	}
	return nil
}

// MaxPremiumNames bounds the premium names of a policy, which are part of every TLD record
// read. Longer lists have a table of their own.
const MaxPremiumNames = 10000

const maxClassChars = 64

// checkPremiumNames says what is wrong with the list, "" if nothing is.
func checkPremiumNames(names []registry.PremiumName) string {
	if len(names) > MaxPremiumNames {
		return fmt.Sprintf("a TLD has at most %d premium names", MaxPremiumNames)
	}
	seen := make(map[string]bool, len(names))
	for i := range names {
		p := &names[i]
		if seen[p.Label] {
			return fmt.Sprintf("%q is listed twice", p.Label)
		}
		if reason := checkPremiumName(p); reason != "" {
			return reason
		}
		seen[p.Label] = true
	}
	return ""
}
