package dnsedge

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

// transferZone is a zone with all its states, served both as a Source and as a TransferSource.
type transferZone struct {
	*memSource
	mu      sync.Mutex
	serial  uint32
	owners  map[string][]byte
	history []Change
	steps   map[uint32]int // serial → changes before it
	block   chan struct{}  // if set, EachOwner waits for it or the context
}

func newTransferZone() *transferZone {
	return &transferZone{memSource: newMemSource(), serial: 100, owners: map[string][]byte{}, steps: map[uint32]int{}}
}

// step publishes zone-file text: owners named in it are replaced, those in gone removed.
func (z *transferZone) step(t testing.TB, text string, gone ...string) {
	t.Helper()
	z.mu.Lock()
	defer z.mu.Unlock()
	z.serial++
	apex := fmt.Sprintf("example. 900 IN SOA a.nic.example. hostmaster.nic.example. %d 1800 900 604800 300\nexample. 3600 IN NS a.nic.example.\n", z.serial)
	owners := parseOwners(t, apex+text)
	for _, name := range gone {
		owners = append(owners, Owner{Name: name})
	}
	for _, o := range owners {
		z.history = append(z.history, Change{Key: o.Name, Before: z.owners[o.Name], After: o.RRs})
		if z.owners[o.Name] = o.RRs; len(o.RRs) == 0 {
			delete(z.owners, o.Name)
		}
	}
	z.steps[z.serial] = len(z.history)
	z.publish("example", z.serial, owners)
}

func (z *transferZone) Snapshot(ctx context.Context, tld string, fn func(context.Context, Snapshot) error) error {
	if tld != "example" {
		return ErrNoZone
	}
	z.mu.Lock()
	s := &transferState{serial: z.serial, owners: maps.Clone(z.owners), history: slices.Clone(z.history), steps: maps.Clone(z.steps), block: z.block, ctx: ctx}
	z.mu.Unlock()
	return fn(ctx, s)
}

type transferState struct {
	ctx     context.Context
	serial  uint32
	owners  map[string][]byte
	history []Change
	steps   map[uint32]int
	block   chan struct{}
}

func (s *transferState) Serial() uint32 { return s.serial }
func (s *transferState) Apex() []byte   { return s.owners["example"] }

func (s *transferState) EachOwner(fn func([]byte) error) error {
	if s.block != nil {
		select {
		case <-s.block:
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.owners)) {
		if err := fn(s.owners[name]); err != nil {
			return err
		}
	}
	return nil
}

func (s *transferState) Changes(from uint32, fn func(Change) error) (bool, error) {
	at, ok := s.steps[from]
	if !ok {
		return false, nil
	}
	for _, c := range s.history[at:] {
		if err := fn(c); err != nil {
			return false, err
		}
	}
	return true, nil
}

const transferKeyName = "transfer.example."

func transferKey() TSIGKey {
	return TSIGKey{Name: "Transfer.example", Algorithm: "hmac-sha256", Secret: []byte("0123456789abcdef0123456789abcdef")}
}

func fromLoopback() TransferRule {
	return TransferRule{From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

func serveTransfers(t testing.TB, z *transferZone, cfg TransferConfig, change func(*Config)) *Server {
	t.Helper()
	cfg.Source = z
	return serve(t, z.memSource, func(c *Config) {
		c.Transfers = &cfg
		if change != nil {
			change(c)
		}
	})
}

// fetch makes a transfer and returns its records in their order.
func fetch(t testing.TB, s *Server, m *dns.Msg, tr *dns.Transfer) ([]string, error) {
	t.Helper()
	tr.DialTimeout, tr.ReadTimeout, tr.WriteTimeout = testDeadline, testDeadline, testDeadline
	envelopes, err := tr.In(m, s.Addrs()[0].String())
	if err != nil {
		return nil, err
	}
	var out []string
	for e := range envelopes {
		if e.Error != nil {
			err = e.Error
		}
		for _, rr := range e.RR {
			out = append(out, strings.Join(strings.Fields(rr.String()), " "))
		}
	}
	return out, err
}

func axfr() *dns.Msg { return new(dns.Msg).SetAxfr("example.") }

func ixfr(serial uint32) *dns.Msg {
	return new(dns.Msg).SetIxfr("example.", serial, "a.nic.example.", "hostmaster.nic.example.")
}

func manyDelegations(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "name-%05d.example. 86400 IN NS ns1.hoster-%d.net.\nname-%05d.example. 86400 IN NS ns2.hoster-%d.net.\n", i, i%7, i, i%7)
	}
	return b.String()
}

