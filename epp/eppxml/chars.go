package eppxml

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameASCIILow and nameASCIIHigh are bit sets of the ASCII characters that a name may hold, colon excluded: '-', '.' and
// digits below 64; letters and '_' above.
const (
	nameASCIILow  uint64 = 1<<'-' | 1<<'.' | 0x3ff<<'0'
	nameASCIIHigh uint64 = 0x3ffffff<<('A'-64) | 1<<('_'-64) | 0x3ffffff<<('a'-64)
)

func isNameByte(c byte) bool {
	if c < 64 {
		return nameASCIILow>>c&1 != 0
	}
	return c < 128 && nameASCIIHigh>>(c-64)&1 != 0
}

func isNameStartByte(c byte) bool {
	return c >= 64 && c < 128 && nameASCIIHigh>>(c-64)&1 != 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// isChar is the production Char of XML 1.0.
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	case r < 0xE000:
		return false
	}
	return r != 0xFFFE && r != 0xFFFF && r <= unicode.MaxRune
}

// isNameStartRune is NameStartChar of XML 1.0 (fifth edition) without the colon.
func isNameStartRune(r rune) bool {
	if r < 0x80 {
		return isNameStartByte(byte(r))
	}
	switch {
	case r < 0xC0, r == 0xD7, r == 0xF7:
		return false
	case r <= 0x2FF:
		return true
	case r < 0x370, r == 0x37E:
		return false
	case r <= 0x1FFF:
		return true
	case r == 0x200C, r == 0x200D:
		return true
	}
	return r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF || r >= 0x3001 && r <= 0xD7FF ||
		r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD || r >= 0x10000 && r <= 0xEFFFF
}

// isNameRune is NameChar of XML 1.0 without the colon.
func isNameRune(r rune) bool {
	if r < 0x80 {
		return isNameByte(byte(r))
	}
	return isNameStartRune(r) || r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}

// isNCName says whether s is a legal name without a colon.
func isNCName(s string) bool {
	for i, r := range s {
		if i == 0 && !isNameStartRune(r) || !isNameRune(r) {
			return false
		}
	}
	return s != ""
}

// firstBadChar returns the offset of the first byte that is not UTF-8 or not a character that XML allows, or -1.
func firstBadChar(s string) int {
	i := 0
	for i < len(s) {
		// Eight plain bytes at a time: none with the high bit, none below 0x20.
		for i+8 <= len(s) {
			w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
				uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
			if w&0x8080808080808080 != 0 || (w-0x2020202020202020)&^w&0x8080808080808080 != 0 {
				break
			}
			i += 8
		}
		for n := 0; n < 8 && i < len(s); n++ {
			c := s[i]
			if c < utf8.RuneSelf {
				if c < 0x20 && !isSpace(c) {
					return i
				}
				i++
				continue
			}
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || !isChar(r) {
				return i
			}
			i += size
		}
	}
	return -1
}

// isBlank says whether s holds white space only.
func isBlank(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isSpace(s[i]) {
			return false
		}
	}
	return true
}

// collapse applies the white-space rule of xsd:token: no leading or trailing space, single spaces within.
func collapse(s string) string {
	clean := true
	prev := byte(' ')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == ' ' && prev == ' ' {
			clean = false
			break
		}
		prev = c
	}
	if clean && (s == "" || prev != ' ') {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	pending := false
	for i := 0; i < len(s); i++ {
		if isSpace(s[i]) {
			pending = b.Len() > 0
			continue
		}
		if pending {
			b.WriteByte(' ')
			pending = false
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// replaceSpace applies the white-space rule of xsd:normalizedString: each tab and line break becomes a space.
func replaceSpace(s string) string {
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\t') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if isSpace(c) {
			b[i] = ' '
		}
	}
	return string(b)
}
