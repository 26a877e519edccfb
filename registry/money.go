package registry

import (
	"fmt"
	"strconv"
	"strings"
)

// Money is an amount in the minor units of a currency (cents for EUR). All currencies here
// have two decimals.
type Money struct {
	MinorUnits int64
	Currency   string // ISO 4217 code
}

// ParseMinorUnits reads a decimal amount such as "10.00", "10" or "-3.5" as minor units.
func ParseMinorUnits(s string) (int64, error) {
	bad := func() error {
		return &Error{Code: CodeParameterSyntax, Field: "amount", Value: s, Reason: "an amount is digits with at most two decimals"}
	}
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" || len(whole) > 15 || len(fraction) > 2 {
		return 0, bad()
	}
	value, err := strconv.ParseUint(whole+(fraction + "00")[:2], 10, 62)
	if err != nil {
		return 0, bad()
	}
	if negative {
		return -int64(value), nil
	}
	return int64(value), nil
}

// FormatMinorUnits writes minor units as a decimal amount with two decimals.
func FormatMinorUnits(minor int64) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	return fmt.Sprintf("%s%d.%02d", sign, minor/100, minor%100)
}