func TestTransferWhole(t *testing.T) {
	z := newTransferZone()
	z.step(t, "a.nic.example. 3600 IN A 192.0.2.1\n"+manyDelegations(5000))
	s := serveTransfers(t, z, TransferConfig{Allow: []TransferRule{fromLoopback()}, Keys: []TSIGKey{transferKey()}}, nil)
	rrs, err := fetch(t, s, axfr(), &dns.Transfer{})
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + 1 + 1 + 10000 + 1; len(rrs) != want || rrs[0] != rrs[want-1] || !strings.Contains(rrs[0], " SOA ") {
		t.Fatalf("%d records, want %d with the SOA first and last", len(rrs), want)
	}
	if st := s.Stats(); st.Transfers.AXFR != 1 || st.Transfers.Octets == 0 || st.TCP.Responses < 5 {
		t.Errorf("stats %+v, %d messages", st.Transfers, st.TCP.Responses)
	}
	// Signed: every message, each over the one before; miekg/dns checks that.
	m := axfr()
	m.SetTsig(transferKeyName, dns.HmacSHA256, 300, time.Now().Unix())
	signed, err := fetch(t, s, m, &dns.Transfer{TsigSecret: map[string]string{transferKeyName: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}})
	if err != nil || !slices.Equal(signed, rrs) {
		t.Errorf("signed transfer: %d records, %v", len(signed), err)
	}
}

// zoneAfter applies the answer to an IXFR query to the records of the old state.
func zoneAfter(t testing.TB, old []string, answer []string) []string {
	t.Helper()
	isSOA := func(rr string) bool { return strings.Contains(rr, " IN SOA ") }
	have := map[string]bool{}
	for _, rr := range old {
		have[rr] = true
	}
	adding := true
	for _, rr := range answer[1 : len(answer)-1] {
		if isSOA(rr) {
			adding = !adding
		}
		if adding {
			if have[rr] {
				t.Errorf("added twice: %s", rr)
			}
			have[rr] = true
		} else {
			if !have[rr] {
				t.Errorf("removed but not there: %s", rr)
			}
			delete(have, rr)
		}
	}
	return slices.Sorted(maps.Keys(have))
}

func TestTransferDifference(t *testing.T) {
	z := newTransferZone()
	s := serveTransfers(t, z, TransferConfig{Allow: []TransferRule{fromLoopback()}}, nil)
	states := map[uint32][]string{}
	rapid.Check(t, func(rt *rapid.T) {
		var text strings.Builder
		var gone []string
		for i := range 6 {
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				fmt.Fprintf(&text, "d%d.example. 600 IN NS ns%d.net.\n", i, rapid.IntRange(0, 2).Draw(rt, "ns"))
			case 1:
				fmt.Fprintf(&text, "d%d.example. %d IN NS ns0.net.\nd%d.example. 60 IN DS 1 13 2 0%d\n", i, rapid.IntRange(1, 2).Draw(rt, "ttl"), i, rapid.IntRange(1, 2).Draw(rt, "ds"))
			case 2:
				gone = append(gone, fmt.Sprintf("d%d.example", i))
			}
		}
		z.step(t, text.String(), gone...)
		whole, err := fetch(t, s, axfr(), &dns.Transfer{})
		if err != nil {
			rt.Fatal(err)
		}
		current := slices.Sorted(slices.Values(whole[:len(whole)-1]))
		states[z.serial] = current
		from := z.serial - uint32(rapid.IntRange(0, 9).Draw(rt, "back"))
		old, known := states[from]
		answer, err := fetch(t, s, ixfr(from), &dns.Transfer{})
		if err != nil {
			rt.Fatal(err)
		}
		switch {
		case from == z.serial:
			if len(answer) != 1 {
				rt.Fatalf("unchanged, and %d records", len(answer))
			}
		case !known:
			if !slices.Equal(answer, whole) {
				rt.Fatalf("a serial that never was gives %v", answer)
			}
		default:
			if got := zoneAfter(t, old, answer); !slices.Equal(got, current) {
				rt.Fatalf("from %d to %d: got %v, want %v", from, z.serial, got, current)
			}
		}
	})
	if st := s.Stats().Transfers; st.IXFR == 0 || st.Fallbacks == 0 || st.Unchanged == 0 {
		t.Errorf("not all kinds were tried: %+v", st)
	}
}

