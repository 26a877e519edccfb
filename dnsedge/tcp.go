package dnsedge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cadastre/internal/pause"
)

const (
	tcpPrefix = 2 // length prefix of a message, RFC 1035 section 4.2.2
	// maxTCPQueryOctets is the longest query taken: a question and an OPT with padding (RFC 8467) need a tenth of it.
	maxTCPQueryOctets = 4096
	// maxTCPPipelined bounds the replies gathered before they are written (RFC 7766 section 6.2.1.1). Further queries
	// wait in the kernel, so a client that does not read is held up by its own window.
	maxTCPPipelined = 64
	// tcpFlushOctets is when gathered replies are written even if more queries wait: it bounds a connection's memory.
	tcpFlushOctets = 1 << 16
	// tcpReplyOctets is the first size of a reply buffer; it grows with what is asked for.
	tcpReplyOctets = 4096
	// acceptPause lets descriptors come free when there are none left.
	acceptPause = 50 * time.Millisecond
	// crowdedIdleDivisor shortens the idle timeout when more than half of the connections are taken.
	crowdedIdleDivisor = 4
)

// tcpListener accepts connections on one address.
type tcpListener struct {
	l        *net.TCPListener
	server   *Server
	tls      *tls.Config // nil: plain TCP
	local    netip.AddrPort
	counters counters

	sourcesMu sync.Mutex // for writers
	sources   sources
}

// serve accepts until the context is done, then waits for the connections to end.
func (t *tcpListener) serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = t.l.Close() }) // unblocks Accept
	defer stop()
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		conn, err := t.l.AcceptTCP()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("dns: accept on %s: %w", t.l.Addr(), err)
		case err != nil:
			t.counters.failed.Add(1)
			_ = pause.For(ctx, acceptPause) // the loop sees the end of ctx
			continue
		}
		if !t.server.slots.enter() {
			_ = conn.Close()
			continue
		}
		conns.Go(func() {
			defer t.server.slots.leave()
			t.serveConn(ctx, conn)
		})
	}
}

func (t *tcpListener) idleTimeout() time.Duration {
	if t.server.slots.crowded() {
		return t.server.cfg.TCPIdleTimeout / crowdedIdleDivisor
	}
	return t.server.cfg.TCPIdleTimeout
}

// noteSource counts the client of a connection among the sources.
func (t *tcpListener) noteSource(addr netip.Addr) {
	t.sourcesMu.Lock()
	defer t.sourcesMu.Unlock()
	t.sources.note(t.server.sourceSeed, addr.WithZone(""), uint32(time.Now().Unix()))
}

// ipv6ClientBits is the prefix that one IPv6 client is assumed to have to itself.
const ipv6ClientBits = 64

// clientAddr maps an address to what bounds per client count.
func clientAddr(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if p, err := addr.Prefix(ipv6ClientBits); err == nil {
			return p.Addr()
		}
	}
	return addr
}

// connSlots bounds the connections of all listeners together and per client.
type connSlots struct {
	max, maxPerClient int
	rejected          atomic.Uint64

	mu        sync.Mutex
	total     int
	perClient map[netip.Addr]int
}

func newConnSlots(limit, perClient int) *connSlots {
	return &connSlots{max: limit, maxPerClient: perClient, perClient: make(map[netip.Addr]int)}
}

// take is enter and claim in one.
func (s *connSlots) take(client netip.Addr) bool {
	if !s.enter() {
		return false
	}
	if !s.claim(client) {
		s.leave()
		return false
	}
	return true
}

func (s *connSlots) release(client netip.Addr) {
	s.disclaim(client)
	s.leave()
}

// enter counts one more in all, if there is room.
func (s *connSlots) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= s.max {
		s.rejected.Add(1)
		return false
	}
	s.total++
	return true
}

func (s *connSlots) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
}

// claim counts one more for a client, if there is room.
func (s *connSlots) claim(client netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perClient[client] >= s.maxPerClient {
		s.rejected.Add(1)
		return false
	}
	s.perClient[client]++
	return true
}

func (s *connSlots) disclaim(client netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perClient[client]--; s.perClient[client] == 0 {
		delete(s.perClient, client)
	}
}

func (s *connSlots) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

func (s *connSlots) crowded() bool { return s.open() > s.max/2 }
