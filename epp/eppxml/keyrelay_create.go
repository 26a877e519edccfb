package eppxml

import (
	"time"

	"cadastre/registry"
)

// NSKeyRelay is the namespace of the key relay mapping (RFC 8063).
const NSKeyRelay = "urn:ietf:params:xml:ns:keyrelay-1.0"

// KeyrelayCreate is <create> of a message that relays keys (RFC 8063 section 3.2.1).
type KeyrelayCreate struct {
	// Name is the domain.
	Name string
	// AuthInfo is that of the domain; its content is in the namespace of domains.
	AuthInfo *AuthInfo
	// Data is one key at least.
	Data []KeyRelayData
}

// KeyRelayData is a key with its expiry.
type KeyRelayData struct {
	Key KeyData
	// Expiry is nil if none was given.
	Expiry *KeyRelayExpiry
}

// KeyRelayExpiry is until when a key is wanted.
type KeyRelayExpiry struct {
	// Relative is a duration of XML Schema such as P1M13D; empty means that Absolute holds.
	Relative string
	Absolute time.Time
}

// Verb implements Body.
func (*KeyrelayCreate) Verb() Verb { return VerbCreate }

func (d *decoder) keyrelayCreate(n int32) *KeyrelayCreate {
	c := d.sequence(n)
	out := &KeyrelayCreate{Name: d.label(c.expect("name"))}
	out.AuthInfo = d.authInfoIn(c.expect("authInfo"), NSDomain, false)
	c.many("keyRelayData", 1, unbounded, func(n int32) { out.Data = append(out.Data, d.keyRelayData(n)) })
	c.end()
	return out
}

func (d *decoder) keyRelayData(n int32) KeyRelayData {
	c := d.sequence(n)
	var out KeyRelayData
	out.Key = d.keyDataIn(c.expect("keyData"), NSSecDNS)
	if n, ok := c.optional("expiry"); ok {
		in := d.sequence(n)
		out.Expiry = &KeyRelayExpiry{}
		if n, ok := in.optional("absolute"); ok {
			out.Expiry.Absolute = d.dateTime(n)
		} else {
			n := in.expect("relative")
			out.Expiry.Relative = d.token(n, 0, noMax)
			if d.err == nil && !registry.IsDuration(out.Expiry.Relative) {
				d.fail(n, out.Expiry.Relative, "value is not a duration")
			}
		}
		in.end()
	}
	c.end()
	return out
}

func (k *KeyrelayCreate) appendBody(dst []byte) []byte {
	dst = appendVerb(dst, VerbCreate, "keyrelay", NSKeyRelay)
	dst = appendLeaf(dst, "keyrelay:name", k.Name)
	dst = appendKeyRelayAuthInfo(dst, k.AuthInfo)
	return appendVerbEnd(appendKeyRelayData(dst, k.Data), VerbCreate, "keyrelay")
}

// KeyRelayInfData is the data of a message that relays keys (RFC 8063 section 3.1.2).
type KeyRelayInfData struct {
	Name string
	Data []KeyRelayData
	// CrDate is when the message was sent, by ReID and to AcID.
	CrDate     time.Time
	ReID, AcID string
}

// AppendKeyRelayInfData appends the data of a message that relays keys. The schema asks for authorisation information;
// it is empty, because whoever reads the message need not learn it.
func AppendKeyRelayInfData(dst []byte, r *KeyRelayInfData) []byte {
	dst = appendObjectOpen(dst, "keyrelay", NSKeyRelay, "infData")
	dst = appendLeaf(dst, "keyrelay:name", r.Name)
	dst = appendKeyRelayAuthInfo(dst, &AuthInfo{})
	dst = appendKeyRelayData(dst, r.Data)
	dst = appendTime(dst, "keyrelay:crDate", r.CrDate)
	dst = appendLeaf(dst, "keyrelay:reID", r.ReID)
	dst = appendLeaf(dst, "keyrelay:acID", r.AcID)
	return appendClose(dst, "keyrelay:infData")
}

func appendKeyRelayAuthInfo(dst []byte, info *AuthInfo) []byte {
	dst = appendAttr(append(dst, "<keyrelay:authInfo"...), "xmlns:domain", NSDomain)
	dst = appendAuthInfoContent(append(dst, '>'), "domain", info)
	return appendClose(dst, "keyrelay:authInfo")
}

func appendKeyRelayData(dst []byte, data []KeyRelayData) []byte {
	for i := range data {
		dst = appendAttr(append(dst, "<keyrelay:keyRelayData><keyrelay:keyData"...), "xmlns:secDNS", NSSecDNS)
		dst = appendClose(appendKeyContent(append(dst, '>'), &data[i].Key), "keyrelay:keyData")
		if expiry := data[i].Expiry; expiry != nil {
			dst = append(dst, "<keyrelay:expiry>"...)
			if expiry.Relative != "" {
				dst = appendLeaf(dst, "keyrelay:relative", expiry.Relative)
			} else {
				dst = append(dst, "<keyrelay:absolute>"...)
				dst = appendClose(expiry.Absolute.UTC().AppendFormat(dst, timeLayout), "keyrelay:absolute")
			}
			dst = append(dst, "</keyrelay:expiry>"...)
		}
		dst = append(dst, "</keyrelay:keyRelayData>"...)
	}
	return dst
}
