package dnsedge

import (
	"crypto/subtle"
	"encoding/binary"
	"net/netip"
)

const (
	clientCookieOctets = 8
	serverCookieOctets = 16 // RFC 9018 section 4: version, reserved, timestamp, hash
	minServerCookie    = 8  // RFC 7873 section 4
	maxServerCookie    = 32
	cookieVersion      = 1
	cookieMaxAge       = 3600 // seconds a cookie is good for, RFC 9018 section 4.3
	cookieMaxFuture    = 300  // clocks of servers may differ by that much
)

// CookieSecret is a key for server cookies; all servers of an anycast address share it.
type CookieSecret [16]byte

// cookieHash fills in the hash of a server cookie whose first eight octets are there.
func cookieHash(secret *CookieSecret, client, server []byte, addr netip.Addr) uint64 {
	var b [clientCookieOctets + 8 + 16]byte
	n := copy(b[:], client)
	n += copy(b[n:], server[:8])
	if addr.Is4() {
		a := addr.As4()
		n += copy(b[n:], a[:])
	} else {
		a := addr.As16()
		n += copy(b[n:], a[:])
	}
	return sipHash((*[16]byte)(secret), b[:n])
}

// appendCookie appends a fresh server cookie.
func appendCookie(dst []byte, secret *CookieSecret, client []byte, addr netip.Addr, now uint32) []byte {
	at := len(dst)
	dst = append(dst, cookieVersion, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, now)
	return binary.LittleEndian.AppendUint64(dst, cookieHash(secret, client, dst[at:], addr))
}

// validCookie says whether one of the secrets made the server cookie for the client not long ago.
func validCookie(secrets []CookieSecret, client, server []byte, addr netip.Addr, now uint32) bool {
	if len(server) != serverCookieOctets || server[0] != cookieVersion {
		return false
	}
	age := int32(now - binary.BigEndian.Uint32(server[4:])) // serial arithmetic, RFC 1982
	if age > cookieMaxAge || age < -cookieMaxFuture {
		return false
	}
	for i := range secrets {
		var want [8]byte
		binary.LittleEndian.PutUint64(want[:], cookieHash(&secrets[i], client, server, addr))
		if subtle.ConstantTimeCompare(want[:], server[8:]) == 1 {
			return true
		}
	}
	return false
}
