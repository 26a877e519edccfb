package eppxml

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind says why a frame was refused; the server maps it to a result code.
type Kind uint8

// The kinds of refusal, with the result code of RFC 5730 section 3 that each maps to.
const (
	// KindSyntax is XML that is not well-formed, breaks a bound, or breaks a schema (2001).
	KindSyntax Kind = iota + 1
	// KindUnknownCommand is a command element that EPP does not define (2000).
	KindUnknownCommand
	// KindUnimplementedObject is an object of a namespace that this package does not know (2307).
	KindUnimplementedObject
	// KindUnimplementedExtension is a protocol extension in place of a command (2103).
	KindUnimplementedExtension
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case KindSyntax:
		return "syntax error"
	case KindUnknownCommand:
		return "unknown command"
	case KindUnimplementedObject:
		return "unimplemented object"
	case KindUnimplementedExtension:
		return "unimplemented extension"
	}
	return "unknown kind"
}

// Error is the only error that decoding returns.
type Error struct {
	Kind Kind
	// NS and Element name the element at fault; both are empty when the frame broke off before one.
	NS, Element string
	// Value is the text or attribute value at fault, cut to maxErrorValue characters. It is always empty for passwords
	// and authInfo, so that an error can be logged.
	Value string
	// Reason is one sentence fragment that names the rule.
	Reason string
	// Offset is the byte in the frame, or -1 where it is not known.
	Offset int
	// ClTRID is the client's transaction identifier when the frame holds a valid one, for the response to echo.
	ClTRID string
	// Verb is the command as far as it was recognised, or empty.
	Verb Verb
}

// maxErrorValue keeps an error that echoes input short; it is counted in characters.
const maxErrorValue = 80

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	if e.Element != "" {
		fmt.Fprintf(&b, " in element %q", e.Element)
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, " at byte %d", e.Offset)
	}
	b.WriteString(": ")
	b.WriteString(e.Reason)
	if e.Value != "" {
		fmt.Fprintf(&b, " (%q)", e.Value)
	}
	return b.String()
}

// ExtValue returns the error in the form in which a response carries it (RFC 5730 section 2.6), and false when no element
// is known.
func (e *Error) ExtValue() (ExtValue, bool) {
	if e.Element == "" || !isNCName(e.Element) {
		return ExtValue{}, false
	}
	return ExtValue{Value: Value{NS: e.NS, Name: e.Element, Text: e.Value}, Reason: e.Reason}, true
}

// clip cuts s to at most limit characters and copies it, so that an error does not pin a frame.
func clip(s string, limit int) string {
	if utf8.RuneCountInString(s) > limit {
		n := 0
		for i := range s {
			if n == limit {
				s = s[:i]
				break
			}
			n++
		}
	}
	return strings.Clone(s)
}
