package dnsedge

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// proxyHeader makes a header as a load balancer sends it.
func proxyHeader(client netip.AddrPort, additions string) []byte {
	family, addrs := byte(proxyInet|2), append(client.Addr().AsSlice(), 127, 0, 0, 1)
	if client.Addr().Is6() {
		family, addrs = proxyInet6|2, append(client.Addr().AsSlice(), make([]byte, 16)...)
	}
	addrs = binary.BigEndian.AppendUint16(addrs, client.Port())
	addrs = binary.BigEndian.AppendUint16(addrs, 53)
	addrs = append(addrs, additions...)
	b := append([]byte(proxySignature), proxyVersion|proxyProxied, family)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(addrs))), addrs...)
}

func TestProxyHeader(t *testing.T) {
	proxy := netip.MustParseAddrPort("192.0.2.1:4000")
	v4, v6 := netip.MustParseAddrPort("198.51.100.7:1053"), netip.MustParseAddrPort("[2001:db8::7]:1053")
	mapped := proxyHeader(netip.MustParseAddrPort("[::ffff:198.51.100.7]:1053"), "")
	edit := func(b []byte, at int, value byte) []byte {
		b = bytes.Clone(b)
		b[at] = value
		return b
	}
	tests := []struct {
		name   string
		header []byte
		want   netip.AddrPort // not valid: refused
	}{
		{"IPv4", proxyHeader(v4, ""), v4},
		{"IPv6", proxyHeader(v6, ""), v6},
		{"mapped IPv4", mapped, v4},
		{"with additions", proxyHeader(v4, "\x04\x00\x02ab"), v4},
		{"stream", edit(proxyHeader(v4, ""), 13, proxyInet|1), v4},
		{"longest", proxyHeader(v4, strings.Repeat("x", maxProxyOctets-proxyInetLen)), v4},
		{"too long", proxyHeader(v4, strings.Repeat("x", maxProxyOctets-proxyInetLen+1)), netip.AddrPort{}},
		{"local", edit(proxyHeader(v4, ""), 12, proxyVersion|proxyLocal), proxy},
		{"local without addresses", append([]byte(proxySignature), proxyVersion, 0, 0, 0), proxy},
		{"unspecified", append([]byte(proxySignature), proxyVersion|proxyProxied, 0, 0, 0), proxy},
		{"version 1", append([]byte("PROXY TCP4 198.51.100.7 192.0.2.1 1 2\r\n"), make([]byte, 20)...), netip.AddrPort{}},
		{"version 3", edit(proxyHeader(v4, ""), 12, 3<<4|1), netip.AddrPort{}},
		{"another command", edit(proxyHeader(v4, ""), 12, proxyVersion|2), netip.AddrPort{}},
		{"a socket's path", edit(proxyHeader(v4, strings.Repeat("x", 216)), 13, 3<<4|1), netip.AddrPort{}},
		{"another transport", edit(proxyHeader(v4, ""), 13, proxyInet|3), netip.AddrPort{}},
		{"IPv6 with too little", edit(proxyHeader(v4, ""), 13, proxyInet6|2), netip.AddrPort{}},
		{"length of more than there is", edit(proxyHeader(v4, ""), 15, 200), netip.AddrPort{}},
		{"no addresses", append([]byte(proxySignature), proxyVersion|proxyProxied, proxyInet|2, 0, 0), netip.AddrPort{}},
		{"nothing", nil, netip.AddrPort{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, rest, ok := proxies(nil).client(append(bytes.Clone(test.header), "payload"...), proxy)
			if ok != test.want.IsValid() || ok && (client != test.want || string(rest) != "payload") {
				t.Errorf("got %v %q %v, want %v", client, rest, ok, test.want)
			}
			for i := range test.header { // cut off anywhere
				if client, _, ok := proxies(nil).client(test.header[:i], proxy); ok {
					t.Errorf("%d octets of it give %v", i, client)
				}
			}
		})
	}
}

// FuzzProxyHeader checks that the same octets say the same over both transports, and that nothing but a header passes.
func FuzzProxyHeader(f *testing.F) {
	proxy := netip.MustParseAddrPort("192.0.2.1:4000")
	for _, client := range []string{"198.51.100.7:1053", "[2001:db8::7]:1053"} {
		f.Add(proxyHeader(netip.MustParseAddrPort(client), "more"))
	}
	f.Add(append([]byte(proxySignature), proxyVersion, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		client, rest, ok := proxies(nil).client(b, proxy)
		if ok && (!client.IsValid() || !bytes.HasPrefix(b, []byte(proxySignature)) || len(b)-len(rest) > proxyHead+maxProxyOctets || !bytes.HasSuffix(b, rest)) {
			t.Fatalf("%x: %v and %x", b, client, rest)
		}
		near, far := net.Pipe()
		defer near.Close()
		go func() {
			_, _ = far.Write(b)
			_ = far.Close()
		}()
		streamClient, streamOK := proxies(nil).acceptStream(near, proxy, testDeadline)
		if streamOK != ok || ok && streamClient != client {
			t.Fatalf("%x: %v %v as a datagram, %v %v as a stream", b, client, ok, streamClient, streamOK)
		}
	})
}

