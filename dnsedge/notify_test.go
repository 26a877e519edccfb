package dnsedge

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// listener plays a secondary: it acknowledges NOTIFY once it is told to and answers with a serial.
type listener struct {
	mu       sync.Mutex
	silent   bool
	serial   uint32
	notified int
	unsigned int
}

func (l *listener) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := new(dns.Msg).SetReply(m)
	if m.Opcode == dns.OpcodeNotify {
		l.notified++
	} else {
		r.Answer = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: "example.", Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: ".", Mbox: ".", Serial: l.serial}}
	}
	if m.IsTsig() == nil || w.TsigStatus() != nil {
		l.unsigned++
	} else {
		r.SetTsig(transferKeyName, dns.HmacSHA256, 300, time.Now().Unix())
	}
	if !l.silent {
		_ = w.WriteMsg(r)
	}
}

// listenAsSecondary serves until the test ends.
func listenAsSecondary(t *testing.T, l *listener) netip.AddrPort {
	t.Helper()
	keys, err := newTSIGKeys([]TSIGKey{transferKey()})
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{
		Addr: "127.0.0.1:0", Net: "udp", Handler: l, NotifyStartedFunc: func() { close(started) },
		TsigSecret: map[string]string{transferKeyName: keys[transferKeyName].secret}, MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept },
	}
	done := make(chan error, 1)
	go func() { done <- server.ListenAndServe() }()
	<-started
	t.Cleanup(func() {
		_ = server.Shutdown()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return netip.MustParseAddrPort(server.PacketConn.LocalAddr().String())
}

func TestNotify(t *testing.T) {
	l := &listener{silent: true}
	addr := listenAsSecondary(t, l)
	z := newTransferZone()
	z.step(t, "")
	s := serveTransfers(t, z, TransferConfig{
		Keys:        []TSIGKey{transferKey()},
		Secondaries: []Secondary{{Name: "lab", Address: addr, Zones: []string{"example"}, Key: "transfer.example"}, {Name: "other", Address: addr, Zones: []string{"org"}}},
	}, nil)
	status := func() SecondaryStatus {
		list := s.Secondaries()
		if len(list) != 1 || list[0].Name != "lab" || list[0].Zone != "example" {
			t.Fatalf("secondaries: %+v", list)
		}
		return list[0]
	}
	eventually(t, "the zone", func() bool { return len(s.Secondaries()) == 1 })
	eventually(t, "a silent secondary", func() bool { return status().Attempts > 0 && status().Error != "" })
	if st := status(); !st.AcknowledgedAt.IsZero() || st.IsCurrent() {
		t.Errorf("status %+v", st)
	}
	l.mu.Lock()
	l.silent, l.serial = false, z.serial
	l.mu.Unlock()
	eventually(t, "an acknowledgement after silence", func() bool { st := status(); return st.Acknowledged == z.serial && st.IsCurrent() && st.Error == "" })

	before := func() int { l.mu.Lock(); defer l.mu.Unlock(); return l.notified }()
	const steps = 40
	for range steps {
		z.step(t, "")
	}
	eventually(t, "the last serial", func() bool { st := status(); return st.Acknowledged == z.serial && !st.IsCurrent() })
	l.mu.Lock()
	if told := l.notified - before; told >= steps/2 {
		t.Errorf("%d NOTIFY messages for %d serials in a moment", told, steps)
	}
	if l.unsigned > 0 {
		t.Errorf("%d messages without a valid signature", l.unsigned)
	}
	l.serial = z.serial
	l.mu.Unlock()
	eventually(t, "a secondary that catches up", func() bool { st := status(); return st.IsCurrent() })
}

// TestNotifyComesBack sees that a message that the kernel sent to its own sender acknowledges nothing.
func TestNotifyComesBack(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, udpQueryOctets)
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDP(buf[:n], from)
		}
	}()
	f := &follower{Secondary: Secondary{Name: "mirror", Address: conn.LocalAddr().(*net.UDPAddr).AddrPort()}}
	if r, err := f.exchange(t.Context(), new(dns.Msg).SetNotify("example.")); err == nil {
		t.Errorf("taken for an answer: %v", r)
	}
	conn.Close()
	<-done
}
