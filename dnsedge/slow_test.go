package dnsedge

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// chaosHandler takes class CHAOS and answers REFUSED with the question, after its gate has opened.
type chaosHandler struct {
	gate   chan struct{}
	served atomic.Int32
}

func (h *chaosHandler) takes(p peeked) bool { return p.qclass == dns.ClassCHAOS }

func (h *chaosHandler) serve(ctx context.Context, q *slowQuery, send func([]byte) error) bool {
	select {
	case <-h.gate:
	case <-ctx.Done():
		return false
	}
	h.served.Add(1)
	m := new(dns.Msg)
	if m.Unpack(q.message) != nil || !q.client.IsValid() || q.view == nil {
		return false
	}
	m.SetRcode(m, dns.RcodeRefused)
	b, err := m.Pack()
	return err == nil && send(b) == nil
}

func serveSlow(t *testing.T, h slowHandler, listen string) *Server {
	t.Helper()
	source := exampleSource(t)
	s, err := New(Config{Listen: []string{listen}, Workers: 2, Source: source, Published: source.signal, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.slow = newSlowPath(h)
	run(t, s)
	return s
}

func chaosQuery() *dns.Msg {
	q := newQuery("version.bind", dns.TypeTXT)
	q.Question[0].Qclass = dns.ClassCHAOS
	return q
}

func TestSlowPathAnswers(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0"} {
		h := &chaosHandler{gate: make(chan struct{})}
		close(h.gate)
		s := serveSlow(t, h, listen)
		for _, network := range []string{"udp", "tcp"} {
			if r := exchange(t, s, network, chaosQuery()); r.Rcode != dns.RcodeRefused || r.Question[0].Qclass != dns.ClassCHAOS {
				t.Errorf("%s %s: %v", listen, network, r)
			}
			if r := exchange(t, s, network, newQuery("a.example", dns.TypeA)); len(r.Ns) != 2 {
				t.Errorf("%s %s: %v", listen, network, r)
			}
		}
		eventually(t, "counters", func() bool {
			st := s.Stats()
			return st.UDP.Queries == 2 && st.UDP.Responses == 2 && st.TCP.Queries == 2 && st.TCP.Responses == 2 && st.UDP.Rcodes[5] == 1
		})
	}
}

// writeQueries sends queries with the given ids over a stream in one go.
func writeQueries(t *testing.T, conn *dns.Conn, first int, queries ...*dns.Msg) {
	t.Helper()
	var frames []byte
	for i, q := range queries {
		q.Id = uint16(first + i)
		frames = append(frames, framed(pack(t, q))...)
	}
	if _, err := conn.Conn.Write(frames); err != nil {
		t.Fatal(err)
	}
}

func repeated(n int, q func() *dns.Msg) (out []*dns.Msg) {
	for range n {
		out = append(out, q())
	}
	return out
}

// Answers of the slow path come when they are ready, and hold up no others (RFC 7766 sections 6.2.1.1 and 7), over TCP and TLS.
func TestSlowPathPipelined(t *testing.T) {
	certs := newTestCertificate(t)
	for _, encrypted := range []bool{false, true} {
		h := &chaosHandler{gate: make(chan struct{})}
		source := exampleSource(t)
		s, err := New(Config{Listen: []string{"127.0.0.1:0"}, ListenTLS: []string{"127.0.0.1:0"}, TLS: certs.server, Workers: 1, Source: source,
			Published: source.signal, Logger: slog.New(slog.DiscardHandler), TCPIdleTimeout: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		s.slow = newSlowPath(h)
		run(t, s)
		conn := &dns.Conn{}
		if encrypted {
			conn.Conn, err = tls.Dial("tcp", s.AddrsTLS()[0].String(), certs.client)
		} else {
			conn.Conn, err = net.Dial("tcp", s.Addrs()[0].String())
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(testDeadline))
		var mixed []*dns.Msg
		for range maxSlowPerConn {
			mixed = append(mixed, chaosQuery(), newQuery("a.example", dns.TypeA), newQuery("b.example", dns.TypeA))
		}
		writeQueries(t, conn, 0, mixed...)
		for i := range mixed {
			if i%3 == 0 {
				continue
			}
			if r, err := conn.ReadMsg(); err != nil || int(r.Id) != i || len(r.Ns) != 2 {
				t.Fatalf("answer %d: %v, %v", i, err, r)
			}
		}
		// The idle timeout passes and ends nothing while answers are under way.
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		if r, err := conn.ReadMsg(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("before the gate opens: %v, %v", err, r)
		}
		_ = conn.SetReadDeadline(time.Now().Add(testDeadline))
		close(h.gate)
		seen := map[uint16]bool{}
		for range maxSlowPerConn {
			r, err := conn.ReadMsg()
			if err != nil || r.Rcode != dns.RcodeRefused || r.Id%3 != 0 || seen[r.Id] {
				t.Fatalf("a late answer: %v, %v", err, r)
			}
			seen[r.Id] = true
		}
		if r, err := conn.ReadMsg(); !errors.Is(err, io.EOF) {
			t.Errorf("an idle connection: %v, %v", err, r)
		}
	}
}

// One connection and one address have bounded shares of the slow path, and the first bound makes queries wait, not fail.
func TestSlowPathBoundsConnections(t *testing.T) {
	h := &chaosHandler{gate: make(chan struct{})}
	s := serveSlow(t, h, "127.0.0.1:0")
	dial := func() *dns.Conn {
		conn, err := dns.DialTimeout("tcp", s.Addrs()[0].String(), testDeadline)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(testDeadline))
		return conn
	}
	var conns []*dns.Conn
	for range maxSlowPerClient / maxSlowPerConn {
		conn := dial()
		writeQueries(t, conn, 0, repeated(maxSlowPerConn+5, chaosQuery)...)
		conns = append(conns, conn)
	}
	eventually(t, "all places of the address", func() bool { return s.slow.streams.open() == maxSlowPerClient })
	late := dial()
	writeQueries(t, late, 0, chaosQuery())
	if r, err := late.ReadMsg(); err == nil {
		t.Errorf("more than the address may: %v", r)
	}
	if shed := s.slow.shed.Load(); shed != 1 {
		t.Errorf("%d queries shed", shed)
	}
	if r := exchange(t, s, "tcp", newQuery("a.example", dns.TypeA)); len(r.Ns) != 2 {
		t.Errorf("another connection: %v", r)
	}
	close(h.gate)
	for _, conn := range conns {
		if err := conn.Conn.(*net.TCPConn).CloseWrite(); err != nil { // what was asked is answered all the same
			t.Fatal(err)
		}
		for i := range maxSlowPerConn + 5 {
			if r, err := conn.ReadMsg(); err != nil || r.Rcode != dns.RcodeRefused {
				t.Fatalf("answer %d: %v, %v", i, err, r)
			}
		}
	}
	eventually(t, "free places", func() bool { return s.slow.streams.open() == 0 && s.Stats().TCPConns == 0 })
}

// A connection that misbehaves takes its answers under way with it.
func TestSlowPathEndsWithConnection(t *testing.T) {
	h := &chaosHandler{gate: make(chan struct{})}
	s := serveSlow(t, h, "127.0.0.1:0")
	conn := dialTCP(t, s)
	if _, err := conn.Write(append(framed(pack(t, chaosQuery())), 0, 3, 1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	readToEnd(t, conn)
	eventually(t, "a free place", func() bool { return s.slow.streams.open() == 0 && s.Stats().TCPConns == 0 })
	if h.served.Load() != 0 {
		t.Error("it was answered")
	}
}

// A slow path that is full loses its own queries and no others.
func TestSlowPathSheds(t *testing.T) {
	h := &chaosHandler{gate: make(chan struct{})}
	s := serveSlow(t, h, "127.0.0.1:0")
	conn, err := dns.DialTimeout("udp", s.Addrs()[0].String(), testDeadline)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const sent = slowWorkers + slowQueue + 20
	for i := range sent {
		if err := conn.WriteMsg(chaosQuery()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "arrival", func() bool { return s.Stats().UDP.Queries == uint64(i+1) })
	}
	eventually(t, "shedding", func() bool { return s.slow.shed.Load() >= sent-slowWorkers-slowQueue })
	if r := exchange(t, s, "udp", newQuery("a.example", dns.TypeA)); len(r.Ns) != 2 {
		t.Errorf("the hot path is held up: %v", r)
	}
	close(h.gate)
	eventually(t, "the rest", func() bool { return uint64(h.served.Load())+s.slow.shed.Load() == sent })
}

func TestPeek(t *testing.T) {
	signed := newQuery("a.example", dns.TypeSOA)
	signed.SetEdns0(1232, true)
	signed.SetTsig("key.", dns.HmacSHA256, 300, time.Now().Unix())
	ixfr := newQuery("example", dns.TypeIXFR)
	ixfr.Ns = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: "example.", Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: ".", Mbox: "."}}
	ixfrSigned := ixfr.Copy()
	ixfrSigned.SetTsig("key.", dns.HmacSHA256, 300, time.Now().Unix())
	notify := new(dns.Msg).SetNotify("example.")
	edns := newQuery("a.example", dns.TypeA)
	edns.SetEdns0(1232, true)
	for _, test := range []struct {
		name string
		m    *dns.Msg
		want peeked
	}{
		{"plain", newQuery("a.example", dns.TypeA), peeked{0, dns.TypeA, 1, false}},
		{"with EDNS", edns, peeked{0, dns.TypeA, 1, false}},
		{"signed", signed, peeked{0, dns.TypeSOA, 1, true}},
		{"IXFR", ixfr, peeked{0, dns.TypeIXFR, 1, false}},
		{"signed IXFR", ixfrSigned, peeked{0, dns.TypeIXFR, 1, true}},
		{"NOTIFY", notify, peeked{opcodeNotify, dns.TypeSOA, 1, false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := pack(t, test.m)
			var got peeked
			if !got.read(b) || got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
			for i := range b { // cut off anywhere, it must not run past the end
				got.read(b[:i])
			}
			p := newSlowPath(&chaosHandler{})
			if n := testing.AllocsPerRun(100, func() { p.wants(b) }); n != 0 {
				t.Errorf("%v allocations on the hot path", n)
			}
		})
	}
	r := pack(t, new(dns.Msg).SetReply(newQuery("a.example", dns.TypeAXFR)))
	if got := new(peeked); got.read(r) {
		t.Error("a response is taken")
	}
}
