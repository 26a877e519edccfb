package eppxml

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// NSSecDNS is the namespace of the DNS security extension (RFC 5910).
const NSSecDNS = "urn:ietf:params:xml:ns:secDNS-1.1"

// SecDNS is what create and info of a domain carry, and what an update adds: DS records or keys, never both.
type SecDNS struct {
	// MaxSigLife is in seconds; 0 if none is given.
	MaxSigLife uint32
	DS         []DSData
	Keys       []KeyData
}

// DSData is a delegation signer record (RFC 4034 section 5).
type DSData struct {
	KeyTag          uint16
	Alg, DigestType uint8
	Digest          []byte
	// Key is the key that the digest is of, or nil.
	Key *KeyData
}

// KeyData is a public key (RFC 4034 section 2).
type KeyData struct {
	Flags         uint16
	Protocol, Alg uint8
	PublicKey     []byte
}

// SecDNSUpdate is what an update of a domain carries. Parts that were not given are nil.
type SecDNSUpdate struct {
	// Urgent asks for the change to take effect with high priority.
	Urgent bool
	Rem    *SecDNSRem
	Add    *SecDNS
	Chg    *SecDNSChg
}

// SecDNSRem is what an update removes: all, DS records, or keys.
type SecDNSRem struct {
	// All is nil if it was not given; false removes nothing.
	All  *bool
	DS   []DSData
	Keys []KeyData
}

// SecDNSChg is what an update changes.
type SecDNSChg struct {
	// MaxSigLife is in seconds; 0 if none is given.
	MaxSigLife uint32
}

// DecodeSecDNSCreate decodes <secDNS:create>.
func DecodeSecDNSCreate(e *Element) (*SecDNS, *Error) {
	var out *SecDNS
	err := decodeElement(e, func(d *decoder, n int32) { out = d.secDNS(d.rootOf(n, NSSecDNS, "create")) })
	return out, err
}

// DecodeSecDNSInfData decodes <secDNS:infData>, as a client reads it.
func DecodeSecDNSInfData(e *Element) (*SecDNS, *Error) {
	var out *SecDNS
	err := decodeElement(e, func(d *decoder, n int32) { out = d.secDNS(d.rootOf(n, NSSecDNS, "infData")) })
	return out, err
}

// DecodeSecDNSUpdate decodes <secDNS:update>.
func DecodeSecDNSUpdate(e *Element) (*SecDNSUpdate, *Error) {
	var out *SecDNSUpdate
	err := decodeElement(e, func(d *decoder, n int32) { out = d.secDNSUpdate(d.rootOf(n, NSSecDNS, "update")) })
	return out, err
}

// secDNS decodes secDNS:dsOrKeyType.
func (d *decoder) secDNS(n int32) *SecDNS {
	c := d.sequence(n)
	out := &SecDNS{MaxSigLife: c.optionalMaxSigLife()}
	out.DS, out.Keys = c.dsOrKeys()
	c.end()
	return out
}

// dsOrKeys decodes the choice of one or more dsData or one or more keyData.
func (c *cursor) dsOrKeys() ([]DSData, []KeyData) {
	if count := c.count("keyData"); count > 0 {
		keys := make([]KeyData, 0, count)
		c.many("keyData", 1, unbounded, func(n int32) { keys = append(keys, c.d.keyData(n)) })
		return nil, keys
	}
	ds := make([]DSData, 0, c.count("dsData"))
	c.many("dsData", 1, unbounded, func(n int32) { ds = append(ds, c.d.dsData(n)) })
	return ds, nil
}

func (c *cursor) optionalMaxSigLife() uint32 {
	n, ok := c.optional("maxSigLife")
	if !ok {
		return 0
	}
	c.d.noAttributes(n)
	// The type is derived from xsd:int, which a plus sign may lead.
	raw := collapse(c.d.simple(n))
	return uint32(c.d.unsigned(n, strings.TrimPrefix(raw, "+"), 1, 1<<31-1))
}

func (d *decoder) dsData(n int32) DSData {
	c := d.sequence(n)
	out := DSData{KeyTag: uint16(d.number(c.expect("keyTag"), 1<<16-1))}
	out.Alg = uint8(d.number(c.expect("alg"), 1<<8-1))
	out.DigestType = uint8(d.number(c.expect("digestType"), 1<<8-1))
	out.Digest = d.hexBinary(c.expect("digest"))
	if n, ok := c.optional("keyData"); ok {
		key := d.keyData(n)
		out.Key = &key
	}
	c.end()
	return out
}

func (d *decoder) keyData(n int32) KeyData { return d.keyDataIn(n, "") }

// keyDataIn is keyData for an element whose content is in the namespace ns; empty means its own.
func (d *decoder) keyDataIn(n int32, ns string) KeyData {
	c := d.sequence(n)
	if ns != "" {
		c.ns = ns
	}
	out := KeyData{Flags: uint16(d.number(c.expect("flags"), 1<<16-1))}
	out.Protocol = uint8(d.number(c.expect("protocol"), 1<<8-1))
	out.Alg = uint8(d.number(c.expect("alg"), 1<<8-1))
	out.PublicKey = d.base64Binary(c.expect("pubKey"))
	c.end()
	return out
}

