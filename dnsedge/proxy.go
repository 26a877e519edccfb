package dnsedge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"
)

const (
	// proxySignature begins every header of version 2 of the PROXY protocol.
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
	proxyHead      = len(proxySignature) + 4 // version and command, family and transport, length(2)
	// maxProxyOctets bounds what follows the head: addresses, and additions that are skipped. The specification asks a sender
	// to keep it all in 536 octets.
	maxProxyOctets = 536 - proxyHead
	// maxProxies bounds the networks, which are looked through for each datagram.
	maxProxies = 256

	proxyVersion  = 2 << 4
	proxyLocal    = 0
	proxyProxied  = 1
	proxyInet     = 1 << 4
	proxyInet6    = 2 << 4
	proxyInetLen  = 12 // two addresses and two ports
	proxyInet6Len = 36
)

// errProxyHeader is what all refusals of a header have in common.
var errProxyHeader = errors.New("no valid PROXY header of version 2")

// proxies are the networks whose hosts speak for others. What comes from them begins with a header of the PROXY protocol,
// version 2, or is dropped; what comes from elsewhere is never looked at in that way, so that nobody can pose as another.
type proxies []netip.Prefix

func newProxies(list []netip.Prefix) (proxies, error) {
	if len(list) > maxProxies {
		return nil, fmt.Errorf("dns: %d networks of proxies, want at most %d", len(list), maxProxies)
	}
	for _, p := range list {
		if !p.IsValid() || p.Bits() == 0 {
			return nil, fmt.Errorf("dns: proxies from %q: want a network that is not everybody, such as 192.0.2.0/24", p)
		}
	}
	return slices.Clone(list), nil
}

// trust says whether the address is that of a proxy.
func (p proxies) trust(addr netip.Addr) bool {
	for i := range p {
		if p[i].Contains(addr) {
			return true
		}
	}
	return false
}

// client takes the header off a datagram from a proxy and returns whom it is from and what remains.
func (p proxies) client(datagram []byte, proxy netip.AddrPort) (client netip.AddrPort, message []byte, ok bool) {
	n, err := proxyLen(datagram)
	if err != nil || len(datagram) < proxyHead+n {
		return client, nil, false
	}
	if client, err = proxiedClient(datagram[:proxyHead+n], proxy); err != nil {
		return client, nil, false
	}
	return client, datagram[proxyHead+n:], true
}

// acceptStream reads the header of a connection from a proxy, and not an octet more, since TLS may follow.
func (p proxies) acceptStream(conn net.Conn, proxy netip.AddrPort, limit time.Duration) (client netip.AddrPort, ok bool) {
	if conn.SetReadDeadline(time.Now().Add(limit)) != nil {
		return client, false
	}
	var b [proxyHead + maxProxyOctets]byte
	if _, err := io.ReadFull(conn, b[:proxyHead]); err != nil {
		return client, false
	}
	n, err := proxyLen(b[:proxyHead])
	if err != nil {
		return client, false
	}
	if _, err := io.ReadFull(conn, b[proxyHead:proxyHead+n]); err != nil {
		return client, false
	}
	client, err = proxiedClient(b[:proxyHead+n], proxy)
	return client, err == nil && conn.SetReadDeadline(time.Time{}) == nil
}

// proxyLen checks the head of a header and returns how many octets follow it.
func proxyLen(b []byte) (int, error) {
	if len(b) < proxyHead || string(b[:len(proxySignature)]) != proxySignature {
		return 0, errProxyHeader
	}
	if b[12]&0xF0 != proxyVersion || b[12]&0x0F > proxyProxied {
		return 0, fmt.Errorf("%w: version and command %#02x", errProxyHeader, b[12])
	}
	n := int(binary.BigEndian.Uint16(b[14:]))
	if n > maxProxyOctets {
		return 0, fmt.Errorf("%w: %d octets, at most %d", errProxyHeader, n, maxProxyOctets)
	}
	return n, nil
}

// proxiedClient reads the source address of a whole header: the proxy itself where it speaks for itself, as for checks of its
// own, or does not know. The transport that the header names is not looked at: it is that of the client's side.
func proxiedClient(b []byte, proxy netip.AddrPort) (netip.AddrPort, error) {
	body := b[proxyHead:]
	if b[12]&0x0F == proxyLocal || b[13] == 0 {
		return proxy, nil
	}
	switch family := b[13] & 0xF0; {
	case b[13]&0x0F > 2: // unspecified, stream, datagram
		return netip.AddrPort{}, fmt.Errorf("%w: transport %#02x", errProxyHeader, b[13])
	case family == proxyInet && len(body) >= proxyInetLen:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(body[:4])), binary.BigEndian.Uint16(body[8:])), nil
	case family == proxyInet6 && len(body) >= proxyInet6Len:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(body[:16])).Unmap(), binary.BigEndian.Uint16(body[32:])), nil
	default:
		return netip.AddrPort{}, fmt.Errorf("%w: family %#02x with %d octets", errProxyHeader, b[13], len(body))
	}
}
