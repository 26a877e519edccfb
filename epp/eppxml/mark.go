package eppxml

import (
	"strings"
	"unicode"
)

// Facets of mark-1.0 (RFC 7848 section 2).
const (
	maxMarkPostalCode = 16
	markCountryChars  = 2
	maxMarkLabel      = 63
	maxMarkStreets    = 3
)

// mark checks mark:markType. Marks are kept as they came, so that there is nothing to return.
func (d *decoder) mark(n int32) {
	c := d.sequence(n)
	c.many("trademark", 0, unbounded, d.trademark)
	c.many("treatyOrStatute", 0, unbounded, d.treatyOrStatute)
	c.many("court", 0, unbounded, d.markCourt)
	c.end()
}

func (d *decoder) trademark(n int32) {
	c := d.sequence(n)
	c.markHead()
	d.markCountry(c.expect("jurisdiction"))
	c.many("class", 0, unbounded, d.markClass)
	c.many("label", 0, unbounded, d.markLabel)
	d.anyToken(c.expect("goodsAndServices"))
	c.optionalToken("apId")
	if n, ok := c.optional("apDate"); ok {
		d.dateTime(n)
	}
	d.anyToken(c.expect("regNum"))
	d.dateTime(c.expect("regDate"))
	if n, ok := c.optional("exDate"); ok {
		d.dateTime(n)
	}
	c.end()
}

func (d *decoder) treatyOrStatute(n int32) {
	c := d.sequence(n)
	c.markHead()
	c.many("protection", 1, unbounded, func(n int32) {
		in := d.sequence(n)
		d.markCountry(in.expect("cc"))
		in.optionalToken("region")
		in.many("ruling", 0, unbounded, d.markCountry)
		in.end()
	})
	c.many("label", 0, unbounded, d.markLabel)
	d.anyToken(c.expect("goodsAndServices"))
	d.anyToken(c.expect("refNum"))
	d.dateTime(c.expect("proDate"))
	d.anyToken(c.expect("title"))
	d.dateTime(c.expect("execDate"))
	c.end()
}

func (d *decoder) markCourt(n int32) {
	c := d.sequence(n)
	c.markHead()
	c.many("label", 0, unbounded, d.markLabel)
	d.anyToken(c.expect("goodsAndServices"))
	d.anyToken(c.expect("refNum"))
	d.dateTime(c.expect("proDate"))
	d.markCountry(c.expect("cc"))
	c.many("region", 0, unbounded, d.anyToken)
	d.anyToken(c.expect("courtName"))
	c.end()
}

// markHead reads what marks of all kinds begin with.
func (c *cursor) markHead() {
	d := c.d
	d.markID(c.expect("id"))
	d.anyToken(c.expect("markName"))
	c.many("holder", 1, unbounded, func(n int32) { d.markParty(n, "entitlement", "owner", "assignee", "licensee") })
	c.many("contact", 0, unbounded, func(n int32) { d.markParty(n, "type", "owner", "agent", "thirdparty") })
}

// markParty reads mark:holderType or, where the role is called type, mark:contactType, which requires more.
func (d *decoder) markParty(n int32, role string, roles ...string) {
	a := d.attributes(n)
	if value, ok := a.optional(role); ok {
		d.oneOf(n, value, roles...)
	}
	a.end()
	isContact := role == "type"
	c := d.sequenceOnly(n)
	part := func(name string, required bool, read func(int32)) {
		if n, ok := c.optional(name); ok {
			read(n)
		} else if required {
			c.expect(name)
		}
	}
	part("name", isContact, d.anyToken)
	part("org", false, d.anyToken)
	part("addr", true, d.markAddress)
	part("voice", isContact, d.markPhone)
	part("fax", false, d.markPhone)
	part("email", isContact, func(n int32) { d.token(n, 1, noMax) })
	c.end()
}

func (d *decoder) markAddress(n int32) {
	c := d.sequence(n)
	c.many("street", 1, maxMarkStreets, d.anyToken)
	d.anyToken(c.expect("city"))
	c.optionalToken("sp")
	if n, ok := c.optional("pc"); ok {
		d.token(n, 0, maxMarkPostalCode)
	}
	d.markCountry(c.expect("cc"))
	c.end()
}

func (d *decoder) markPhone(n int32) {
	a := d.attributes(n)
	_, _ = a.optional("x") // a token, which every value is
	a.end()
	if s := d.tokenBody(n, 0, maxE164); d.err == nil && !isE164(s) {
		d.fail(n, s, "value is not a telephone number")
	}
}

func (d *decoder) markCountry(n int32) { d.token(n, markCountryChars, markCountryChars) }

func (d *decoder) anyToken(n int32) { d.token(n, 0, noMax) }

// optionalToken reads the next child if it is called name.
func (c *cursor) optionalToken(name string) {
	if n, ok := c.optional(name); ok {
		c.d.anyToken(n)
	}
}

// markClass reads xsd:integer.
func (d *decoder) markClass(n int32) {
	s := d.token(n, 0, noMax)
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")
	if d.err == nil && (digits == "" || strings.Trim(digits, "0123456789") != "" || len(s)-len(digits) > 1) {
		d.fail(n, s, "value is not an integer")
	}
}

// markID reads the pattern \d+-\d+, where \d is a digit of any script.
func (d *decoder) markID(n int32) {
	s := d.token(n, 0, noMax)
	issuer, number, ok := strings.Cut(s, "-")
	if d.err == nil && (!ok || !isAllDigits(issuer) || !isAllDigits(number)) {
		d.fail(n, s, "value is not the identifier of a mark")
	}
}

func isAllDigits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) }) < 0
}

// markLabel reads the pattern [a-zA-Z0-9]([a-zA-Z0-9\-]*[a-zA-Z0-9])?.
func (d *decoder) markLabel(n int32) {
	s := d.token(n, 1, maxMarkLabel)
	for i := range len(s) {
		c := s[i]
		letterOrDigit := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if d.err == nil && !letterOrDigit && (c != '-' || i == 0 || i == len(s)-1) {
			d.fail(n, s, "value is not a label")
		}
	}
}
