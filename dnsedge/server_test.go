package dnsedge

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

// testDeadline bounds every wait of these tests.
const testDeadline = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memSource publishes zones from memory, with their whole journals.
type memSource struct {
	signal chan struct{}

	mu      sync.Mutex
	zones   map[string]*memZone
	noDelta bool  // the journal reaches nothing
	broken  error // what every call fails with
	loads   int
}

type memZone struct {
	serial  uint32
	owners  map[string]Owner
	journal []Publication
}

func newMemSource() *memSource {
	return &memSource{signal: make(chan struct{}, 1), zones: map[string]*memZone{}}
}

// publish applies a publication and signals it.
func (s *memSource) publish(tld string, serial uint32, owners []Owner) {
	s.mu.Lock()
	z := s.zones[tld]
	if z == nil {
		z = &memZone{owners: map[string]Owner{}}
		s.zones[tld] = z
	}
	z.serial = serial
	z.journal = append(z.journal, Publication{serial, owners})
	for _, o := range owners {
		if z.owners[o.Name] = o; len(o.RRs) == 0 {
			delete(z.owners, o.Name)
		}
	}
	s.mu.Unlock()
	s.notify()
}

func (s *memSource) notify() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

// change runs fn with the source locked and signals.
func (s *memSource) change(fn func()) {
	s.mu.Lock()
	fn()
	s.mu.Unlock()
	s.notify()
}

func (s *memSource) Zones(context.Context) ([]ZoneState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ZoneState
	for tld, z := range s.zones {
		out = append(out, ZoneState{tld, z.serial})
	}
	return out, s.broken
}

func (s *memSource) Load(_ context.Context, tld string, fn func(Owner) error) (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	z := s.zones[tld]
	for _, o := range z.owners {
		if err := fn(o); err != nil {
			return 0, err
		}
	}
	return z.serial, nil
}

func (s *memSource) Changes(_ context.Context, tld string, from uint32) ([]Publication, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Publication
	for _, p := range s.zones[tld].journal {
		if p.Serial > from {
			out = append(out, p)
		}
	}
	return out, !s.noDelta, nil
}

func exampleSource(t testing.TB) *memSource {
	s := newMemSource()
	s.publish("example", 7, parseOwners(t, exampleZone+bigDelegation()))
	return s
}

// serve runs a server until the test ends.
func serve(t testing.TB, source *memSource, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{Listen: []string{"127.0.0.1:0"}, Workers: 2, Source: source, Published: source.signal, Logger: slog.New(slog.DiscardHandler),
		RateLimit: RateLimit{PerSecond: -1}}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	return s
}

// run lets a server listen and run until the test ends.
func run(t testing.TB, s *Server) {
	t.Helper()
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(testDeadline):
			t.Error("the server does not stop")
		}
	})
}

// eventually polls a condition.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(testDeadline)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		}
	}
}

func exchange(t testing.TB, s *Server, network string, q *dns.Msg) *dns.Msg {
	t.Helper()
	return exchangeAt(t, s.Addrs()[0].String(), network, q)
}

func exchangeAt(t testing.TB, addr, network string, q *dns.Msg) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: network, Timeout: testDeadline}
	r, _, err := c.Exchange(q, addr)
	if err != nil {
		t.Fatalf("%s: %v", network, err)
	}
	return r
}

func TestServerAnswers(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(listen, func(t *testing.T) {
			s := serve(t, exampleSource(t), func(c *Config) { c.Listen = []string{listen} })
			for _, network := range []string{"udp", "tcp"} {
				if r := exchange(t, s, network, newQuery("www.a.example", dns.TypeA)); len(r.Ns) != 2 || len(r.Extra) != 3 {
					t.Errorf("%s: %v", network, r)
				}
				if r := exchange(t, s, network, newQuery("big.example", dns.TypeA)); r.Truncated != (network == "udp") {
					t.Errorf("%s: %v", network, r)
				}
				if r := exchange(t, s, network, newQuery("nope.example", dns.TypeA)); r.Rcode != dns.RcodeNameError {
					t.Errorf("%s: %v", network, r)
				}
			}
			eventually(t, "counters", func() bool {
				st := s.Stats()
				return st.UDP.Responses == 3 && st.TCP.Responses == 3
			})
			st := s.Stats()
			if st.UDP.Queries != 3 || st.UDP.Truncated != 1 || st.UDP.Rcodes[3] != 1 || st.UDP.Rcodes[0] != 2 || st.TCP.Truncated != 0 {
				t.Errorf("stats %+v", st)
			}
			if len(st.Zones) != 1 || st.Zones[0].Serial != 7 || st.Zones[0].Names == 0 {
				t.Errorf("zones %+v", st.Zones)
			}
		})
	}
}

