package dnsedge

import (
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func newTestLimiter(t *testing.T, cfg RateLimit) *limiter {
	t.Helper()
	l, err := newLimiter(cfg, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// passes counts the replies of n spread evenly over the time that get through.
func passes(l *limiter, n int, over time.Duration, addr func(i int) netip.Addr) (passed int) {
	for i := range n {
		if l.allow(addr(i), uint64(over.Microseconds())*uint64(i)/uint64(n)) {
			passed++
		}
	}
	return passed
}

func TestRateLimit(t *testing.T) {
	one := func(int) netip.Addr { return netip.MustParseAddr("192.0.2.1") }
	inNet := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) }
	inSixNet := func(i int) netip.Addr {
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i), 14: byte(i >> 8)})
	}
	for _, tt := range []struct {
		name     string
		n        int
		addr     func(int) netip.Addr
		low, top int
	}{
		{"within the rate", 1000, one, 1000, 1000},
		{"one address", 100000, one, 10*100 + 200, 10*100 + 260},
		{"a network has 32 times as much", 100000, inNet, 32*1000 + 32*200, 32*1000 + 32*260},
		{"an IPv6 /64 is one client", 100000, inSixNet, 10*100 + 200, 10*100 + 260},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := passes(newTestLimiter(t, RateLimit{PerSecond: 100}), tt.n, 10*time.Second, tt.addr); got < tt.low || got > tt.top {
				t.Errorf("%d of %d pass, want %d to %d", got, tt.n, tt.low, tt.top)
			}
		})
	}
	exempt := newTestLimiter(t, RateLimit{PerSecond: 1, Exempt: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	if got := passes(exempt, 1000, time.Second, one); got != 1000 {
		t.Errorf("%d of 1000 from an exempt network pass", got)
	}
	// Strangers do not use up what a client may have, though the table is smaller than the Internet.
	l := newTestLimiter(t, RateLimit{PerSecond: 100})
	passed := 0
	for i := range 500000 {
		now := uint64(i) * 20
		l.allow(netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), byte(i * 7)}), now)
		if i%1000 == 0 && l.allow(one(0), now) {
			passed++
		}
	}
	if passed < 495 {
		t.Errorf("%d of 500 pass beside a flood from elsewhere", passed)
	}
	if l, err := newLimiter(RateLimit{PerSecond: -1}, time.Now()); l != nil || err != nil {
		t.Errorf("no limit: %v %v", l, err)
	}
	if _, err := newLimiter(RateLimit{PerSecond: maxRate + 1}, time.Now()); err == nil {
		t.Error("a rate beyond the clock is taken")
	}
}

func TestRateLimitSlips(t *testing.T) {
	q := newQuery("b.example", dns.TypeA)
	q.SetEdns0(1232, true)
	query := pack(t, q)
	addr := netip.MustParseAddr("192.0.2.1")
	var r Responder
	for _, tt := range []struct{ slip, whole, truncated, none int }{{1, 5, 95, 0}, {2, 5, 47, 48}, {-1, 5, 0, 95}} {
		l := newTestLimiter(t, RateLimit{PerSecond: 1, Burst: 5, Slip: tt.slip})
		var whole, truncated, none int
		for range 100 {
			reply, o := r.respond(nil, query, exampleView(t), &Client{Addr: addr})
			reply = l.limit(reply, &o, addr, 0)
			var m dns.Msg
			if len(reply) == 0 {
				none++
				continue
			}
			if err := m.Unpack(reply); err != nil {
				t.Fatal(err)
			}
			if m.Truncated {
				truncated++
				if len(reply) > len(query) || len(m.Question) != 1 || len(m.Ns) != 0 || m.IsEdns0() == nil || !m.IsEdns0().Do() {
					t.Fatalf("truncated %s", &m)
				}
			} else {
				whole++
			}
		}
		if whole != tt.whole || truncated != tt.truncated || none != tt.none {
			t.Errorf("slip %d: %d whole, %d truncated, %d none", tt.slip, whole, truncated, none)
		}
	}
	l := newTestLimiter(t, RateLimit{PerSecond: 1, Burst: 1})
	for range 100 {
		reply, o := r.respond(nil, query, exampleView(t), &Client{Addr: addr})
		if o.cookie = true; len(l.limit(reply, &o, addr, 0)) != len(reply) {
			t.Fatal("a client with a cookie is limited")
		}
	}
}

// Through a server: replies that go beyond the rate come truncated and are counted.
func TestServerLimitsRate(t *testing.T) {
	s := serve(t, exampleSource(t), func(c *Config) { c.RateLimit = RateLimit{PerSecond: 1, Burst: 3} })
	truncated := 0
	for range 20 {
		if exchange(t, s, "udp", newQuery("a.example", dns.TypeA)).Truncated {
			truncated++
		}
	}
	if st := s.Stats(); truncated < 10 || st.RateLimited != uint64(truncated) || st.UDP.Truncated != uint64(truncated) {
		t.Errorf("%d of 20 truncated, %+v", truncated, st)
	}
	if exchange(t, s, "tcp", newQuery("a.example", dns.TypeA)).Truncated {
		t.Error("TCP is limited")
	}
}
