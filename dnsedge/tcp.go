package dnsedge

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
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
	counters counters
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
		client := clientOf(conn)
		if !t.server.slots.take(client) {
			_ = conn.Close()
			continue
		}
		conns.Go(func() {
			defer t.server.slots.release(client)
			t.serveConn(ctx, conn)
		})
	}
}

// tcpConn is one client's stream. in[start:end] has been read and not yet been answered.
type tcpConn struct {
	conn       net.Conn // raw, or TLS over it
	raw        *net.TCPConn
	from       Client
	in         []byte
	start, end int
	out        []byte
	reply      []byte
}

// serveConn answers queries in their order until the client closes, stalls, or sends what is no query.
func (t *tcpListener) serveConn(ctx context.Context, conn *net.TCPConn) {
	defer func() { _ = conn.Close() }()
	// A read in progress ends at once; a write has its own short deadline.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	defer stop()
	c := &tcpConn{conn: conn, raw: conn, in: make([]byte, tcpPrefix+maxTCPQueryOctets)}
	c.from = Client{Transport: TCP, Addr: remoteAddr(conn)}
	if t.tls != nil {
		secured := secure(ctx, conn, t.tls)
		if secured == nil {
			t.counters.failed.Add(1)
			return
		}
		defer func() { _ = secured.Close() }()
		c.conn, c.from.Transport = secured, TLS
	}
	for ctx.Err() == nil {
		if !c.fill(ctx, t.idleTimeout(), t.server.cfg.TCPIOTimeout) {
			return
		}
		if !t.answerBuffered(ctx, c) {
			return
		}
	}
}

func (t *tcpListener) idleTimeout() time.Duration {
	if t.server.slots.crowded() {
		return t.server.cfg.TCPIdleTimeout / crowdedIdleDivisor
	}
	return t.server.cfg.TCPIdleTimeout
}

// frame returns the next complete query in the buffer.
func (c *tcpConn) frame() (query []byte, complete, valid bool) {
	b := c.in[c.start:c.end]
	if len(b) < tcpPrefix {
		return nil, false, true
	}
	n := int(binary.BigEndian.Uint16(b))
	if n < headerOctets || n > maxTCPQueryOctets {
		return nil, false, false
	}
	if len(b) < tcpPrefix+n {
		return nil, false, true
	}
	c.start += tcpPrefix + n
	return b[tcpPrefix : tcpPrefix+n], true, true
}

// fill reads until a whole query is there: idle for its first octet, io for the rest of it.
func (c *tcpConn) fill(ctx context.Context, idle, io time.Duration) bool {
	c.end = copy(c.in, c.in[c.start:c.end])
	c.start = 0
	deadline, begun := time.Now().Add(idle), c.end > 0
	if begun {
		deadline = time.Now().Add(io)
	}
	for {
		if c.end >= tcpPrefix {
			n := int(binary.BigEndian.Uint16(c.in))
			if n < headerOctets || n > maxTCPQueryOctets {
				return false
			}
			if c.end >= tcpPrefix+n {
				return true
			}
		}
		if err := c.conn.SetReadDeadline(deadline); err != nil || ctx.Err() != nil {
			return false
		}
		n, err := c.conn.Read(c.in[c.end:])
		c.end += n
		if n == 0 && err != nil {
			return false
		}
		if !begun {
			begun, deadline = true, time.Now().Add(io)
		}
	}
}

// answerBuffered answers every complete query in the buffer with one write. It returns false if the connection is
// done with.
func (t *tcpListener) answerBuffered(ctx context.Context, c *tcpConn) bool {
	view := t.server.view.Load()
	c.from.Now = uint32(time.Now().Unix())
	c.from.KeepaliveDeciseconds = uint16(min(t.idleTimeout()/(100*time.Millisecond), math.MaxUint16))
	c.out = c.out[:0]
	if c.reply == nil {
		c.reply = make([]byte, 0, tcpReplyOctets)
	}
	valid, replies := true, 0
	for replies < maxTCPPipelined && len(c.out) < tcpFlushOctets {
		query, complete, ok := c.frame()
		if valid = ok; !complete {
			break
		}
		if t.server.slow.wants(query) {
			if !t.flush(c, replies) || !t.server.slow.serveStream(ctx, t, c, query, view) {
				return false
			}
			c.out, replies = c.out[:0], 0
			continue
		}
		reply, o := t.server.responder.respond(c.reply, query, view, &c.from)
		t.counters.count(reply, o)
		if len(reply) == 0 { // a response sent to a server: nothing good follows
			valid = false
			break
		}
		c.reply = reply
		c.out = binary.BigEndian.AppendUint16(c.out, uint16(len(reply)))
		c.out = append(c.out, reply...)
		replies++
	}
	return t.flush(c, replies) && valid
}

// flush writes the gathered replies. It returns false if the connection is done with.
func (t *tcpListener) flush(c *tcpConn, replies int) bool {
	if replies == 0 {
		return true
	}
	if !c.write(c.out, t.server.cfg.TCPIOTimeout) {
		t.counters.failed.Add(uint64(replies))
		return false
	}
	t.counters.responses.Add(uint64(replies))
	return true
}

// write sends what is in b within the time.
func (c *tcpConn) write(b []byte, limit time.Duration) bool {
	err := c.conn.SetWriteDeadline(time.Now().Add(limit))
	if err == nil {
		_, err = c.conn.Write(b)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// Unsent replies must not linger in the kernel for a client that does not read.
		_ = c.raw.SetLinger(0)
	}
	return err == nil
}

// ipv6ClientBits is the prefix that one IPv6 client is assumed to have to itself.
const ipv6ClientBits = 64

// remoteAddr is the address of the other side.
func remoteAddr(conn net.Conn) netip.Addr {
	if remote, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return remote.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// clientOf maps a connection to what the bound per client counts.
func clientOf(conn *net.TCPConn) netip.Addr { return clientAddr(remoteAddr(conn)) }

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

func (s *connSlots) take(client netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= s.max || s.perClient[client] >= s.maxPerClient {
		s.rejected.Add(1)
		return false
	}
	s.total++
	s.perClient[client]++
	return true
}

func (s *connSlots) release(client netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
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