// A wildcard socket replies from the address that was asked; a connected client takes replies from no other.
func TestServerWildcard(t *testing.T) {
	if !canListenWildcard {
		t.Skip("SKIPPED: this system's build has no wildcard sockets")
	}
	s := serve(t, exampleSource(t), func(c *Config) { c.Listen = []string{"0.0.0.0:0", "[::]:0"} })
	for _, target := range []string{
		fmt.Sprintf("127.0.0.1:%d", s.Addrs()[0].Port()),
		fmt.Sprintf("127.0.0.5:%d", s.Addrs()[0].Port()),
		fmt.Sprintf("[::1]:%d", s.Addrs()[1].Port()),
	} {
		c := dns.Client{Timeout: testDeadline}
		if _, _, err := c.Exchange(newQuery("a.example", dns.TypeA), target); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestServerManyUDPClients(t *testing.T) {
	s := serve(t, exampleSource(t), nil)
	const clients, queries = 8, 200
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			conn, err := dns.DialTimeout("udp", s.Addrs()[0].String(), testDeadline)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			for range queries {
				q := newQuery("www.a.example", dns.TypeA)
				_ = conn.SetDeadline(time.Now().Add(testDeadline))
				if err := conn.WriteMsg(q); err != nil {
					t.Error(err)
					return
				}
				r, err := conn.ReadMsg()
				if err != nil || r.Id != q.Id || len(r.Ns) != 2 {
					t.Errorf("%v: %v", err, r)
					return
				}
			}
		})
	}
	wg.Wait()
	eventually(t, "counters", func() bool { return s.Stats().UDP.Responses == clients*queries })
}

func TestServerDig(t *testing.T) {
	dig, err := exec.LookPath("dig")
	if err != nil {
		t.Skip("SKIPPED: dig is not installed")
	}
	s := serve(t, exampleSource(t), nil)
	for _, tt := range []struct{ args, want string }{
		{"+norec a.example A", "status: NOERROR"},
		{"+norec +noedns a.example A", "ns1.a.example.\t\t86400\tIN\tA\t192.0.2.10"},
		{"+norec nope.example A", "status: NXDOMAIN"},
		{"+norec +tcp example SOA", "flags: qr aa;"},
		{"+norec +edns=1 +noednsneg example SOA", "status: BADVERS"},
		{"+norec +ednsopt=100 +ednsflags=0x7fff example SOA", "EDNS: version: 0, flags:; udp: 1232"},
		{"+norec +dnssec +bufsize=512 big.example A", "flags: do"},
		{"+norec +opcode=15 +noedns example SOA", "status: NOTIMP"},
		{"version.bind CH TXT", "status: REFUSED"},
		{"+header-only +noedns", "status: FORMERR"},
	} {
		addr := s.Addrs()[0]
		args := append([]string{"@" + addr.Addr().String(), "-p", fmt.Sprint(addr.Port()), "+tries=1", "+time=10"}, strings.Fields(tt.args)...)
		ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
		out, err := exec.CommandContext(ctx, dig, args...).CombinedOutput()
		cancel()
		if err != nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("dig %s: %v, want %q in\n%s", tt.args, err, tt.want, out)
		}
	}
}

func TestServerFollowsSource(t *testing.T) {
	source := exampleSource(t)
	s := serve(t, source, nil)
	serial := func(tld string) uint32 {
		for _, z := range s.Stats().Zones {
			if z.TLD == tld {
				return z.Serial
			}
		}
		return 0
	}
	apex := func(n int) Owner {
		return packOwners(t, []dns.RR{
			mustParse(t, fmt.Sprintf("example. 900 IN SOA a.nic.example. h.example. %d 1 1 1 300", n)),
			mustParse(t, "example. 3600 IN NS a.nic.example."),
		})[0]
	}
	eventually(t, "first load", func() bool { return serial("example") == 7 })
	source.publish("example", 8, []Owner{apex(8), parseOwners(t, "new.example. 60 IN NS ns.x.net.")[0]})
	eventually(t, "serial 8", func() bool { return serial("example") == 8 })
	if source.loads != 1 {
		t.Errorf("%d loads, want the journal to do", source.loads)
	}
	if r := exchange(t, s, "udp", newQuery("new.example", dns.TypeA)); len(r.Ns) != 1 {
		t.Errorf("reply %v", r)
	}
	source.change(func() { source.noDelta = true })
	source.publish("example", 9, []Owner{apex(9), {Name: "new.example"}})
	eventually(t, "serial 9 by a reload", func() bool { return serial("example") == 9 })
	if r := exchange(t, s, "udp", newQuery("new.example", dns.TypeA)); r.Rcode != dns.RcodeNameError {
		t.Errorf("reply %v", r)
	}
	source.publish("org", 9, parseOwners(t, orgZone))
	eventually(t, "a second zone", func() bool { return serial("org") == 9 })
	source.change(func() { delete(source.zones, "org") })
	eventually(t, "the second zone to go", func() bool { return serial("org") == 0 })
}