func TestTransferOverUDP(t *testing.T) {
	z := newTransferZone()
	z.step(t, "")
	z.step(t, "small.example. 60 IN NS ns.net.\n")
	s := serveTransfers(t, z, TransferConfig{Allow: []TransferRule{fromLoopback()}}, nil)
	if r := exchange(t, s, "udp", ixfr(z.serial-1)); len(r.Answer) != 5 {
		t.Errorf("small difference: %v", r)
	}
	z.step(t, manyDelegations(100))
	eventually(t, "the new serial", func() bool { return s.Stats().Zones[0].Serial == z.serial })
	r := exchange(t, s, "udp", ixfr(z.serial-1))
	if len(r.Answer) != 1 || r.Answer[0].(*dns.SOA).Serial != z.serial || r.Truncated {
		t.Errorf("large difference: %v", r)
	}
	if r := exchange(t, s, "udp", axfr()); r.Rcode != dns.RcodeFormatError {
		t.Errorf("AXFR over UDP: %v", r)
	}
	if r := exchange(t, s, "tcp", newQuery("example", dns.TypeIXFR)); r.Rcode != dns.RcodeFormatError {
		t.Errorf("IXFR without SOA: %v", r)
	}
}

func TestTransferIsRefused(t *testing.T) {
	z := newTransferZone()
	z.step(t, "")
	keyRule := TransferRule{Key: "transfer.example"}
	elsewhere := TransferRule{From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	otherZone := fromLoopback()
	otherZone.Zones = []string{"org"}
	overTLS := fromLoopback()
	overTLS.TLSOnly = true
	for _, test := range []struct {
		name  string
		rules []TransferRule
		sign  bool
		want  int
	}{
		{"nobody is admitted", nil, true, dns.RcodeRefused},
		{"from elsewhere", []TransferRule{elsewhere}, false, dns.RcodeRefused},
		{"another zone", []TransferRule{otherZone}, false, dns.RcodeRefused},
		{"without the key", []TransferRule{keyRule}, false, dns.RcodeRefused},
		{"not encrypted", []TransferRule{overTLS}, true, dns.RcodeRefused},
		{"with the key", []TransferRule{elsewhere, keyRule}, true, dns.RcodeSuccess},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serveTransfers(t, z, TransferConfig{Allow: test.rules, Keys: []TSIGKey{transferKey()}}, nil)
			for _, m := range []*dns.Msg{axfr(), ixfr(1)} {
				c := &dns.Client{Net: "tcp", Timeout: testDeadline}
				key, _ := newTSIGKeys([]TSIGKey{transferKey()})
				if test.sign {
					key.find(transferKeyName).sign(m, c)
				}
				r, _, err := c.Exchange(m, s.Addrs()[0].String())
				if err != nil || r.Rcode != test.want || test.sign != (r.IsTsig() != nil) {
					t.Errorf("%v: %v", err, r)
				}
			}
		})
	}
	for _, cfg := range []TransferConfig{
		{Source: z, Allow: []TransferRule{{}}}, {Source: z, Allow: []TransferRule{keyRule}}, {},
		{Source: z, Keys: []TSIGKey{{Name: "k", Algorithm: "hmac-md5.sig-alg.reg.int", Secret: make([]byte, 32)}}},
		{Source: z, Keys: []TSIGKey{{Name: "k", Algorithm: "hmac-sha256", Secret: make([]byte, 8)}}},
		{Source: z, Keys: []TSIGKey{transferKey(), transferKey()}},
		{Source: z, Secondaries: []Secondary{{Name: "s", Address: netip.MustParseAddrPort("127.0.0.1:53"), Key: "none"}}},
		{Source: z, Secondaries: []Secondary{{Name: "s"}}}, {Source: z, MaxTransfers: -1},
	} {
		if _, err := New(Config{Listen: []string{"127.0.0.1:0"}, Source: z, Published: z.signal, Logger: discard(), Transfers: &cfg}); err == nil {
			t.Errorf("admitted: %+v", cfg)
		}
	}
}

