package dnsedge

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"net/netip"
	"testing"
)

func v6Of(i int) netip.Addr {
	b := [16]byte{0x20, 1, 0x0d, 0xb8}
	binary.BigEndian.PutUint32(b[4:], uint32(i/4)) // four addresses in each /64
	b[15] = byte(i % 4)
	return netip.AddrFrom16(b)
}

func v4Of(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(i)*2654435761)
	return netip.AddrFrom4(b)
}

// TestSources sees that the estimate is near for few and many, that sockets are merged, and that days are apart.
func TestSources(t *testing.T) {
	seed := maphash.MakeSeed()
	near := func(got uint64, want float64) bool { return math.Abs(float64(got)-want) <= max(2, 0.08*want) } // five standard errors
	const day = 20_000
	for _, n := range []int{0, 1, 40, 4000, 12_000, 300_000} {
		a, b := new(sources), new(sources)
		for i := range n {
			s := a
			if i%2 == 0 {
				s = b
			}
			for range 2 {
				s.note(seed, v4Of(i), day*secondsADay+uint32(i%secondsADay))
				s.note(seed, v6Of(i), day*secondsADay)
			}
			b.note(seed, v4Of(i), day*secondsADay)
		}
		got := countSources([]*sources{a, b}, day)
		if !near(got.IPv4, float64(n)) || !near(got.IPv6, float64(n)) || !near(got.IPv6Networks, math.Ceil(float64(n)/4)) {
			t.Errorf("%d sources: %+v", n, got)
		}
		if other := countSources([]*sources{a, b}, day-1); other != (SourceStats{}) {
			t.Errorf("the day before: %+v", other)
		}
		a.note(seed, v4Of(1), (day+1)*secondsADay)
		b.note(seed, v4Of(2), (day+1)*secondsADay)
		if got, again := countSources([]*sources{a, b}, day+1), countSources([]*sources{a, b}, day); got.IPv4 != 2 || n > 1 && !near(again.IPv4, float64(n)) {
			t.Errorf("the day after: %+v, then the day: %+v", got, again)
		}
		a.note(seed, v4Of(1), (day+2)*secondsADay)
		b.note(seed, v4Of(1), (day+2)*secondsADay)
		if got := countSources([]*sources{a, b}, day+2); got.IPv4 != 1 {
			t.Errorf("two days after: %+v", got)
		}
	}
}

// TestStatsOfVolume counts what RSSAC002 and ICANN's report want, over all transports, families and several TLDs.
func TestStatsOfVolume(t *testing.T) {
	certs := newTestCertificate(t)
	source := exampleSource(t)
	source.publish("org", 9, parseOwners(t, orgZone))
	s := serve(t, source, func(c *Config) {
		c.Listen = []string{"127.0.0.1:0", "[::1]:0"}
		c.ListenTLS, c.TLS = []string{"127.0.0.1:0"}, certs.server
	})
	sizes := map[string]int{}
	for i := range s.Addrs() {
		for _, network := range []string{"udp", "tcp"} {
			for _, name := range []string{"a.example", "co.org", "www.nope.example"} {
				query := newQuery(name, 1)
				r := exchangeAt(t, s.Addrs()[i].String(), network, query)
				sizes[network] += len(pack(t, query))
				if name == "co.org" && (len(r.Ns) != 1 || r.Ns[0].Header().Name != "co.org.") {
					t.Errorf("%s: %v", name, r)
				}
			}
		}
	}
	// A reply is counted after it was handed to the kernel.
	eventually(t, "all replies", func() bool { st := s.Stats(); return st.UDP.Responses == 6 && st.TCP.Responses == 6 })
	st := s.Stats()
	want := map[[2]string]uint64{{"udp", "ipv4"}: 3, {"udp", "ipv6"}: 3, {"tcp", "ipv4"}: 3, {"tcp", "ipv6"}: 3, {"tls", "ipv4"}: 0, {"tls", "ipv6"}: 0}
	for _, v := range st.Volumes {
		key := [2]string{v.Transport, v.Family}
		if n, known := want[key]; !known || v.Queries != n || v.Responses != n {
			t.Errorf("%+v, want %d", v, n)
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("not counted: %v", want)
	}
	for network, tr := range map[string]*TransportStats{"udp": &st.UDP, "tcp": &st.TCP} {
		if int(tr.QueryOctets) != sizes[network] || tr.ReplyOctets < tr.QueryOctets || tr.Rcodes[rcodeNXDomain] != 2 || tr.Rcodes[0] != 4 {
			t.Errorf("%s: %+v", network, tr)
		}
		queries, replies := uint64(0), uint64(0)
		for i := range tr.QuerySizes {
			queries += tr.QuerySizes[i]
			replies += tr.ReplySizes[i]
		}
		if queries != 6 || replies != 6 || tr.QuerySizes[27/SizeSlot] != 4 || tr.QuerySizes[34/SizeSlot] != 2 { // a.example: 12, 11 and 4 octets
			t.Errorf("%s: sizes of %d queries and %d replies: %v", network, queries, replies, tr.QuerySizes)
		}
	}
	if st.Today.IPv4 != 1 || st.Today.IPv6 != 1 || st.Today.IPv6Networks != 1 {
		t.Errorf("sources: %+v", st.Today)
	}
	if st.Loads == 0 || st.LoadTime <= 0 || len(st.Zones) != 2 || st.Zones[0].Octets == 0 || st.Zones[1].TLD != "org" {
		t.Errorf("zones: %d loads, %s, %+v", st.Loads, st.LoadTime, st.Zones)
	}
}
