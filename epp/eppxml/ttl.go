package eppxml

import "strconv"

// NSTTL is the namespace of the extension for the TTLs of DNS records (RFC 9803).
const NSTTL = "urn:ietf:params:xml:ns:epp:ttl-1.0"

// maxTTLSeconds is the greatest TTL of DNS (RFC 2181 section 8) and of ttl:ttlValue.
const maxTTLSeconds = 1<<31 - 1

// TTL is how long resolvers may keep records of a type.
type TTL struct {
	// For is NS, DS, DNAME, A, AAAA or custom; Custom is the type then.
	For, Custom string
	// Seconds is nil for the server's default.
	Seconds *uint32
	// Bounds are what the server admits; nil if that is not said. Only responses say it.
	Bounds *TTLBounds
}

// TTLBounds are the least, the usual and the greatest value that a server admits, in seconds.
type TTLBounds struct{ Min, Default, Max uint32 }

// TTLInfo is <ttl:info>, which asks for TTLs in the answer to an info.
type TTLInfo struct {
	// Policy asks for all types that the server supports, with their bounds.
	Policy bool
}

// DecodeTTLInfo decodes <ttl:info>.
func DecodeTTLInfo(e *Element) (*TTLInfo, *Error) {
	out := &TTLInfo{}
	err := decodeElement(e, func(d *decoder, n int32) {
		a := d.attributes(d.rootOf(n, NSTTL, "info"))
		if policy, ok := a.optional("policy"); ok {
			out.Policy = d.boolean(n, policy)
		}
		a.end()
		d.empty(n)
	})
	return out, err
}

// DecodeTTLs decodes <ttl:create> or <ttl:update>, by the element's own name.
func DecodeTTLs(e *Element) ([]TTL, *Error) { return decodeTTLs(e, false) }

// DecodeTTLInfData decodes <ttl:infData>, as a client reads it.
func DecodeTTLInfData(e *Element) ([]TTL, *Error) { return decodeTTLs(e, true) }

func decodeTTLs(e *Element, response bool) ([]TTL, *Error) {
	var out []TTL
	err := decodeElement(e, func(d *decoder, n int32) {
		name := "infData"
		if !response {
			if name = "create"; e.Name == "update" {
				name = e.Name
			}
		}
		c := d.sequence(d.rootOf(n, NSTTL, name))
		seen := map[string]bool{}
		c.many("ttl", 1, unbounded, func(n int32) {
			ttl := d.ttl(n, response)
			if d.err == nil && seen[ttl.For] {
				d.fail(n, ttl.For, "each record type is given once")
			}
			seen[ttl.For] = true
			out = append(out, ttl)
		})
		c.end()
	})
	return out, err
}

// ttl decodes ttl:commandTTLType, or ttl:responseTTLType.
func (d *decoder) ttl(n int32, response bool) TTL {
	out := TTL{}
	a := d.attributes(n)
	out.For = d.oneOf(n, a.required("for"), "NS", "DS", "DNAME", "A", "AAAA", "custom")
	if custom, ok := a.optional("custom"); ok {
		if out.Custom = collapse(custom); !isRecordType(out.Custom) {
			d.fail(n, out.Custom, "value is not the mnemonic of a record type")
		}
	}
	if response {
		bounds, some := TTLBounds{}, false
		for _, bound := range []struct {
			name  string
			value *uint32
		}{{"min", &bounds.Min}, {"default", &bounds.Default}, {"max", &bounds.Max}} {
			if raw, ok := a.optional(bound.name); ok {
				*bound.value, some = d.ttlValue(n, raw), true
			}
		}
		if some {
			out.Bounds = &bounds
		}
	}
	a.end()
	if text := collapse(d.simple(n)); text != "" {
		seconds := d.ttlValue(n, text)
		out.Seconds = &seconds
	}
	return out
}

// ttlValue reads ttl:ttlValue, a nonNegativeInteger, which a sign may lead.
func (d *decoder) ttlValue(n int32, raw string) uint32 {
	s := collapse(raw)
	digits := s
	if len(s) > 1 && (s[0] == '+' || s[0] == '-' && isZeros(s[1:])) {
		digits = s[1:]
	}
	return uint32(d.unsigned(n, digits, 0, maxTTLSeconds))
}

func isZeros(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return s != ""
}

// isRecordType is the pattern A|[A-Z][A-Z0-9\-]*[A-Z0-9].
func isRecordType(s string) bool {
	for i := range len(s) {
		c := s[i]
		upper, digit := c >= 'A' && c <= 'Z', c >= '0' && c <= '9'
		inner := i > 0 && i < len(s)-1
		if !upper && !(digit && i > 0) && !(c == '-' && inner) {
			return false
		}
	}
	return len(s) >= 2 || s == "A"
}

// AppendTTLInfo appends <ttl:info>.
func AppendTTLInfo(dst []byte, i *TTLInfo) []byte {
	dst = appendAttr(append(dst, "<ttl:info"...), "xmlns:ttl", NSTTL)
	return append(appendBool(dst, "policy", i.Policy), "/>"...)
}

// AppendTTLCreate appends <ttl:create>. The schema asks for one TTL at least.
func AppendTTLCreate(dst []byte, ttls []TTL) []byte { return appendTTLs(dst, "create", ttls) }

// AppendTTLUpdate appends <ttl:update>. The schema asks for one TTL at least.
func AppendTTLUpdate(dst []byte, ttls []TTL) []byte { return appendTTLs(dst, "update", ttls) }

// AppendTTLInfData appends <ttl:infData>. The schema asks for one TTL at least.
func AppendTTLInfData(dst []byte, ttls []TTL) []byte { return appendTTLs(dst, "infData", ttls) }

func appendTTLs(dst []byte, name string, ttls []TTL) []byte {
	dst = appendObjectOpen(dst, "ttl", NSTTL, name)
	for i := range ttls {
		t := &ttls[i]
		dst = appendAttr(append(dst, "<ttl:ttl"...), "for", t.For)
		if t.Custom != "" {
			dst = appendAttr(dst, "custom", t.Custom)
		}
		if b := t.Bounds; b != nil {
			dst = appendAttr(dst, "min", strconv.FormatUint(uint64(b.Min), 10))
			dst = appendAttr(dst, "default", strconv.FormatUint(uint64(b.Default), 10))
			dst = appendAttr(dst, "max", strconv.FormatUint(uint64(b.Max), 10))
		}
		if t.Seconds == nil {
			dst = append(dst, "/>"...)
			continue
		}
		dst = strconv.AppendUint(append(dst, '>'), uint64(*t.Seconds), 10)
		dst = appendClose(dst, "ttl:ttl")
	}
	return appendClose(dst, "ttl:"+name)
}
