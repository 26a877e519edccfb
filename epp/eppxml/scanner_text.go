package eppxml

import (
	"strings"
	"unicode/utf8"
)

// text reads a run of character data up to the next markup.
func (s *scanner) text() *Error {
	if err := s.token(); err != nil {
		return err
	}
	rest := s.in[s.pos:]
	plain, n := true, 0
	for n < len(rest) && rest[n] != '<' {
		switch c := rest[n]; {
		case c > '>':
		case c == '&' || c == '\r':
			plain = false
		case c == '>' && n >= 2 && rest[n-1] == ']' && rest[n-2] == ']':
			return s.fail(s.pos+n, "]]> within text")
		}
		n++
	}
	if n == len(rest) {
		return s.fail(s.pos, "frame ends within an element")
	}
	raw := rest[:n]
	top := s.open[len(s.open)-1].node
	if s.tree.textBytes(top)+n > MaxTextBytes {
		return s.fail(s.pos, "text too long")
	}
	if plain {
		s.tree.addText(top, raw)
	} else {
		decoded, err := s.decode(raw, false)
		if err != nil {
			return err
		}
		s.tree.addText(top, decoded)
	}
	s.pos += n
	return nil
}

// cdata reads <![CDATA[ … ]]>.
func (s *scanner) cdata() *Error {
	if err := s.token(); err != nil {
		return err
	}
	body := s.pos + len("<![CDATA[")
	n := strings.Index(s.in[body:], "]]>")
	if n < 0 {
		return s.fail(s.pos, "CDATA section without an end")
	}
	top := s.open[len(s.open)-1].node
	if s.tree.textBytes(top)+n > MaxTextBytes {
		return s.fail(s.pos, "text too long")
	}
	s.tree.addText(top, lineEnds(s.in[body:body+n]))
	s.pos = body + n + len("]]>")
	return nil
}

// lineEnds turns CR LF and CR into LF (XML 1.0 section 2.11).
func lineEnds(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// attributeValue normalises a value of type CDATA (XML 1.0 section 3.3.3). s.pos is where raw starts.
func (s *scanner) attributeValue(raw string) (string, *Error) {
	plain := true
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '<':
			return "", s.fail(s.pos+i, "< within an attribute value")
		case c == '&' || c < ' ':
			plain = false
		}
	}
	if plain {
		return raw, nil
	}
	return s.decode(raw, true)
}

// decode resolves references and line ends in raw, which starts at s.pos. In an attribute each literal white-space
// character becomes a space; one that was written as a reference stays.
func (s *scanner) decode(raw string, inAttribute bool) (string, *Error) {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == '&':
			var size int
			out, size = appendReference(out, raw[i:])
			if size == 0 {
				return "", s.fail(s.pos+i, "not one of the five XML entities nor a valid character reference")
			}
			i += size
			continue
		case c == '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
			c = '\n'
		}
		if inAttribute && (c == '\n' || c == '\t') {
			c = ' '
		}
		out = append(out, c)
		i++
	}
	return string(out), nil
}

// maxReference is the longest reference worth looking for an end of: more digits than U+10FFFF needs with leading zeros.
const maxReference = 32

// appendReference appends what the reference at the start of s stands for and returns the bytes read, or 0 if it is none.
func appendReference(dst []byte, s string) ([]byte, int) {
	end := strings.IndexByte(s[:min(len(s), maxReference)], ';')
	if end < 2 {
		return dst, 0
	}
	body, size := s[1:end], end+1
	if body[0] == '#' {
		r, ok := charReference(body[1:])
		if !ok {
			return dst, 0
		}
		return utf8.AppendRune(dst, r), size
	}
	switch body {
	case "amp":
		return append(dst, '&'), size
	case "lt":
		return append(dst, '<'), size
	case "gt":
		return append(dst, '>'), size
	case "quot":
		return append(dst, '"'), size
	case "apos":
		return append(dst, '\''), size
	}
	return dst, 0
}

// charReference reads the digits of a numeric reference: decimal, or hexadecimal after an x.
func charReference(digits string) (rune, bool) {
	base := rune(10)
	if strings.HasPrefix(digits, "x") {
		base, digits = 16, digits[1:]
	}
	if digits == "" {
		return 0, false
	}
	var r rune
	for i := 0; i < len(digits); i++ {
		var v rune
		switch c := digits[i]; {
		case c >= '0' && c <= '9':
			v = rune(c - '0')
		case base == 16 && c >= 'a' && c <= 'f':
			v = rune(c-'a') + 10
		case base == 16 && c >= 'A' && c <= 'F':
			v = rune(c-'A') + 10
		default:
			return 0, false
		}
		if r = r*base + v; r > utf8.MaxRune {
			return 0, false
		}
	}
	return r, isChar(r)
}
