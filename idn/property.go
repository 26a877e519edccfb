package idn

import (
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// property is the derived property of a code point (RFC 5892 section 3).
type property uint8

const (
	disallowed property = iota // or unassigned, which comes to the same
	valid
	contextJ
	contextO
)

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
	middleDot          = '\u00b7'
	greekKeraia        = '\u0375'
	hebrewGeresh       = '\u05f3'
	hebrewGershayim    = '\u05f4'
	katakanaMiddleDot  = '\u30fb'
)

// propertyOf computes the property from those of Unicode, in the order of RFC 5892 section 3.
// There are no backward compatible code points (section 2.7).
func propertyOf(r rune) property {
	if p, found := exception(r); found {
		return p
	}
	switch {
	case r == '-', r >= '0' && r <= '9', r >= 'a' && r <= 'z':
		return valid
	case r == zeroWidthNonJoiner, r == zeroWidthJoiner:
		return contextJ
	case isUnstable(r), isIgnorable(r), isOldHangulJamo(r):
		return disallowed
	case unicode.In(r, unicode.Ll, unicode.Lu, unicode.Lo, unicode.Nd, unicode.Lm, unicode.Mn, unicode.Mc):
		return valid
	default:
		return disallowed
	}
}

// exception lists RFC 5892 section 2.6.
func exception(r rune) (property, bool) {
	switch {
	case r == 0x00df, r == 0x03c2, r == 0x06fd, r == 0x06fe, r == 0x0f0b, r == 0x3007:
		return valid, true
	case r == middleDot, r == greekKeraia, r == hebrewGeresh, r == hebrewGershayim, r == katakanaMiddleDot,
		isArabicIndicDigit(r), isExtendedArabicIndicDigit(r):
		return contextO, true
	case r == 0x0640, r == 0x07fa, r == 0x302e, r == 0x302f, r >= 0x3031 && r <= 0x3035, r == 0x303b:
		return disallowed, true
	default:
		return disallowed, false
	}
}

func isArabicIndicDigit(r rune) bool         { return r >= 0x0660 && r <= 0x0669 }
func isExtendedArabicIndicDigit(r rune) bool { return r >= 0x06f0 && r <= 0x06f9 }

// isUnstable: it does not survive normalisation and case folding (RFC 5892 section 2.2).
func isUnstable(r rune) bool {
	s := string(r)
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s))) != s
}

// isIgnorable: RFC 5892 sections 2.3 and 2.4.
func isIgnorable(r rune) bool {
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.White_Space, unicode.Noncharacter_Code_Point) ||
		r >= 0x20d0 && r <= 0x20ff || r >= 0x1d100 && r <= 0x1d24f
}

// isOldHangulJamo: RFC 5892 section 2.9.
func isOldHangulJamo(r rune) bool {
	return r >= 0x1100 && r <= 0x11ff || r >= 0xa960 && r <= 0xa97c || r >= 0xd7b0 && r <= 0xd7fb
}

// inContext applies the contextual rule of the code point at i (RFC 5892 appendix A.3 to A.9).
func inContext(runes []rune, i int) bool {
	neighbour := func(at int, of func(rune) bool) bool { return at >= 0 && at < len(runes) && of(runes[at]) }
	some := func(of func(rune) bool) bool {
		for _, r := range runes {
			if of(r) {
				return true
			}
		}
		return false
	}
	isL := func(r rune) bool { return r == 'l' }
	switch r := runes[i]; {
	case r == middleDot:
		return neighbour(i-1, isL) && neighbour(i+1, isL)
	case r == greekKeraia:
		return neighbour(i+1, func(r rune) bool { return unicode.Is(unicode.Greek, r) })
	case r == hebrewGeresh, r == hebrewGershayim:
		return neighbour(i-1, func(r rune) bool { return unicode.Is(unicode.Hebrew, r) })
	case r == katakanaMiddleDot:
		return some(func(r rune) bool {
			return r != katakanaMiddleDot && unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han)
		})
	case isArabicIndicDigit(r):
		return !some(isExtendedArabicIndicDigit)
	case isExtendedArabicIndicDigit(r):
		return !some(isArabicIndicDigit)
	default:
		return false
	}
}
