package dnsedge

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// EDNS options, IANA registry.
const (
	optionNSID        uint16 = 3
	optionCookie      uint16 = 10
	optionKeepalive   uint16 = 11
	optionPadding     uint16 = 12
	optionEDE         uint16 = 15
	optionZoneVersion uint16 = 19
)

// Extended errors (RFC 8914).
const (
	edeNone             uint16 = 0xFFFF
	edeNotReady         uint16 = 14
	edeNotAuthoritative uint16 = 20
	edeNotSupported     uint16 = 21
)

const (
	optionHead     = 4
	maxIdentity    = 64  // octets of what a server says of itself
	paddingBlock   = 468 // RFC 8467 section 4.1
	zoneVersionLen = 6   // label count, type, serial
)

// Client is what the answer to a query depends on besides the query.
type Client struct {
	Transport Transport
	// Addr is whom cookies are for; not valid where that is unknown.
	Addr netip.Addr
	// Now is the Unix time in seconds, for cookies.
	Now uint32
	// KeepaliveDeciseconds is how long an idle connection is kept, in tenths of a second (RFC 7828).
	KeepaliveDeciseconds uint16
}

// Identity is what a server tells of itself to those who ask. Empty means that it does not say.
type Identity struct {
	// NSID is the answer to the NSID option (RFC 5001), and to id.server. and hostname.bind. in class CHAOS.
	NSID string
	// Version is the answer to version.bind. and version.server. in class CHAOS.
	Version string
}

// NewResponder makes a responder that tells who it is and gives out cookies by the first of the secrets and takes those
// of all; without secrets it knows no cookies.
func NewResponder(identity Identity, secrets []CookieSecret) (*Responder, error) {
	for _, s := range []string{identity.NSID, identity.Version} {
		if len(s) > maxIdentity {
			return nil, fmt.Errorf("dns: the identity %q has more than %d octets", s, maxIdentity)
		}
	}
	if len(secrets) > maxCookieSecrets {
		return nil, fmt.Errorf("dns: %d cookie secrets, want at most %d", len(secrets), maxCookieSecrets)
	}
	for i := range secrets {
		if secrets[i] == (CookieSecret{}) {
			return nil, errors.New("dns: a cookie secret is all zero")
		}
	}
	return &Responder{identity: identity, secrets: secrets}, nil
}

// maxCookieSecrets is enough for a roll-over: the present, the next and the last (RFC 9018 section 5).
const maxCookieSecrets = 3

// options is what the EDNS options of a query ask for.
type options struct {
	nsid, keepalive, padding, zoneVersion bool
	cookie                                []byte // client's and server's, of a valid length; aliases the query
}

// parse reads the options. It returns false for what their specifications call a format error.
func (o *options) parse(rdata []byte) bool {
	for len(rdata) > 0 {
		if len(rdata) < optionHead {
			return false
		}
		code, n := binary.BigEndian.Uint16(rdata), optionHead+int(binary.BigEndian.Uint16(rdata[2:]))
		if len(rdata) < n {
			return false
		}
		value := rdata[optionHead:n]
		switch code {
		case optionNSID:
			o.nsid = true
		case optionPadding:
			o.padding = true
		case optionKeepalive:
			o.keepalive = true
		case optionZoneVersion: // RFC 9660 section 3.2
			if o.zoneVersion = true; len(value) > 0 {
				return false
			}
		case optionCookie: // RFC 7873 section 5.2.2; of several the first counts
			server := len(value) - clientCookieOctets
			if server != 0 && (server < minServerCookie || server > maxServerCookie) {
				return false
			}
			if o.cookie == nil {
				o.cookie = value
			}
		}
		rdata = rdata[n:]
	}
	return true
}

// room is what the options of a reply take up, but for the extended error.
func (r *Responder) room(o *options, from *Client) int {
	n := 0
	if o.cookie != nil && len(r.secrets) > 0 {
		n += optionHead + clientCookieOctets + serverCookieOctets
	}
	if o.nsid && r.identity.NSID != "" {
		n += optionHead + len(r.identity.NSID)
	}
	if o.zoneVersion {
		n += optionHead + zoneVersionLen
	}
	if o.keepalive && from.Transport != UDP {
		n += optionHead + 2
	}
	return n
}

// appendOption appends the head of an option.
func appendOption(dst []byte, code uint16, octets int) []byte {
	dst = binary.BigEndian.AppendUint16(dst, code)
	return binary.BigEndian.AppendUint16(dst, uint16(octets))
}

// options appends the options of a reply; room for them was kept. The limit is for padding and the extended error.
func (m *message) options(r *Responder, q *question, from *Client, ede uint16, limit int) {
	o := &q.options
	if o.cookie != nil && len(r.secrets) > 0 {
		m.out = appendOption(m.out, optionCookie, clientCookieOctets+serverCookieOctets)
		client := o.cookie[:clientCookieOctets]
		m.out = append(m.out, client...)
		m.out = appendCookie(m.out, &r.secrets[0], client, from.Addr, from.Now)
	}
	if o.nsid && r.identity.NSID != "" {
		m.out = appendOption(m.out, optionNSID, len(r.identity.NSID))
		m.out = append(m.out, r.identity.NSID...)
	}
	if o.zoneVersion && m.zone != nil {
		m.out = appendOption(m.out, optionZoneVersion, zoneVersionLen)
		m.out = append(m.out, byte(m.zone.labels), 0) // type 0: SOA-SERIAL
		m.out = binary.BigEndian.AppendUint32(m.out, m.zone.serial)
	}
	if o.keepalive && from.Transport != UDP {
		m.out = appendOption(m.out, optionKeepalive, 2)
		m.out = binary.BigEndian.AppendUint16(m.out, from.KeepaliveDeciseconds)
	}
	if ede != edeNone && len(m.out)+optionHead+2 <= limit {
		m.out = appendOption(m.out, optionEDE, 2)
		m.out = binary.BigEndian.AppendUint16(m.out, ede)
	}
	if o.padding && from.Transport == TLS {
		pad := (paddingBlock - (len(m.out)+optionHead)%paddingBlock) % paddingBlock
		if len(m.out)+optionHead+pad <= limit {
			m.out = appendOption(m.out, optionPadding, pad)
			for range pad {
				m.out = append(m.out, 0)
			}
		}
	}
}

// chaos answers questions in class CHAOS about the server itself; what it does not tell is refused.
func (m *message) chaos(r *Responder, q *question) uint16 {
	if q.qtype != typeTXT && q.qtype != typeANY {
		return rcodeRefused
	}
	text := ""
	switch string(q.name[:q.nameLen]) {
	case "\x07version\x04bind\x00", "\x07version\x06server\x00":
		text = r.identity.Version
	case "\x08hostname\x04bind\x00", "\x02id\x06server\x00":
		text = r.identity.NSID
	}
	if text == "" {
		return rcodeRefused
	}
	m.out = append(m.out, 0xC0, headerOctets, 0, byte(typeTXT), 0, byte(classCH), 0, 0, 0, 0, 0, byte(len(text)+1), byte(len(text)))
	m.out = append(m.out, text...)
	m.counts[answer]++
	m.out[2] |= bitAA
	return rcodeNoError
}

// ParseCookieSecret reads a secret of 32 hexadecimal digits.
func ParseCookieSecret(text string) (secret CookieSecret, err error) {
	b, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(b) != len(secret) {
		return secret, errors.New("a cookie secret is 32 hexadecimal digits (RFC 9018)") // never show it
	}
	return CookieSecret(b), nil
}
