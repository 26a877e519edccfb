package policy_test

import (
	"testing"
	"time"

	"cadastre/policy"
	"cadastre/registry"
)

func TestTransferTerms(t *testing.T) {
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 12, 0, 0, 0, time.UTC) }
	for _, test := range []struct {
		current       time.Time
		years, voided uint32
		want          time.Time
	}{
		{day(2026, 6, 1), 1, 0, day(2027, 6, 1)},
		{day(2026, 6, 1), 3, 0, day(2029, 6, 1)},
		{day(2026, 6, 1), 1, 1, day(2026, 6, 1)}, // the automatic renewal was the year
		{day(2026, 6, 1), 2, 1, day(2027, 6, 1)},
		{day(2026, 6, 1), 1, 2, day(2026, 6, 1)},
		{day(2028, 2, 29), 1, 0, day(2029, 2, 28)},
		{day(2035, 6, 1), 1, 0, day(2036, 1, 1)}, // ten years from the first of January 2026
		{day(2036, 2, 1), 1, 0, day(2036, 2, 1)}, // never less than was there
	} {
		got := policy.CapTerm(day(2026, 1, 1), test.current, policy.TransferExpiry(test.current, test.years, test.voided))
		if !got.Equal(test.want) {
			t.Errorf("%v and %d years, %d void: %v", test.current, test.years, test.voided, got)
		}
	}
}

func TestTransferPolicy(t *testing.T) {
	tld := &registry.TLD{Policy: registry.TLDPolicy{TransferPriceMinor: 700, RenewPriceMinor: 1000, MinPeriodYears: 2, MaxPeriodYears: 5}}
	for years, want := range map[uint32]int64{1: 700, 2: 1700, 5: 4700} {
		prices := policy.PricesOfNew(nil, tld, "a.example")
		if got := prices.TransferMinor(years); got != want {
			t.Errorf("%d years cost %d", years, got)
		}
	}
	for in, want := range map[uint32]uint32{0: 1, 1: 1, 5: 5, 6: 0} {
		if got, err := policy.TransferPeriodYears(tld, in); got != want || (err == nil) != (want != 0) {
			t.Errorf("%d: %d, %v", in, got, err)
		}
	}
	if got := policy.TransferPendingDays(tld); got != 5 {
		t.Errorf("without a policy a transfer is pending for %d days", got)
	}
	tld.Policy.TransferPendingDays = 9
	if got := policy.TransferPendingDays(tld); got != 9 {
		t.Errorf("with a policy of 9 it is pending for %d days", got)
	}
}
