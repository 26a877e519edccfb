package prefixlimit_test

import (
	"net/netip"
	"testing"
	"time"

	"cadastre/internal/prefixlimit"
)

func TestClientsAndTheirNetworksAreLimited(t *testing.T) {
	l := prefixlimit.New(prefixlimit.Config{PerSecond: 2, Burst: 4, Exempt: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	now := time.Unix(1000, 0)
	allowed := func(addr string) int {
		n := 0
		for range 100 {
			if ok, _ := l.Allow(netip.MustParseAddr(addr), 1, now); ok {
				n++
			}
		}
		return n
	}
	if got := allowed("198.51.100.1"); got != 4 {
		t.Errorf("a client gets %d at once, want 4", got)
	}
	if got := allowed("192.0.2.1"); got != 100 {
		t.Errorf("an exempt client gets %d of 100", got)
	}
	if got := allowed("::ffff:192.0.2.9"); got != 100 {
		t.Errorf("an exempt client that is mapped gets %d of 100", got)
	}
	_, wait := l.Allow(netip.MustParseAddr("198.51.100.1"), 1, now)
	if wait != 500*time.Millisecond {
		t.Errorf("the client is told to wait %s, want 500ms", wait)
	}
	now = now.Add(time.Second)
	if got := allowed("198.51.100.1"); got != 2 {
		t.Errorf("a second later the client gets %d, want 2", got)
	}
	total := 0
	for i := range 250 {
		total += allowed(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}).String())
	}
	if total != 32 {
		t.Errorf("the clients of one /24 get %d, want 8 times 4", total)
	}
	if a, b := allowed("2001:db8::1"), allowed("2001:db8::2"); a != 4 || b != 0 {
		t.Errorf("two addresses of a /64 get %d and %d, want 4 and 0", a, b)
	}
}

func TestManyNetworksTakeNoMoreMemory(t *testing.T) {
	l := prefixlimit.New(prefixlimit.Config{PerSecond: 1, Burst: 1})
	now := time.Unix(1000, 0)
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(time.Millisecond)
		l.Allow(netip.AddrFrom4([4]byte{byte(now.UnixNano() >> 30), byte(now.UnixNano() >> 20), 1, 1}), 1, now)
	}); n != 0 {
		t.Errorf("a question takes %v allocations", n)
	}
	if ok, _ := l.Allow(netip.Addr{}, 1, now); ok {
		t.Error("no address is allowed")
	}
}
