package dnsedge

import (
	"context"
	"encoding/binary"
	"log/slog"
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

// Answers to pipelined queries keep their order, whichever path answers.
func TestSlowPathPipelined(t *testing.T) {
	h := &chaosHandler{gate: make(chan struct{})}
	close(h.gate)
	s := serveSlow(t, h, "127.0.0.1:0")
	conn, err := dns.DialTimeout("tcp", s.Addrs()[0].String(), testDeadline)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testDeadline))
	var want []uint16
	var frames []byte
	for i := range 30 {
		q := newQuery("a.example", dns.TypeA)
		if i%3 == 1 {
			q = chaosQuery()
		}
		b := pack(t, q)
		frames = append(binary.BigEndian.AppendUint16(frames, uint16(len(b))), b...)
		want = append(want, q.Id)
	}
	if _, err := conn.Conn.Write(frames); err != nil {
		t.Fatal(err)
	}
	for i, id := range want {
		r, err := conn.ReadMsg()
		if err != nil || r.Id != id || (r.Rcode == dns.RcodeRefused) != (i%3 == 1) {
			t.Fatalf("answer %d: %v, %v", i, err, r)
		}
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