// TSIG errors are answered as RFC 8945 section 5.2 has it.
func TestSignedQueries(t *testing.T) {
	z := newTransferZone()
	z.step(t, "")
	s := serveTransfers(t, z, TransferConfig{Keys: []TSIGKey{transferKey()}}, nil)
	right := "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	for _, test := range []struct {
		name, key, secret, algorithm string
		skew                         time.Duration
		rcode                        int
		tsig                         uint16
	}{
		{"right", transferKeyName, right, dns.HmacSHA256, 0, dns.RcodeSuccess, 0},
		{"upper case", "TRANSFER.example.", right, dns.HmacSHA256, 0, dns.RcodeSuccess, 0},
		{"wrong secret", transferKeyName, "AAAA" + right[4:], dns.HmacSHA256, 0, dns.RcodeNotAuth, dns.RcodeBadSig},
		{"unknown key", "other.", right, dns.HmacSHA256, 0, dns.RcodeNotAuth, dns.RcodeBadKey},
		{"other algorithm", transferKeyName, right, dns.HmacSHA512, 0, dns.RcodeNotAuth, dns.RcodeBadKey},
		{"old", transferKeyName, right, dns.HmacSHA256, -time.Hour, dns.RcodeNotAuth, dns.RcodeBadTime},
	} {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(test.name+" "+network, func(t *testing.T) {
				q := newQuery("example", dns.TypeSOA)
				q.SetEdns0(1232, true)
				q.SetTsig(test.key, test.algorithm, 300, time.Now().Add(test.skew).Unix())
				message, mac, err := dns.TsigGenerate(q, test.secret, "", false)
				if err != nil {
					t.Fatal(err)
				}
				raw := exchangeRaw(t, s, network, message)
				r := new(dns.Msg)
				if err := r.Unpack(raw); err != nil {
					t.Fatal(err)
				}
				tsig := r.IsTsig()
				if r.Rcode != test.rcode || tsig == nil || tsig.Error != test.tsig {
					t.Fatalf("%v", r)
				}
				switch test.tsig {
				case 0:
					if err := dns.TsigVerify(raw, test.secret, mac, false); err != nil || len(r.Answer) != 1 || r.IsEdns0() == nil {
						t.Errorf("%v: %v", err, r)
					}
				case dns.RcodeBadTime:
					// Signed, with the query's time and ours beside it; miekg/dns verifies no reply of this code.
					if signed := q.IsTsig(); tsig.MACSize != 32 || tsig.OtherLen != 6 || signed != nil && tsig.TimeSigned != signed.TimeSigned {
						t.Errorf("%v", r)
					}
				default:
					if tsig.MACSize != 0 {
						t.Errorf("signed: %v", r)
					}
				}
			})
		}
	}
	if got := s.Stats().Transfers.BadSignatures; got != 8 {
		t.Errorf("%d bad signatures, want 8", got)
	}
}

