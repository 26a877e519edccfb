package eppxml

import "strings"

// NSFee is the namespace of the fee extension (RFC 8748).
const NSFee = "urn:ietf:params:xml:ns:epp:fee-1.0"

// FeeCommandName is a command that a check asks the fees of (fee:commandEnum).
type FeeCommandName string

// The commands of <fee:command>.
const (
	FeeCreate   FeeCommandName = "create"
	FeeDelete   FeeCommandName = "delete"
	FeeRenew    FeeCommandName = "renew"
	FeeUpdate   FeeCommandName = "update"
	FeeTransfer FeeCommandName = "transfer"
	FeeRestore  FeeCommandName = "restore"
	FeeCustom   FeeCommandName = "custom"
)

// FeeCheck is <fee:check>.
type FeeCheck struct {
	// Currency is empty if none was given.
	Currency string
	Commands []FeeCommand
}

// FeeCommand is a command with what its fee depends on. Parts that were not given are zero.
type FeeCommand struct {
	Name                        FeeCommandName
	CustomName, Phase, Subphase string
	Period                      Period
}

// FeeTransform is <fee:create>, <fee:renew>, <fee:transfer> or <fee:update>: what the client agrees to pay.
type FeeTransform struct {
	// Currency is empty if none was given.
	Currency string
	Fees     []Fee
	Credits  []Fee
}

// Fee is <fee:fee> or <fee:credit>.
type Fee struct {
	// Amount is a decimal number; that of a credit is not above zero.
	Amount      string
	Description string
	// Lang is the language of Description; empty means the schema's default, en.
	Lang string
	// Refundable, GracePeriod (xsd:duration) and Applied are of fees only; they are not given if nil or empty.
	Refundable  *bool
	GracePeriod string
	Applied     string
}

// DecodeFeeCheck decodes <fee:check>.
func DecodeFeeCheck(e *Element) (*FeeCheck, *Error) {
	out := &FeeCheck{}
	err := decodeElement(e, func(d *decoder, n int32) {
		c := d.sequence(d.rootOf(n, NSFee, "check"))
		out.Currency = c.optionalCurrency()
		c.many("command", 1, unbounded, func(n int32) { out.Commands = append(out.Commands, d.feeCommand(n)) })
		c.end()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DecodeFeeTransform decodes the element that a transform command of the name carries.
func DecodeFeeTransform(e *Element, name string) (*FeeTransform, *Error) {
	out := &FeeTransform{}
	err := decodeElement(e, func(d *decoder, n int32) {
		c := d.sequence(d.rootOf(n, NSFee, name))
		out.Currency = c.optionalCurrency()
		c.many("fee", 1, unbounded, func(n int32) { out.Fees = append(out.Fees, d.fee(n)) })
		c.many("credit", 0, unbounded, func(n int32) { out.Credits = append(out.Credits, d.credit(n)) })
		c.end()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// optionalCurrency decodes fee:currencyType. It is a string: white space around it counts.
func (c *cursor) optionalCurrency() string {
	n, ok := c.optional("currency")
	if !ok {
		return ""
	}
	c.d.noAttributes(n)
	s := c.d.simple(n)
	if c.d.err == nil && !isCurrency(s) {
		c.d.fail(n, s, "value is not three upper-case letters")
	}
	return s
}

func isCurrency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func (d *decoder) feeCommand(n int32) FeeCommand {
	a := d.attributes(n)
	out := FeeCommand{Name: FeeCommandName(d.oneOf(n, a.required("name"), string(FeeCreate), string(FeeDelete), string(FeeRenew),
		string(FeeUpdate), string(FeeTransfer), string(FeeRestore), string(FeeCustom)))}
	for _, part := range []struct {
		name string
		into *string
	}{{"customName", &out.CustomName}, {"phase", &out.Phase}, {"subphase", &out.Subphase}} {
		if value, ok := a.optional(part.name); ok {
			*part.into = collapse(value)
		}
	}
	a.end()
	c := d.sequenceOnly(n)
	out.Period = c.optionalPeriod()
	c.end()
	return out
}

// fee decodes fee:feeType.
func (d *decoder) fee(n int32) Fee {
	a := d.attributes(n)
	out := d.feeTexts(n, &a)
	if refundable, ok := a.optional("refundable"); ok {
		v := d.boolean(n, refundable)
		out.Refundable = &v
	}
	if grace, ok := a.optional("grace-period"); ok {
		if out.GracePeriod = collapse(grace); d.err == nil && !isDuration(out.GracePeriod) {
			d.fail(n, out.GracePeriod, "grace-period is not a duration")
		}
	}
	if applied, ok := a.optional("applied"); ok {
		out.Applied = d.oneOf(n, applied, "immediate", "delayed")
	}
	a.end()
	out.Amount = d.decimal(n)
	if d.err == nil && strings.HasPrefix(out.Amount, "-") {
		d.fail(n, out.Amount, "a fee is not negative")
	}
	return out
}

// credit decodes fee:creditType.
func (d *decoder) credit(n int32) Fee {
	a := d.attributes(n)
	out := d.feeTexts(n, &a)
	a.end()
	out.Amount = d.decimal(n)
	if d.err == nil && !strings.HasPrefix(out.Amount, "-") && out.Amount != "0" {
		d.fail(n, out.Amount, "a credit is not above zero")
	}
	return out
}

func (d *decoder) feeTexts(n int32, a *attributeReader) (out Fee) {
	out.Description, _ = a.optional("description")
	if lang, ok := a.optional("lang"); ok {
		out.Lang = d.language(n, lang)
	}
	return out
}

// decimal reads xsd:decimal from an element whose attributes the caller reads, without a plus sign, without zeros that say
// nothing and with a digit before the point.
func (d *decoder) decimal(n int32) string {
	s := collapse(d.simple(n))
	if d.err != nil {
		return ""
	}
	out, ok := canonicalDecimal(s)
	if !ok {
		d.fail(n, s, "value is not a decimal number")
	}
	return out
}

func canonicalDecimal(s string) (string, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	if !negative {
		digits = strings.TrimPrefix(digits, "+")
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return "", false
	}
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative && whole != "0" {
		whole = "-" + whole
	}
	return whole, true
}

// isDuration is the syntax of xsd:duration: PnYnMnDTnHnMnS, one part at least, with T before the parts of a day.
func isDuration(s string) bool {
	s, ok := strings.CutPrefix(strings.TrimPrefix(s, "-"), "P")
	if !ok {
		return false
	}
	day, clock, hasClock := strings.Cut(s, "T")
	dayParts, dayOK := durationParts(day, "YMD")
	clockParts, clockOK := durationParts(clock, "HMS")
	return dayOK && clockOK && dayParts+clockParts > 0 && hasClock == (clockParts > 0)
}

// durationParts counts the numbers with one of the units each, which come in their order. Only seconds have a fraction.
func durationParts(s, units string) (count int, ok bool) {
	for s != "" {
		end := strings.IndexAny(s, units)
		if end < 0 {
			return 0, false
		}
		number, unit := s[:end], s[end]
		whole, fraction, hasFraction := strings.Cut(number, ".")
		if !isDigits(whole, maxDurationDigits) || hasFraction && (unit != 'S' || !isDigits(fraction, maxDurationDigits)) {
			return 0, false
		}
		units = units[strings.IndexByte(units, unit)+1:]
		s = s[end+1:]
		count++
		if units == "" {
			break
		}
	}
	return count, s == ""
}

// maxDurationDigits bounds a number in a duration; XML Schema has no bound.
const maxDurationDigits = 9
