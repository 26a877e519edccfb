package policy_test

import (
	"errors"
	"testing"

	"cadastre/policy"
	"cadastre/registry"
)

func premiumTLD() *registry.TLD {
	return &registry.TLD{Name: "example", Policy: registry.TLDPolicy{
		Currency: "EUR", CreatePriceMinor: 1, RenewPriceMinor: 2, TransferPriceMinor: 3, RestorePriceMinor: 4,
		PremiumNames: []registry.PremiumName{{Label: "gold", Class: "tier 1", CreatePriceMinor: 10, RenewPriceMinor: 20, RestorePriceMinor: 40}},
	}}
}

func TestPrices(t *testing.T) {
	tld := premiumTLD()
	for label, test := range map[string]struct {
		prices                           policy.Prices
		create, renew, transfer, restore int64
		premium                          bool
	}{
		"usual":           {policy.PricesOfNew(nil, tld, "a.example"), 2, 4, 5, 4, false},
		"premium":         {policy.PricesOfNew(nil, tld, "gold.example"), 20, 40, 40, 40, true},
		"listed later":    {policy.PricesOf(nil, tld, &registry.Domain{Name: "gold.example"}), 2, 4, 5, 4, false},
		"of the list":     {policy.PricesOf(nil, tld, &registry.Domain{Name: "gold.example", PriceClass: "tier 0"}), 20, 40, 40, 40, true},
		"left the list":   {policy.PricesOf(nil, tld, &registry.Domain{Name: "a.example", PriceClass: "tier 0"}), 2, 4, 5, 4, false},
		"not of the list": {policy.PricesOfNew(nil, tld, "goldx.example"), 2, 4, 5, 4, false},
	} {
		p := test.prices
		if p.CreateMinor(2) != test.create || p.RenewMinor(2) != test.renew || p.TransferMinor(2) != test.transfer || p.RestoreMinor() != test.restore || p.IsPremium() != test.premium {
			t.Errorf("%s: %+v", label, p)
		}
	}
}

func TestCheckFee(t *testing.T) {
	tld := premiumTLD()
	usual, premium := policy.PricesOfNew(nil, tld, "a.example"), policy.PricesOfNew(nil, tld, "gold.example")
	for label, test := range map[string]struct {
		prices policy.Prices
		fee    *policy.Fee
		want   registry.Code
	}{
		"usual without":     {usual, nil, registry.CodeOK},
		"usual enough":      {usual, &policy.Fee{AmountMinor: 100}, registry.CodeOK},
		"usual too low":     {usual, &policy.Fee{AmountMinor: 99}, registry.CodeParameterRange},
		"usual currency":    {usual, &policy.Fee{AmountMinor: 100, Currency: "USD"}, registry.CodeParameterRange},
		"premium without":   {premium, nil, registry.CodeParameterMissing},
		"premium more":      {premium, &policy.Fee{AmountMinor: 101, Currency: "EUR"}, registry.CodeOK},
		"premium too low":   {premium, &policy.Fee{AmountMinor: 0, Currency: "EUR"}, registry.CodeParameterRange},
		"premium currency":  {premium, &policy.Fee{AmountMinor: 100, Currency: "eur"}, registry.CodeParameterRange},
		"premium no number": {premium, &policy.Fee{}, registry.CodeParameterRange},
	} {
		got := registry.CodeOK
		if err, refused := errors.AsType[*registry.Error](policy.CheckFee(tld, &test.prices, test.fee, 100)); refused {
			got = err.Code
		}
		if got != test.want {
			t.Errorf("%s: %v, want %v", label, got, test.want)
		}
	}
}

func TestRefundsAddGraceDelete(t *testing.T) {
	for _, test := range []struct {
		month registry.AddGraceMonth
		want  bool
	}{
		{registry.AddGraceMonth{}, true},
		{registry.AddGraceMonth{Adds: 50, Deletes: 49, Refunds: 49}, true},
		{registry.AddGraceMonth{Adds: 51, Deletes: 50, Refunds: 50}, false},
		{registry.AddGraceMonth{Adds: 0, Deletes: 80, Refunds: 49}, true}, // registered in the month before
		{registry.AddGraceMonth{Adds: 1000, Deletes: 99, Refunds: 89}, true},
		{registry.AddGraceMonth{Adds: 1000, Deletes: 99, Refunds: 90}, false}, // 900 net adds
		{registry.AddGraceMonth{Adds: 1000, Deletes: 100, Refunds: 89}, false},
	} {
		if got := policy.RefundsAddGraceDelete(test.month); got != test.want {
			t.Errorf("%+v: %v", test.month, got)
		}
	}
}
