package dnsedge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"time"
)

// Config says what a server serves and where. Zero values of the optional fields stand for the defaults named.
type Config struct {
	// Listen has the addresses, such as "192.0.2.1:53" or "[::]:53", each for UDP and TCP. An IPv6 address never takes
	// IPv4 traffic; name both families to serve both. Port 0 picks one free port for both transports.
	Listen []string
	// ListenTLS has addresses for DNS over TLS (RFC 7858), with TLS for its certificate.
	ListenTLS []string
	// TLS is needed with ListenTLS.
	TLS *tls.Config
	// Transfers says who may copy zones; nil: nobody.
	Transfers *TransferConfig
	// Workers is the number of UDP sockets and goroutines per address; default GOMAXPROCS.
	Workers int
	// Source has the published zones.
	Source Source
	// Published signals, coalesced, that the source may have something new.
	Published <-chan struct{}
	// Logger takes what goes wrong outside of single queries.
	Logger *slog.Logger
	// Identity is what the server tells of itself; by default nothing.
	Identity Identity
	// CookieSecrets are keys of DNS cookies: the first makes them, all are good. The default is one of its own for the
	// life of the server, which will not do for several servers behind one address.
	CookieSecrets []CookieSecret
	// RateLimit is about replies over UDP.
	RateLimit RateLimit
	// Proxies are networks of load balancers that put a header of the PROXY protocol, version 2, before each datagram and each
	// connection (before TLS). What comes from there without one is dropped. Rate limits, cookies, bounds per client and the rules of transfers
	// are then about the client that the header names.
	Proxies []netip.Prefix
	// Tap sends copies of queries and replies to a collector.
	Tap TapConfig

	// TCPIdleTimeout closes a connection without queries; default 10 s, a quarter of it while more than half of
	// MaxTCPConns are open.
	TCPIdleTimeout time.Duration
	// TCPIOTimeout bounds the arrival of a query that has begun, and each write; default 2 s.
	TCPIOTimeout time.Duration
	// MaxTCPConns bounds open connections per server; default 1000.
	MaxTCPConns int
	// MaxTCPConnsPerClient bounds open connections per IPv4 address or IPv6 /64; default 32.
	MaxTCPConnsPerClient int
}

const (
	maxListen  = 64   // addresses; each has Workers sockets
	maxWorkers = 1024 // per address; more than any machine has processors for

	defaultTCPIdle        = 10 * time.Second // as Knot; RFC 7766 section 6.2.3 asks for seconds
	defaultTCPIO          = 2 * time.Second  // a client that takes longer for one message is stalling
	defaultTCPConns       = 1000             // some 20 MB of buffers at most
	defaultTCPConnsClient = 32               // a resolver needs one or two
	maxTCPConns           = 1 << 20
)

// withDefaults validates the configuration and fills in defaults.
func (c Config) withDefaults() (checked Config, addrs, addrsTLS []netip.AddrPort, err error) {
	if c.Source == nil || c.Published == nil || c.Logger == nil {
		return c, nil, nil, errors.New("dns: Source, Published and Logger must be set")
	}
	if len(c.Listen) == 0 || len(c.Listen) > maxListen {
		return c, nil, nil, fmt.Errorf("dns: %d listen addresses, want 1 to %d", len(c.Listen), maxListen)
	}
	if len(c.ListenTLS) > maxListen || len(c.ListenTLS) > 0 && c.TLS == nil {
		return c, nil, nil, fmt.Errorf("dns: %d listen addresses for TLS, want at most %d, and a certificate", len(c.ListenTLS), maxListen)
	}
	if addrs, err = parseListen(c.Listen); err != nil {
		return c, nil, nil, err
	}
	if addrsTLS, err = parseListen(c.ListenTLS); err != nil {
		return c, nil, nil, err
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.TCPIdleTimeout == 0 {
		c.TCPIdleTimeout = defaultTCPIdle
	}
	if c.TCPIOTimeout == 0 {
		c.TCPIOTimeout = defaultTCPIO
	}
	if c.MaxTCPConns == 0 {
		c.MaxTCPConns = defaultTCPConns
	}
	if c.MaxTCPConnsPerClient == 0 {
		c.MaxTCPConnsPerClient = defaultTCPConnsClient
	}
	if c.Workers < 0 || c.Workers > maxWorkers {
		return c, nil, nil, fmt.Errorf("dns: %d workers, want 1 to %d", c.Workers, maxWorkers)
	}
	if c.MaxTCPConns < 0 || c.MaxTCPConns > maxTCPConns || c.MaxTCPConnsPerClient < 0 {
		return c, nil, nil, fmt.Errorf("dns: %d TCP connections and %d per client: want 1 to %d", c.MaxTCPConns, c.MaxTCPConnsPerClient, maxTCPConns)
	}
	if c.TCPIdleTimeout < 0 || c.TCPIOTimeout < 0 {
		return c, nil, nil, errors.New("dns: negative TCP timeout")
	}
	return c, addrs, addrsTLS, nil
}

func parseListen(list []string) ([]netip.AddrPort, error) {
	addrs := make([]netip.AddrPort, 0, len(list))
	for _, s := range list {
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			return nil, fmt.Errorf("dns: listen address %q: want an IP address and port such as 192.0.2.1:53 or [::]:53: %w", s, err)
		}
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if a.Addr().IsUnspecified() && !canListenWildcard {
			return nil, fmt.Errorf("dns: listen address %q: on this system name the addresses one by one", s)
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}