func (d *decoder) secDNSUpdate(n int32) *SecDNSUpdate {
	out := &SecDNSUpdate{}
	a := d.attributes(n)
	if urgent, ok := a.optional("urgent"); ok {
		out.Urgent = d.boolean(n, urgent)
	}
	a.end()
	c := d.sequenceOnly(n)
	if n, ok := c.optional("rem"); ok {
		out.Rem = d.secDNSRem(n)
	}
	if n, ok := c.optional("add"); ok {
		out.Add = d.secDNS(n)
	}
	if n, ok := c.optional("chg"); ok {
		in := d.sequence(n)
		out.Chg = &SecDNSChg{MaxSigLife: in.optionalMaxSigLife()}
		in.end()
	}
	c.end()
	return out
}

func (d *decoder) secDNSRem(n int32) *SecDNSRem {
	c := d.sequence(n)
	out := &SecDNSRem{}
	if n, ok := c.optional("all"); ok {
		d.noAttributes(n)
		all := d.boolean(n, d.simple(n))
		out.All = &all
	} else {
		out.DS, out.Keys = c.dsOrKeys()
	}
	c.end()
	return out
}

// number reads an unsigned integer of at most most from an element without attributes.
func (d *decoder) number(n int32, most uint64) uint64 {
	d.noAttributes(n)
	return d.unsigned(n, d.simple(n), 0, most)
}

// hexBinary reads xsd:hexBinary, which may be empty.
func (d *decoder) hexBinary(n int32) []byte {
	d.noAttributes(n)
	s := collapse(d.simple(n))
	out, err := hex.DecodeString(s)
	if err != nil {
		d.fail(n, s, "value is not an even number of hexadecimal digits")
	}
	return out
}

// base64Binary reads xsd:base64Binary of at least one octet; spaces between the characters are allowed.
func (d *decoder) base64Binary(n int32) []byte {
	d.noAttributes(n)
	s := collapse(d.simple(n))
	out, err := base64.StdEncoding.Strict().DecodeString(strings.ReplaceAll(s, " ", ""))
	if d.err == nil && (err != nil || len(out) == 0) {
		d.fail(n, s, "value is not base64 of at least one octet")
	}
	return out
}

// AppendSecDNSCreate appends <secDNS:create>.
func AppendSecDNSCreate(dst []byte, s *SecDNS) []byte { return appendSecDNSRoot(dst, "create", s) }

// AppendSecDNSInfData appends <secDNS:infData>. The schema asks for one record or key at least.
func AppendSecDNSInfData(dst []byte, s *SecDNS) []byte { return appendSecDNSRoot(dst, "infData", s) }

func appendSecDNSRoot(dst []byte, name string, s *SecDNS) []byte {
	dst = appendObjectOpen(dst, "secDNS", NSSecDNS, name)
	return appendClose(s.append(dst), "secDNS:"+name)
}

// AppendSecDNSUpdate appends <secDNS:update>.
func AppendSecDNSUpdate(dst []byte, u *SecDNSUpdate) []byte {
	dst = append(dst, "<secDNS:update"...)
	dst = appendAttr(dst, "xmlns:secDNS", NSSecDNS)
	if u.Urgent {
		dst = appendBool(dst, "urgent", true)
	}
	dst = append(dst, '>')
	if r := u.Rem; r != nil {
		dst = append(dst, "<secDNS:rem>"...)
		if r.All != nil {
			dst = appendLeaf(dst, "secDNS:all", strconv.FormatBool(*r.All))
		}
		dst = appendKeys(appendDS(dst, r.DS), r.Keys)
		dst = append(dst, "</secDNS:rem>"...)
	}
	if u.Add != nil {
		dst = appendClose(u.Add.append(append(dst, "<secDNS:add>"...)), "secDNS:add")
	}
	if u.Chg != nil {
		dst = appendClose(appendMaxSigLife(append(dst, "<secDNS:chg>"...), u.Chg.MaxSigLife), "secDNS:chg")
	}
	return appendClose(dst, "secDNS:update")
}

func (s *SecDNS) append(dst []byte) []byte {
	return appendKeys(appendDS(appendMaxSigLife(dst, s.MaxSigLife), s.DS), s.Keys)
}

func appendMaxSigLife(dst []byte, seconds uint32) []byte {
	if seconds == 0 {
		return dst
	}
	return appendLeaf(dst, "secDNS:maxSigLife", strconv.FormatUint(uint64(seconds), 10))
}

func appendDS(dst []byte, list []DSData) []byte {
	for i := range list {
		ds := &list[i]
		dst = append(dst, "<secDNS:dsData>"...)
		dst = appendNumber(dst, "secDNS:keyTag", uint64(ds.KeyTag))
		dst = appendNumber(dst, "secDNS:alg", uint64(ds.Alg))
		dst = appendNumber(dst, "secDNS:digestType", uint64(ds.DigestType))
		dst = appendLeaf(dst, "secDNS:digest", strings.ToUpper(hex.EncodeToString(ds.Digest)))
		if ds.Key != nil {
			dst = appendKeys(dst, []KeyData{*ds.Key})
		}
		dst = append(dst, "</secDNS:dsData>"...)
	}
	return dst
}

func appendKeys(dst []byte, list []KeyData) []byte {
	for i := range list {
		dst = appendKeyContent(append(dst, "<secDNS:keyData>"...), &list[i])
		dst = append(dst, "</secDNS:keyData>"...)
	}
	return dst
}

// appendKeyContent appends what stands within a keyData.
func appendKeyContent(dst []byte, key *KeyData) []byte {
	dst = appendNumber(dst, "secDNS:flags", uint64(key.Flags))
	dst = appendNumber(dst, "secDNS:protocol", uint64(key.Protocol))
	dst = appendNumber(dst, "secDNS:alg", uint64(key.Alg))
	return appendLeaf(dst, "secDNS:pubKey", base64.StdEncoding.EncodeToString(key.PublicKey))
}
