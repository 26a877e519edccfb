package eppxml

import (
	"time"
	"unicode/utf8"
)

// appendText appends s as character data. Characters that XML 1.0 forbids, and bytes that are not UTF-8, are dropped.
func appendText(dst []byte, s string) []byte { return appendEscaped(dst, s, false) }

// appendAttr appends a space, the name and the quoted value. name must be a legal name.
func appendAttr(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, ' '), name...), `="`...)
	return append(appendEscaped(dst, value, true), '"')
}

// appendEscaped escapes markup. A carriage return, and in attributes every tab and line feed, is written as a reference,
// because a reader would otherwise turn it into something else.
func appendEscaped(dst []byte, s string, inAttribute bool) []byte {
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		size, escape := 1, ""
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if !(r == utf8.RuneError && size == 1) && isChar(r) {
				i += size
				continue
			}
		case c == '&':
			escape = "&amp;"
		case c == '<':
			escape = "&lt;"
		case c == '>':
			escape = "&gt;"
		case c == '\r':
			escape = "&#13;"
		case inAttribute && c == '"':
			escape = "&quot;"
		case inAttribute && c == '\t':
			escape = "&#9;"
		case inAttribute && c == '\n':
			escape = "&#10;"
		case c >= ' ' || c == '\t' || c == '\n':
			i++
			continue
		}
		dst = append(append(dst, s[done:i]...), escape...)
		i += size
		done = i
	}
	return append(dst, s[done:]...)
}

// appendLeaf appends <qname>text</qname>.
func appendLeaf(dst []byte, qname, text string) []byte {
	dst = append(append(append(dst, '<'), qname...), '>')
	return appendClose(appendText(dst, text), qname)
}

// appendOptional is appendLeaf that leaves an empty text out.
func appendOptional(dst []byte, qname, text string) []byte {
	if text == "" {
		return dst
	}
	return appendLeaf(dst, qname, text)
}

// appendClose appends </qname>.
func appendClose(dst []byte, qname string) []byte {
	return append(append(append(dst, "</"...), qname...), '>')
}

// appendTime appends a dateTime element, and nothing for the zero time.
func appendTime(dst []byte, qname string, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	dst = append(append(append(dst, '<'), qname...), '>')
	return appendClose(t.UTC().AppendFormat(dst, timeLayout), qname)
}

// appendBool appends a boolean attribute in the short form that EPP examples use.
func appendBool(dst []byte, name string, v bool) []byte {
	if v {
		return appendAttr(dst, name, "1")
	}
	return appendAttr(dst, name, "0")
}

// appendObjectOpen appends the start tag of an object element with the declaration of its prefix.
func appendObjectOpen(dst []byte, prefix, ns, name string) []byte {
	dst = append(append(append(append(dst, '<'), prefix...), ':'), name...)
	dst = appendAttr(dst, "xmlns:"+prefix, ns)
	return append(dst, '>')
}

// appendStatuses appends <prefix:status> elements.
func appendStatuses(dst []byte, qname string, statuses []Status) []byte {
	for _, s := range statuses {
		dst = append(append(dst, '<'), qname...)
		dst = appendAttr(dst, "s", s.Value)
		if s.Lang != "" {
			dst = appendAttr(dst, "lang", s.Lang)
		}
		if s.Text == "" {
			dst = append(dst, "/>"...)
			continue
		}
		dst = appendClose(appendText(append(dst, '>'), s.Text), qname)
	}
	return dst
}

// appendAddrs appends elements of host:addrType.
func appendAddrs(dst []byte, qname string, addrs []HostAddr) []byte {
	for _, a := range addrs {
		dst = append(append(dst, '<'), qname...)
		if a.IP != "" {
			dst = appendAttr(dst, "ip", a.IP)
		}
		dst = appendClose(appendText(append(dst, '>'), a.Addr), qname)
	}
	return dst
}

// appendAuthInfo appends <prefix:authInfo>, and nothing for nil.
func appendAuthInfo(dst []byte, prefix string, info *AuthInfo) []byte {
	if info == nil {
		return dst
	}
	dst = append(append(append(dst, '<'), prefix...), ":authInfo>"...)
	dst = appendAuthInfoContent(dst, prefix, info)
	return appendClose(dst, prefix+":authInfo")
}

// appendAuthInfoContent appends what stands within an authInfo.
func appendAuthInfoContent(dst []byte, prefix string, info *AuthInfo) []byte {
	switch {
	case info.Null:
		dst = append(append(append(dst, '<'), prefix...), ":null/>"...)
	case info.Ext != nil:
		dst = append(append(append(dst, '<'), prefix...), ":ext>"...)
		dst = AppendElement(dst, info.Ext, NSEPP)
		dst = appendClose(dst, prefix+":ext")
	default:
		dst = append(append(append(dst, '<'), prefix...), ":pw"...)
		if info.ROID != "" {
			dst = appendAttr(dst, "roid", info.ROID)
		}
		dst = appendClose(appendText(append(dst, '>'), info.Password), prefix+":pw")
	}
	return dst
}