// A publication that cannot be served leaves the last good zone in place and is tried again.
func TestServerKeepsLastGoodZone(t *testing.T) {
	source := exampleSource(t)
	s := serve(t, source, nil)
	exchange(t, s, "udp", newQuery("a.example", dns.TypeA))
	source.publish("example", 8, []Owner{{Name: "bad.example", RRs: []byte{1}}})
	eventually(t, "the failure to be counted", func() bool { return s.Stats().RefreshFailures > 0 })
	if r := exchange(t, s, "udp", newQuery("example", dns.TypeSOA)); r.Answer[0].(*dns.SOA).Serial != 7 {
		t.Errorf("reply %v", r)
	}
	source.change(func() {
		z := &memZone{serial: 9, owners: map[string]Owner{}}
		for _, o := range parseOwners(t, strings.ReplaceAll(exampleZone, " 7 1800", " 9 1800")) {
			z.owners[o.Name] = o
		}
		source.zones["example"], source.noDelta = z, true
	})
	eventually(t, "serial 9", func() bool { return s.Stats().Zones[0].Serial == 9 })
}

func dialTCP(t *testing.T, s *Server) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", s.Addrs()[0].String(), testDeadline)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(testDeadline))
	t.Cleanup(func() { conn.Close() })
	return conn
}

func framed(msg []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
}

func TestTCPPipelining(t *testing.T) {
	s := serve(t, exampleSource(t), nil)
	conn := dialTCP(t, s)
	const queries = 500
	var stream []byte
	for i := range queries {
		q := newQuery("www.a.example", dns.TypeA)
		q.Id = uint16(i)
		stream = append(stream, framed(pack(t, q))...)
	}
	go func() { // in pieces that ignore the frames
		for len(stream) > 0 {
			n := min(len(stream), 777)
			if _, err := conn.Write(stream[:n]); err != nil {
				t.Errorf("write: %v", err)
				return
			}
			stream = stream[n:]
		}
	}()
	dc := dns.Conn{Conn: conn}
	for i := range queries {
		r, err := dc.ReadMsg()
		if err != nil || int(r.Id) != i || len(r.Ns) != 2 {
			t.Fatalf("reply %d: %v %v", i, err, r)
		}
	}
}

// readToEnd waits for the server to close the connection.
func readToEnd(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, conn)
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		t.Error("the server keeps the connection open")
	}
}

func TestTCPClosesBadClients(t *testing.T) {
	s := serve(t, exampleSource(t), func(c *Config) {
		c.TCPIdleTimeout, c.TCPIOTimeout = 200*time.Millisecond, 200*time.Millisecond
	})
	response := newQuery("a.example", dns.TypeA)
	response.Response = true
	for name, octets := range map[string][]byte{
		"garbage":       []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n"),
		"tiny frame":    {0, 3, 1, 2, 3},
		"huge frame":    {0xFF, 0xFF},
		"a response":    framed(pack(t, response)),
		"idle":          nil,
		"half a prefix": {0},
		"half a query":  framed(pack(t, newQuery("a.example", dns.TypeA)))[:20],
	} {
		t.Run(name, func(t *testing.T) {
			conn := dialTCP(t, s)
			if _, err := conn.Write(octets); err != nil {
				t.Fatal(err)
			}
			readToEnd(t, conn)
		})
	}
	eventually(t, "connections to be released", func() bool { return s.Stats().TCPConns == 0 })
	if r := exchange(t, s, "tcp", newQuery("a.example", dns.TypeA)); len(r.Ns) != 2 {
		t.Errorf("reply %v", r)
	}
}

// A client that sends without end and never reads is cut off.
func TestTCPClosesClientThatDoesNotRead(t *testing.T) {
	s := serve(t, exampleSource(t), func(c *Config) { c.TCPIOTimeout = 300 * time.Millisecond })
	conn := dialTCP(t, s)
	frame := framed(pack(t, newQuery("big.example", dns.TypeA)))
	for {
		if _, err := conn.Write(frame); err != nil {
			var ne net.Error
			if errors.As(err, &ne) && ne.Timeout() {
				t.Error("the server keeps the connection open")
			}
			break
		}
	}
	eventually(t, "the connection to be released", func() bool { return s.Stats().TCPConns == 0 })
}

