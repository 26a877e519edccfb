package eppxml

import (
	"strings"
	"unicode/utf8"
)

// uri reads xsd:anyURI from an element without attributes.
func (d *decoder) uri(n int32) string {
	d.noAttributes(n)
	s := collapse(d.simple(n))
	if d.err == nil && !isURIReference(s) {
		d.fail(n, s, "value is not a URI")
	}
	return s
}

// manyURIs reads the consecutive children called name as URIs, of which there must be one at least.
func (c *cursor) manyURIs(name string) []string {
	out := make([]string, 0, c.count(name))
	c.many(name, 1, unbounded, func(n int32) { out = append(out, c.d.uri(n)) })
	return out
}

// isURIReference checks the generic syntax of RFC 3986, in which xsd:anyURI also lets the characters stand that would have
// to be escaped (non-ASCII, spaces and some ASCII punctuation).
func isURIReference(s string) bool {
	rest, fragment, hasFragment := strings.Cut(s, "#")
	if hasFragment && !allURIChars(fragment, "/?") {
		return false
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	if hasQuery && !allURIChars(query, "/?") {
		return false
	}
	if i := strings.IndexAny(rest, ":/"); i >= 0 && rest[i] == ':' {
		if !isScheme(rest[:i]) {
			return false
		}
		rest = rest[i+1:]
	}
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		slash := strings.IndexByte(after, '/')
		if slash < 0 {
			slash = len(after)
		}
		if !isAuthority(after[:slash]) {
			return false
		}
		rest = after[slash:]
	}
	return allURIChars(rest, "/")
}

// isScheme is ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ).
func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// isAuthority is [ userinfo "@" ] host [ ":" port ].
func isAuthority(s string) bool {
	if i := strings.IndexByte(s, '@'); i >= 0 {
		if !allURIChars(s[:i], "") || strings.IndexByte(s[:i], '@') >= 0 {
			return false
		}
		s = s[i+1:]
	}
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 2 || !allURIChars(s[1:end], "") {
			return false
		}
		s = s[end+1:]
		if s != "" && s[0] != ':' {
			return false
		}
	}
	host, port, hasPort := strings.Cut(s, ":")
	if strings.ContainsAny(host, "@") || !allURIChars(host, "") {
		return false
	}
	return !hasPort || port == "" || isDigits(port, 9)
}

// allURIChars says whether s holds only pchar, the extra characters, and what xsd:anyURI lets stand unescaped.
func allURIChars(s, extra string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
		case c >= utf8.RuneSelf, c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z':
		case strings.IndexByte(" -._~!$&'()*+,;=:@<>\"{}|\\^`", c) >= 0:
		case strings.IndexByte(extra, c) >= 0:
		default:
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }
