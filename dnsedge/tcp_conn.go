package dnsedge

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// maxSlowPerConn bounds the queries of one connection that the slow path answers at a time. While all are taken, further
// queries of the connection wait in the kernel.
const maxSlowPerConn = 8

// tcpConn is one client's stream. in[start:end] has been read and not yet been answered.
//
// The goroutine of serveConn reads, and answers what the hot path knows in its order. What the slow path answers is answered
// by goroutines of its own, out of order (RFC 7766 section 7), so that a transfer holds up nothing behind it.
type tcpConn struct {
	conn       net.Conn // raw, or TLS over it
	raw        *net.TCPConn
	client     netip.AddrPort // behind a proxy, whom that speaks for
	from       Client
	in         []byte
	start, end int
	out        []byte
	reply      []byte

	slow sync.WaitGroup // answers on the slow path
	free chan struct{}  // places for them

	writeMu sync.Mutex // held for whole messages
}

// serveConn answers queries until the client closes, stalls, or sends what is no query.
func (t *tcpListener) serveConn(ctx context.Context, raw *net.TCPConn) {
	defer func() { _ = raw.Close() }()
	ctx, cancel := context.WithCancel(ctx)
	// A read in progress ends at once; a write has its own short deadline.
	stop := context.AfterFunc(ctx, func() { _ = raw.SetReadDeadline(time.Now()) })
	defer stop()
	defer cancel()
	client := streamAddr(raw)
	if t.server.proxies.trust(client.Addr()) {
		var ok bool
		if client, ok = t.server.proxies.acceptStream(raw, client, t.server.cfg.TCPIOTimeout); !ok {
			return
		}
	}
	counted := clientAddr(client.Addr())
	if !t.server.slots.claim(counted) {
		return
	}
	defer t.server.slots.disclaim(counted)
	t.noteSource(client.Addr())
	c := &tcpConn{conn: raw, raw: raw, client: client, in: make([]byte, tcpPrefix+maxTCPQueryOctets), free: make(chan struct{}, maxSlowPerConn)}
	c.from = Client{Transport: TCP, Addr: client.Addr().WithZone("")}
	if t.tls != nil {
		secured := secure(ctx, raw, t.tls)
		if secured == nil {
			t.counters.failed.Add(1)
			return
		}
		defer func() { _ = secured.Close() }()
		c.conn, c.from.Transport = secured, TLS
	}
	// Answers under way are finished if the client has only ended its side, and given up if it misbehaves.
	defer c.slow.Wait()
	for ctx.Err() == nil {
		ended, ok := t.fill(ctx, c)
		if ended {
			return
		}
		if !ok || !t.answerBuffered(ctx, c) {
			cancel()
			return
		}
	}
}

// busy says whether answers are under way.
func (c *tcpConn) busy() bool { return len(c.free) > 0 }

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

// fill reads until a whole query is there: an idle time for its first octet, short time for the rest of it. A connection
// with answers under way is not idle. It returns whether the client has ended the stream between two queries, and whether
// a query is there.
func (t *tcpListener) fill(ctx context.Context, c *tcpConn) (ended, ok bool) {
	c.end = copy(c.in, c.in[c.start:c.end])
	c.start = 0
	begun := c.end > 0
	limit := t.server.cfg.TCPIOTimeout
	if !begun {
		limit = t.idleTimeout()
	}
	deadline := time.Now().Add(limit)
	for {
		if c.end >= tcpPrefix {
			n := int(binary.BigEndian.Uint16(c.in))
			if n < headerOctets || n > maxTCPQueryOctets {
				return false, false
			}
			if c.end >= tcpPrefix+n {
				return false, true
			}
		}
		if err := c.conn.SetReadDeadline(deadline); err != nil || ctx.Err() != nil {
			return false, false
		}
		n, err := c.conn.Read(c.in[c.end:])
		c.end += n
		if n == 0 && err != nil {
			if !begun && c.busy() && ctx.Err() == nil && errors.Is(err, os.ErrDeadlineExceeded) {
				deadline = time.Now().Add(t.idleTimeout())
				continue
			}
			// A client may end its side and read on (RFC 7766 section 6.2.4).
			return !begun && ctx.Err() == nil, false
		}
		if !begun {
			begun, deadline = true, time.Now().Add(t.server.cfg.TCPIOTimeout)
		}
	}
}

// answerBuffered answers every complete query in the buffer, with one write for those that the hot path knows. It returns false
// if the connection is done with.
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
			// What is ready goes out before a place on the slow path is waited for.
			if len(c.free) == cap(c.free) && !t.flush(c, &replies) {
				return false
			}
			if tap := t.server.tap; tap != nil {
				tap.note(c.from.Transport, c.client, t.local, time.Now(), query, nil)
			}
			if !t.server.slow.serveStream(ctx, t, c, query, view) {
				return false
			}
			continue
		}
		reply, o := t.server.responder.respond(c.reply, query, view, &c.from)
		t.counters.count(len(query), reply, o)
		if tap := t.server.tap; tap != nil {
			tap.note(c.from.Transport, c.client, t.local, time.Now(), query, reply)
		}
		if len(reply) == 0 { // a response sent to a server: nothing good follows
			valid = false
			break
		}
		c.reply = reply
		c.out = binary.BigEndian.AppendUint16(c.out, uint16(len(reply)))
		c.out = append(c.out, reply...)
		replies++
	}
	return t.flush(c, &replies) && valid
}

// flush writes the gathered replies. It returns false if the connection is done with.
func (t *tcpListener) flush(c *tcpConn, replies *int) bool {
	n := uint64(*replies)
	if n == 0 {
		return true
	}
	if !c.write(c.out, t.server.cfg.TCPIOTimeout) {
		t.counters.failed.Add(n)
		return false
	}
	c.out, *replies = c.out[:0], 0
	t.counters.responses.Add(n)
	return true
}

// write sends what is in b, whole messages, within the time.
func (c *tcpConn) write(b []byte, limit time.Duration) bool {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	err := c.conn.SetWriteDeadline(time.Now().Add(limit))
	if err == nil {
		_, err = c.conn.Write(b)
	}
	if err == nil {
		return true
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// Unsent replies must not linger in the kernel for a client that does not read.
		_ = c.raw.SetLinger(0)
	}
	_ = c.raw.Close() // a message may have been cut off; this ends the reader too
	return false
}