func TestTCPBounds(t *testing.T) {
	for _, c := range []struct{ total, client int }{{3, 10}, {10, 3}} {
		s := serve(t, exampleSource(t), func(cfg *Config) { cfg.MaxTCPConns, cfg.MaxTCPConnsPerClient = c.total, c.client })
		var open []net.Conn
		for range 3 {
			open = append(open, dialTCP(t, s))
		}
		eventually(t, "three connections", func() bool { return s.Stats().TCPConns == 3 })
		readToEnd(t, dialTCP(t, s))
		if st := s.Stats(); st.TCPRejected != 1 {
			t.Errorf("%d rejected, want 1", st.TCPRejected)
		}
		open[0].Close()
		eventually(t, "a free slot", func() bool { return s.Stats().TCPConns == 2 })
		exchange(t, s, "tcp", newQuery("a.example", dns.TypeA))
	}
}

// Half-open connections do not hold up the end.
func TestServerStopsWithOpenConnections(t *testing.T) {
	s := serve(t, exampleSource(t), nil) // the clean-up of serve has the assertion
	for range 5 {
		if _, err := dialTCP(t, s).Write([]byte{0}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "connections", func() bool { return s.Stats().TCPConns == 5 })
}

func TestListenPortInUse(t *testing.T) {
	first := serve(t, exampleSource(t), nil)
	udpOnly, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udpOnly.Close()
	for _, addr := range []string{first.Addrs()[0].String(), udpOnly.LocalAddr().String()} {
		source := newMemSource()
		s, err := New(Config{Listen: []string{"127.0.0.1:0", addr}, Source: source, Published: source.signal, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Listen(t.Context()); err == nil || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "in use") {
			t.Errorf("listen on %s: %v", addr, err)
		}
		if err := s.Run(t.Context()); err == nil {
			t.Error("run after a failed listen succeeded")
		}
	}
}

func TestNewRefuses(t *testing.T) {
	source := newMemSource()
	good := Config{Listen: []string{"127.0.0.1:0"}, Source: source, Published: source.signal, Logger: slog.New(slog.DiscardHandler)}
	for want, change := range map[string]func(*Config){
		"Source":           func(c *Config) { c.Source = nil },
		"listen addresses": func(c *Config) { c.Listen = nil },
		`":53"`:            func(c *Config) { c.Listen = []string{":53"} },
		"workers":          func(c *Config) { c.Workers = -1 },
		"TCP connections":  func(c *Config) { c.MaxTCPConns = -1 },
		"timeout":          func(c *Config) { c.TCPIOTimeout = -1 },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %s", err, want)
		}
	}
}

// Every reply during a stream of publications is from one serial: a delegation's servers and their addresses carry
// the serial in them, and so does the SOA.
func TestNoMixedSerials(t *testing.T) {
	const cuts, publications = 40, 150
	publication := func(serial int) (owners []Owner) {
		text := fmt.Sprintf("example. 1 IN SOA a.example. h.example. %d 1 1 1 1\nexample. 1 IN NS ns.x.net.\n", serial)
		for i := range cuts {
			// The server of each cut lies in the next one, so each referral reads two pages.
			text += fmt.Sprintf("c%d.example. %d IN NS ns%d.c%d.example.\n", i, serial, serial%5, (i+1)%cuts)
			text += fmt.Sprintf("ns%d.c%d.example. %d IN A 10.0.0.1\n", serial%5, i, serial)
		}
		owners = parseOwners(t, text)
		for i := range cuts {
			owners = append(owners, Owner{Name: fmt.Sprintf("ns%d.c%d.example", (serial+4)%5, i)})
		}
		return owners
	}
	source := newMemSource()
	source.publish("example", 1, publication(1))
	s := serve(t, source, nil)
	eventually(t, "first load", func() bool { return len(s.Stats().Zones) == 1 })
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			var r Responder
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				view := s.view.Load()
				serial := view.Zone("example").Serial()
				var m dns.Msg
				if err := m.Unpack(r.Respond(nil, pack(t, newQuery(fmt.Sprintf("c%d.example", i%cuts), dns.TypeA)), view, Client{Transport: UDP})); err != nil {
					t.Error(err)
					return
				}
				if len(m.Ns) != 1 || len(m.Extra) != 1 || m.Ns[0].Header().Ttl != serial || m.Extra[0].Header().Ttl != serial {
					t.Errorf("serial %d: %v", serial, &m)
					return
				}
			}
		})
	}
	for i := 2; i <= publications; i++ {
		source.publish("example", uint32(i), publication(i))
		if i%10 == 0 {
			eventually(t, "the publication", func() bool { return s.Stats().Zones[0].Serial == uint32(i) })
		}
		r := exchange(t, s, "udp", newQuery("c1.example", dns.TypeA))
		if len(r.Ns) != 1 || len(r.Extra) != 1 || r.Ns[0].Header().Ttl != r.Extra[0].Header().Ttl {
			t.Errorf("mixed reply %v", r)
		}
	}
	close(stop)
	wg.Wait()
}
