package eppxml

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Length facets of the simple types, in characters.
const (
	minID, maxID           = 3, 16  // eppcom:clIDType
	minTRID, maxTRID       = 3, 64  // epp:trIDStringType
	minServerID            = 3      // epp:sIDType
	maxServerID            = 64     // epp:sIDType
	minPassword            = 6      // epp:pwType
	maxPassword            = 16     // epp:pwType
	minLabel, maxLabel     = 1, 255 // eppcom:labelType
	minAddress, maxAddress = 3, 45  // host:addrStringType
	maxPostalLine          = 255    // contact:postalLineType and optPostalLineType
	maxPostalCode          = 16     // contact:pcType
	countryCodeLength      = 2      // contact:ccType
	maxE164                = 17     // contact:e164StringType
	maxCheckReason         = 32     // eppcom:reasonBaseType
	maxROIDName            = 80     // eppcom:roidType, before the hyphen
	maxROIDRepository      = 8      // eppcom:roidType, after the hyphen
	maxStatusesDomain      = 11     // domain:addRemType
	maxStatusesOther       = 7      // host:addRemType and contact:addRemType
)

// noMax stands for a missing maxLength; the bounds of the frame hold nevertheless.
const noMax = MaxFrame * 16

// length checks a length facet. value is what an error may show of the text.
func (d *decoder) length(n int32, s string, least, most int, value string) {
	if d.err != nil {
		return
	}
	if len(s) <= most && len(s) >= 4*least {
		return // as many bytes as characters at least, a quarter of them at most
	}
	switch k := utf8.RuneCountInString(s); {
	case k < least:
		d.fail(n, value, "shorter than "+strconv.Itoa(least)+" characters")
	case k > most:
		d.fail(n, value, "longer than "+strconv.Itoa(most)+" characters")
	}
}

// tokenBody reads an xsd:token with length facets from an element whose attributes the caller reads.
func (d *decoder) tokenBody(n int32, least, most int) string {
	s := collapse(d.simple(n))
	d.length(n, s, least, most, s)
	return s
}

// token is tokenBody for an element without attributes.
func (d *decoder) token(n int32, least, most int) string {
	d.noAttributes(n)
	return d.tokenBody(n, least, most)
}

// line reads an xsd:normalizedString with length facets from an element without attributes.
func (d *decoder) line(n int32, least, most int) string {
	d.noAttributes(n)
	s := replaceSpace(d.simple(n))
	d.length(n, s, least, most, s)
	return s
}

// label reads eppcom:labelType.
func (d *decoder) label(n int32) string { return d.token(n, minLabel, maxLabel) }

// id reads eppcom:clIDType.
func (d *decoder) id(n int32) string { return d.token(n, minID, maxID) }

// password reads epp:pwType; an error never shows it.
func (d *decoder) password(n int32) string {
	d.noAttributes(n)
	s := collapse(d.simple(n))
	d.length(n, s, minPassword, maxPassword, "")
	return s
}

// manyTokens reads the consecutive children called name as tokens.
func (c *cursor) manyTokens(name string, least, minLen, maxLen int) []string {
	count := c.count(name)
	if count == 0 && least == 0 {
		return nil
	}
	out := make([]string, 0, count)
	c.many(name, least, unbounded, func(n int32) { out = append(out, c.d.token(n, minLen, maxLen)) })
	return out
}

// oneOf checks a collapsed value against an enumeration.
func (d *decoder) oneOf(n int32, raw string, allowed ...string) string {
	s := collapse(raw)
	if d.err != nil {
		return ""
	}
	for _, a := range allowed {
		if s == a {
			return a
		}
	}
	d.fail(n, s, "value must be one of "+strings.Join(append([]string(nil), allowed...), ", "))
	return ""
}

// boolean reads xsd:boolean.
func (d *decoder) boolean(n int32, raw string) bool {
	switch s := collapse(raw); s {
	case "true", "1":
		return true
	case "false", "0":
	default:
		d.fail(n, s, "value must be true, false, 1 or 0")
	}
	return false
}

// unsigned reads an XML Schema unsigned integer of at most most.
func (d *decoder) unsigned(n int32, raw string, least, most uint64) uint64 {
	s := collapse(raw)
	digits := s
	if d.err != nil {
		return 0
	}
	v, ok := uint64(0), digits != ""
	for i := 0; i < len(digits) && ok; i++ {
		c := digits[i]
		ok = c >= '0' && c <= '9' && v <= (1<<64-1-uint64(c-'0'))/10
		v = v*10 + uint64(c-'0')
	}
	if !ok || v < least || v > most {
		d.fail(n, s, "value must be a number from "+strconv.FormatUint(least, 10)+" to "+strconv.FormatUint(most, 10))
		return 0
	}
	return v
}

// language reads xsd:language.
func (d *decoder) language(n int32, raw string) string {
	s := collapse(raw)
	if d.err == nil && !isLanguage(s) {
		d.fail(n, s, "value is not a language tag")
	}
	return s
}

// maxSubtag is the length of a part of a language tag.
const maxSubtag = 8

// isLanguage is the pattern [a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*.
func isLanguage(s string) bool {
	part := 0
	first := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '-':
			if part == 0 {
				return false
			}
			part, first = 0, false
			continue
		case c|0x20 >= 'a' && c|0x20 <= 'z', !first && c >= '0' && c <= '9':
			part++
		default:
			return false
		}
		if part > maxSubtag {
			return false
		}
	}
	return part > 0
}

// roid reads eppcom:roidType.
func (d *decoder) roid(n int32, raw string) string {
	s := collapse(raw)
	if d.err == nil && !isROID(s) {
		d.fail(n, s, "value is not a repository object identifier")
	}
	return s
}

// isROID is the pattern (\w|_){1,80}-\w{1,8}. The hyphen is no \w, so there is exactly one.
func isROID(s string) bool {
	name, repository, ok := strings.Cut(s, "-")
	if !ok {
		return false
	}
	k := 0
	for _, r := range name {
		if k++; r != '_' && !isWordRune(r) {
			return false
		}
	}
	if k < 1 || k > maxROIDName {
		return false
	}
	k = 0
	for _, r := range repository {
		if k++; !isWordRune(r) {
			return false
		}
	}
	return k >= 1 && k <= maxROIDRepository
}

// isWordRune is \w of XML Schema: everything but punctuation, separators and others, so that symbols count.
func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("$+<=>^`|~", r)
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.S)
}

// isE164 is the pattern (\+[0-9]{1,3}\.[0-9]{1,14})? of contact:e164StringType.
func isE164(s string) bool {
	if s == "" {
		return true
	}
	country, number, ok := strings.Cut(s, ".")
	return ok && s[0] == '+' && isDigits(country[1:], 3) && isDigits(number, 14)
}

// isDigits says whether s is 1 to most decimal digits.
func isDigits(s string, most int) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= most
}
