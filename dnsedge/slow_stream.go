package dnsedge

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// slowWriteTimeout bounds how long a client may take to make room for one message of at most 64 KiB.
	slowWriteTimeout = 15 * time.Second
	// tlsHandshakeTimeout bounds a handshake: two round trips to the other side of the world and the signatures.
	tlsHandshakeTimeout = 5 * time.Second
)

// errClientGone ends an answer that nobody reads any more.
var errClientGone = errors.New("the client is gone or does not read")

// secure makes the handshake of DNS over TLS (RFC 7858). It returns nil if that fails.
func secure(ctx context.Context, conn *net.TCPConn, cfg *tls.Config) *tls.Conn {
	secured := tls.Server(conn, cfg)
	ctx, cancel := context.WithTimeout(ctx, tlsHandshakeTimeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil
	}
	return secured
}

// streamAddr returns the address of the other side of a connection.
func streamAddr(conn *net.TCPConn) netip.AddrPort {
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	a := remote.AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
