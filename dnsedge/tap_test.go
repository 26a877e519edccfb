package dnsedge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"
	"google.golang.org/protobuf/encoding/protowire"
)

// fields takes a protobuf message apart; repeated fields keep the last.
func fields(t *testing.T, b []byte) map[protowire.Number]any {
	t.Helper()
	out := map[protowire.Number]any{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatalf("%x: %v", b, protowire.ParseError(n))
		}
		b = b[n:]
		switch kind {
		case protowire.VarintType:
			out[field], n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			out[field], n = protowire.ConsumeFixed32(b)
		case protowire.BytesType:
			out[field], n = protowire.ConsumeBytes(b)
		default:
			t.Fatalf("field %d has type %d", field, kind)
		}
		if n < 0 {
			t.Fatalf("%x: %v", b, protowire.ParseError(n))
		}
		b = b[n:]
	}
	return out
}

// readFrame returns a data frame, or a control frame with its type.
func readFrame(r io.Reader) (control uint32, data []byte, err error) {
	var n [4]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return 0, nil, err
	}
	if size := binary.BigEndian.Uint32(n[:]); size > 0 {
		data = make([]byte, size)
		_, err = io.ReadFull(r, data)
		return 0, data, err
	}
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return 0, nil, err
	}
	data = make([]byte, binary.BigEndian.Uint32(n[:]))
	if _, err := io.ReadFull(r, data); err != nil {
		return 0, nil, err
	}
	return binary.BigEndian.Uint32(data), data[4:], nil
}

// collect accepts a sender as a collector does, up to its START.
func collect(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(testDeadline))
	for _, want := range []uint32{controlReady, controlStart} {
		control, data, err := readFrame(conn)
		if err != nil || control != want || !bytes.HasSuffix(data, []byte("\x00\x00\x00\x16protobuf:dnstap.Dnstap")) {
			t.Fatalf("control frame %d %q, %v, want %d", control, data, err, want)
		}
		if want == controlReady {
			if err := writeControl(conn, controlAccept, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	return conn
}

func tapped(t *testing.T, identity Identity) (*Server, net.Listener) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "tap")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return serve(t, exampleSource(t), func(c *Config) { c.Tap, c.Identity, c.Workers = TapConfig{Socket: socket}, identity, 1 }), l
}

func TestTap(t *testing.T) {
	s, l := tapped(t, Identity{NSID: "ams1", Version: "cadastre"})
	conn := collect(t, l)
	begun := time.Now().Add(-time.Second)
	for _, network := range []string{"udp", "tcp"} {
		query := newQuery("www.A.example", dns.TypeA)
		reply := exchange(t, s, network, query)
		control, data, err := readFrame(conn)
		if err != nil || control != 0 {
			t.Fatalf("frame %d, %v", control, err)
		}
		outer := fields(t, data)
		if string(outer[1].([]byte)) != "ams1" || string(outer[2].([]byte)) != "cadastre" || outer[15] != uint64(1) {
			t.Errorf("dnstap %v", outer)
		}
		m := fields(t, outer[14].([]byte))
		protocol := map[string]uint64{"udp": 1, "tcp": 2}[network]
		if m[1] != uint64(2) || m[2] != uint64(1) || m[3] != protocol || !bytes.Equal(m[4].([]byte), []byte{127, 0, 0, 1}) || !bytes.Equal(m[5].([]byte), []byte{127, 0, 0, 1}) ||
			m[7] != uint64(s.Addrs()[0].Port()) || m[6] == uint64(0) {
			t.Errorf("message %v", m)
		}
		at := time.Unix(int64(m[8].(uint64)), int64(m[9].(uint32)))
		if at.Before(begun) || at.After(time.Now()) || m[12] != m[8] {
			t.Errorf("time %s", at)
		}
		var q, r dns.Msg
		if err := q.Unpack(m[10].([]byte)); err != nil || q.Question[0] != query.Question[0] {
			t.Errorf("query %v, %v", err, &q)
		}
		if err := r.Unpack(m[14].([]byte)); err != nil || r.String() != reply.String() {
			t.Errorf("reply %v, %v", err, &r)
		}
	}
	eventually(t, "counters", func() bool { return s.Stats().Tap == TapStats{Sent: 2} })
}

// A collector that is away or does not read costs copies, not answers, and one that comes back gets what comes then.
func TestTapDrops(t *testing.T) {
	s, l := tapped(t, Identity{})
	conn := collect(t, l)
	_ = conn.Close()
	_ = l.Close() // nobody listens now
	client, err := dns.Dial("udp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_ = client.SetDeadline(time.Now().Add(testDeadline))
	const asked = tapRecords + 500
	for range asked {
		if err := client.WriteMsg(newQuery("a.example", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		if _, err := client.ReadMsg(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "drops", func() bool { return s.Stats().Tap.Dropped > 0 })
	again, err := net.Listen("unix", s.tap.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	conn = collect(t, again)
	received := uint64(0)
	for last := ""; last != "b.example."; received++ {
		if received%100 == 0 {
			if err := client.WriteMsg(newQuery("b.example", dns.TypeA)); err != nil {
				t.Fatal(err)
			}
		}
		_, data, err := readFrame(conn)
		if err != nil {
			t.Fatal(err)
		}
		var q dns.Msg
		if err := q.Unpack(fields(t, fields(t, data)[14].([]byte))[10].([]byte)); err != nil {
			t.Fatal(err)
		}
		last = q.Question[0].Name
	}
	if received < 100 || received > asked {
		t.Errorf("%d copies after %d queries", received, asked)
	}
}

func TestTapOff(t *testing.T) {
	if tap := newTap(TapConfig{}, Identity{}, discard()); tap != nil {
		t.Error("there is a tap without a socket")
	}
}

// Copies are made without allocation, and lost when there is no room.
func TestTapDoesNotAllocate(t *testing.T) {
	tap := newTap(TapConfig{Socket: "nowhere"}, Identity{}, discard())
	from := netip.MustParseAddrPort("[2001:db8::1]:53")
	query, reply := make([]byte, 40), make([]byte, 600)
	if n := testing.AllocsPerRun(tapRecords/2, func() { tap.note(UDP, from, from, time.Time{}, query, reply) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for range tapRecords {
		tap.note(TCP, from, from, time.Time{}, query, make([]byte, maxTCPOctets))
	}
	tap.note(TCP, from, from, time.Time{}, make([]byte, tapMaxOctets+1), nil)
	if got := fmt.Sprint(len(tap.full), tap.dropped.Load()); got != fmt.Sprint(tapRecords, tapRecords/2+1) {
		t.Errorf("waiting and dropped: %s", got)
	}
}