func exchangeRaw(t testing.TB, s *Server, network string, message []byte) []byte {
	t.Helper()
	conn, err := dns.DialTimeout(network, s.Addrs()[0].String(), testDeadline)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testDeadline))
	if _, err := conn.Write(message); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, maxTCPOctets)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestTransfersAreBounded(t *testing.T) {
	z := newTransferZone()
	z.step(t, "")
	z.block = make(chan struct{})
	s := serveTransfers(t, z, TransferConfig{Allow: []TransferRule{fromLoopback()}, MaxTransfers: 2}, nil)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if _, err := fetch(t, s, axfr(), &dns.Transfer{}); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "two transfers", func() bool { return s.Stats().Transfers.Active == 2 })
	if r := exchange(t, s, "tcp", axfr()); r.Rcode != dns.RcodeServerFailure {
		t.Errorf("the third: %v", r)
	}
	if r := exchange(t, s, "tcp", newQuery("example", dns.TypeNS)); len(r.Answer) != 1 {
		t.Errorf("an ordinary query: %v", r)
	}
	close(z.block)
	group.Wait()
	eventually(t, "the end", func() bool { return s.Stats().Transfers.Active == 0 })
	if st := s.Stats().Transfers; st.AXFR != 2 || st.Busy != 1 {
		t.Errorf("stats %+v", st)
	}
	// One that takes too long is cut off.
	z.block = make(chan struct{})
	late := serveTransfers(t, z, TransferConfig{Allow: []TransferRule{fromLoopback()}, Timeout: 50 * time.Millisecond}, nil)
	if rrs, err := fetch(t, late, axfr(), &dns.Transfer{}); err == nil {
		t.Errorf("a whole transfer of %d records after its time", len(rrs))
	}
	if st := late.Stats().Transfers; st.Failed != 1 || st.AXFR != 0 {
		t.Errorf("stats %+v", st)
	}
}

// testCertificate is for a server of DNS over TLS on 127.0.0.1 and for its clients.
type testCertificate struct{ server, client *tls.Config }

func newTestCertificate(t testing.TB) *testCertificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &testCertificate{
		server: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS13, NextProtos: []string{"dot"}},
		client: &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", NextProtos: []string{"dot"}, MinVersion: tls.VersionTLS13},
	}
}

func TestTransferOverTLS(t *testing.T) {
	certs := newTestCertificate(t)
	z := newTransferZone()
	z.step(t, manyDelegations(2000))
	rule := fromLoopback()
	rule.TLSOnly = true
	s := serveTransfers(t, z, TransferConfig{Allow: []TransferRule{rule}}, func(c *Config) {
		c.ListenTLS = []string{"127.0.0.1:0"}
		c.TLS = certs.server
	})
	dial := func() *dns.Conn {
		conn, err := tls.Dial("tcp", s.AddrsTLS()[0].String(), certs.client)
		if err != nil {
			t.Fatal(err)
		}
		return &dns.Conn{Conn: conn}
	}
	conn := dial()
	defer conn.Close()
	rrs, err := fetch(t, s, axfr(), &dns.Transfer{Conn: conn})
	if err != nil || len(rrs) != 2+4000+1 {
		t.Errorf("%d records, %v", len(rrs), err)
	}
	plain := dial()
	defer plain.Close()
	c := dns.Client{Timeout: testDeadline}
	if r, _, err := c.ExchangeWithConn(newQuery("name-00001.example", dns.TypeA), plain); err != nil || len(r.Ns) != 2 {
		t.Errorf("a query over TLS: %v, %v", err, r)
	}
	if r := exchange(t, s, "tcp", axfr()); r.Rcode != dns.RcodeRefused {
		t.Errorf("the transfer over plain TCP: %v", r)
	}
}

func TestNotifyIsRefused(t *testing.T) {
	z := newTransferZone()
	z.step(t, "")
	s := serveTransfers(t, z, TransferConfig{}, nil)
	for name, want := range map[string]int{"example.": dns.RcodeRefused, "other.": dns.RcodeNotAuth} {
		if r := exchange(t, s, "udp", new(dns.Msg).SetNotify(name)); r.Rcode != want || r.Opcode != dns.OpcodeNotify {
			t.Errorf("%s: %v", name, r)
		}
	}
	if r := exchange(t, s, "tcp", new(dns.Msg).SetAxfr("other.")); r.Rcode != dns.RcodeRefused {
		t.Errorf("transfer of a zone that is not here: %v", r)
	}
}