func TestProxiesAreNotEverybody(t *testing.T) {
	for _, list := range [][]netip.Prefix{{netip.MustParsePrefix("0.0.0.0/0")}, {{}}, make([]netip.Prefix, maxProxies+1)} {
		if p, err := newProxies(list); err == nil {
			t.Errorf("taken: %v", p)
		}
	}
}

// proxied serves behind proxies on 127.0.0.1 with one reply a second to a client.
func proxied(t *testing.T, from string, certs *testCertificate) *Server {
	return serve(t, exampleSource(t), func(c *Config) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix(from)}
		c.RateLimit = RateLimit{PerSecond: 1, Burst: 1, Slip: -1}
		c.MaxTCPConnsPerClient, c.TCPIOTimeout = 1, time.Second
		if certs != nil {
			c.ListenTLS, c.TLS = []string{"127.0.0.1:0"}, certs.server
		}
	})
}

// Over UDP, the client's rate and cookie are those of the address in the header.
func TestProxyUDP(t *testing.T) {
	s := proxied(t, "127.0.0.0/8", nil)
	conn, err := net.Dial("udp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testDeadline))
	var cookies []string
	for i, client := range []string{"198.51.100.7:1053", "203.0.113.7:1053", "[2001:db8::7]:1053"} {
		q := newQuery("a.example", dns.TypeA)
		q.SetEdns0(1232, false)
		q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"}}
		header := proxyHeader(netip.MustParseAddrPort(client), "")
		if _, err := conn.Write(append(header, pack(t, q)...)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2048)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("%s, number %d: %v", client, i, err)
		}
		var r dns.Msg
		if err := r.Unpack(buf[:n]); err != nil || len(r.Ns) != 2 {
			t.Fatalf("%v %v", err, &r)
		}
		cookie := r.IsEdns0().Option[0].(*dns.EDNS0_COOKIE).Cookie
		cookies = append(cookies, cookie[len(cookie)-16:])
	}
	if cookies[0] == cookies[1] || cookies[0] == cookies[2] {
		t.Errorf("one cookie for different clients: %q", cookies)
	}
	dropped := s.Stats().UDP.Dropped
	for _, b := range [][]byte{pack(t, newQuery("a.example", dns.TypeA)), {1}} { // from a proxy, without a header
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "two drops", func() bool { return s.Stats().UDP.Dropped == dropped+2 })
	// The second reply in one second to the same client is not sent.
	if _, err := conn.Write(append(proxyHeader(netip.MustParseAddrPort("198.51.100.7:999"), ""), pack(t, newQuery("b.example", dns.TypeA))...)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rate limit", func() bool { return s.Stats().RateLimited == 1 })
}

// From anywhere else a header is no more than a message that makes no sense.
func TestProxyFromElsewhere(t *testing.T) {
	s := proxied(t, "192.0.2.0/24", nil)
	if r := exchange(t, s, "udp", newQuery("a.example", dns.TypeA)); len(r.Ns) != 2 {
		t.Errorf("a direct query: %v", r)
	}
	conn := dialTCP(t, s)
	if _, err := conn.Write(append(proxyHeader(netip.MustParseAddrPort("198.51.100.7:1053"), ""), framed(pack(t, newQuery("a.example", dns.TypeA)))...)); err != nil {
		t.Fatal(err)
	}
	readToEnd(t, conn)
	if st := s.Stats(); st.TCP.Responses != 0 {
		t.Errorf("%d answers", st.TCP.Responses)
	}
}

// Over TCP and TLS, the header comes first, and the bound per client is about the address in it.
func TestProxyStream(t *testing.T) {
	certs := newTestCertificate(t)
	s := proxied(t, "127.0.0.1/32", certs)
	dial := func(encrypted bool, client string) *dns.Conn {
		t.Helper()
		addr := s.Addrs()[0]
		if encrypted {
			addr = s.AddrsTLS()[0]
		}
		conn, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(testDeadline))
		if _, err := conn.Write(proxyHeader(netip.MustParseAddrPort(client), "")); err != nil {
			t.Fatal(err)
		}
		if encrypted {
			return &dns.Conn{Conn: tls.Client(conn, certs.client)}
		}
		return &dns.Conn{Conn: conn}
	}
	ask := func(conn *dns.Conn) error {
		if err := conn.WriteMsg(newQuery("a.example", dns.TypeA)); err != nil {
			return err
		}
		_, err := conn.ReadMsg()
		return err
	}
	first := dial(false, "198.51.100.7:1053")
	if err := ask(first); err != nil {
		t.Fatal(err)
	}
	if err := ask(dial(true, "203.0.113.7:1053")); err != nil {
		t.Fatalf("another client: %v", err)
	}
	if err := ask(dial(false, "198.51.100.7:1054")); err == nil {
		t.Error("two connections of one client")
	}
	if err := ask(first); err != nil {
		t.Errorf("the first connection: %v", err)
	}
	silent := dialTCP(t, s)
	if _, err := silent.Write([]byte("\r\n")); err != nil { // half a header
		t.Fatal(err)
	}
	readToEnd(t, silent)
}
