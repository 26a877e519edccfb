package dnsedge

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	// tsigFudgeSeconds is how far clocks may differ (RFC 8945 section 10).
	tsigFudgeSeconds = 300
	// tsigRoom is what a TSIG record of ours takes at most: a key name of 255 octets, the algorithm and a MAC of 64.
	tsigRoom = 400
	// minTSIGSecretOctets is the shortest secret taken; RFC 8945 section 8 wants as much as the hash gives, SHA-256 32.
	minTSIGSecretOctets = 16
)

// TSIGKey is a secret shared with the other side of transfers (RFC 8945).
type TSIGKey struct {
	Name string // such as "transfer.example"
	// Algorithm is hmac-sha256, hmac-sha384 or hmac-sha512.
	Algorithm string
	Secret    []byte
}

// tsigKeys knows keys by canonical name.
type tsigKeys map[string]*tsigKey

type tsigKey struct {
	name, algorithm, secret string // as miekg/dns wants them: absolute names, base64
}

func newTSIGKeys(list []TSIGKey) (tsigKeys, error) {
	keys := make(tsigKeys, len(list))
	for _, k := range list {
		if _, valid := dns.IsDomainName(k.Name); !valid || k.Name == "" {
			return nil, fmt.Errorf("dns: TSIG key %q: the name is no domain name", k.Name)
		}
		algorithm := dns.CanonicalName(k.Algorithm)
		switch algorithm {
		case dns.HmacSHA256, dns.HmacSHA384, dns.HmacSHA512:
		default:
			return nil, fmt.Errorf("dns: TSIG key %q: algorithm %q is none of hmac-sha256, hmac-sha384 and hmac-sha512", k.Name, k.Algorithm)
		}
		if len(k.Secret) < minTSIGSecretOctets {
			return nil, fmt.Errorf("dns: TSIG key %q: the secret has %d octets, want at least %d", k.Name, len(k.Secret), minTSIGSecretOctets)
		}
		name := dns.CanonicalName(k.Name)
		if keys[name] != nil {
			return nil, fmt.Errorf("dns: TSIG key %q is configured twice", k.Name)
		}
		keys[name] = &tsigKey{name: name, algorithm: algorithm, secret: base64.StdEncoding.EncodeToString(k.Secret)}
	}
	return keys, nil
}

// find returns the key of a name in any form, nil if there is none.
func (k tsigKeys) find(name string) *tsigKey { return k[dns.CanonicalName(name)] }

// tsigSession signs the messages that answer one signed query, each over the one before. Its zero value signs nothing.
type tsigSession struct {
	key     *tsigKey
	mac     string // of the message before
	started bool   // the first answer covers the whole TSIG, the following only its time
	// failure is the TSIG error (RFC 8945 section 3) for a query whose signature does not hold.
	failure    uint16
	stub       *dns.TSIG // of such a query
	unsignable bool
}

// accept checks the signature of a query and takes the TSIG out of it. Without one the session signs nothing.
func (k tsigKeys) accept(message []byte, m *dns.Msg) *tsigSession {
	t := m.IsTsig()
	if t == nil {
		return &tsigSession{}
	}
	m.Extra = m.Extra[:len(m.Extra)-1]
	s := &tsigSession{key: k.find(t.Hdr.Name), stub: t, mac: t.MAC}
	switch {
	case s.key == nil || s.key.algorithm != dns.CanonicalName(t.Algorithm):
		s.failure, s.unsignable = dns.RcodeBadKey, true
		return s
	}
	err := dns.TsigVerify(message, s.key.secret, "", false)
	switch {
	case err == nil:
	case errors.Is(err, dns.ErrTime):
		s.failure = dns.RcodeBadTime
	default:
		s.failure, s.unsignable = dns.RcodeBadSig, true
	}
	return s
}

// keyName is the name of the key that holds for the query, "" if it is not signed.
func (s *tsigSession) keyName() string {
	if s.key == nil || s.failure != 0 {
		return ""
	}
	return s.key.name
}

// room is what a message must leave for the signature.
func (s *tsigSession) room() int {
	if s.stub == nil {
		return 0
	}
	return tsigRoom
}

// pack puts a message into wire form, signed as the query was.
func (s *tsigSession) pack(m *dns.Msg) ([]byte, error) {
	if s.stub == nil {
		return m.Pack()
	}
	t := &dns.TSIG{
		Hdr:       dns.RR_Header{Name: s.stub.Hdr.Name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm: s.stub.Algorithm, TimeSigned: uint64(time.Now().Unix()), Fudge: tsigFudgeSeconds, OrigId: m.Id, Error: s.failure,
	}
	secret := ""
	if s.key != nil {
		secret = s.key.secret
	}
	if s.failure == dns.RcodeBadTime { // RFC 8945 section 5.2.3: the query's time, and ours in the other data
		t.OtherLen, t.OtherData = 6, fmt.Sprintf("%012x", t.TimeSigned)
		t.TimeSigned = s.stub.TimeSigned
	}
	m.Extra = append(m.Extra, t)
	out, mac, err := dns.TsigGenerate(m, secret, s.mac, s.started)
	if err != nil {
		return nil, fmt.Errorf("sign a reply with TSIG key %q: %w", s.stub.Hdr.Name, err)
	}
	s.mac, s.started = mac, true
	return out, nil
}

// sign puts a query of ours into a form that dns.Client signs.
func (k *tsigKey) sign(m *dns.Msg, c *dns.Client) {
	if k == nil {
		return
	}
	m.SetTsig(k.name, k.algorithm, tsigFudgeSeconds, time.Now().Unix())
	c.TsigSecret = map[string]string{k.name: k.secret}
}

// display is a key name as people write it.
func display(keyName string) string { return strings.TrimSuffix(keyName, ".") }
