package raftnode

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// maxHostileGrowth is by how much the heap may grow while hostile peers send lengths that they
// do not keep: raft's own buffers of a few connections.
const maxHostileGrowth = 32 << 20

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestSilentStrangersDoNotKeepPeersOut holds far more connections open than there are places
// for handshakes, from one address, saying nothing or dripping octets; peers elect a leader
// and replicate meanwhile, and every connection is ended.
func TestSilentStrangersDoNotKeepPeersOut(t *testing.T) {
	const strangers = 3 * maxHandshakes
	c := newCluster(t, nil)
	c.voters(3)
	c.leader().propose(t, clusterInit())
	before := liveHeap()
	stop := make(chan struct{})
	var hostile sync.WaitGroup
	var mu sync.Mutex
	var timedOut, ended int
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: patience}
	for i := range strangers {
		hostile.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-stop:
					return
				default:
				}
				n := c.nodes[[]string{"n1", "n2", "n3"}[(i+round)%3]]
				conn, err := dialer.Dial("tcp", n.address)
				if err != nil {
					continue // the node is being stopped
				}
				_ = conn.SetDeadline(time.Now().Add(4 * handshakeTimeout))
				if i%2 == 0 {
					_, _ = conn.Write([]byte{22, 3, 1}) // the beginning of a record that never comes
				}
				_, err = io.ReadAll(conn)
				_ = conn.Close()
				mu.Lock()
				ended++
				if errors.Is(err, os.ErrDeadlineExceeded) {
					timedOut++
				}
				mu.Unlock()
			}
		})
	}
	old := c.leader()
	if err := old.stop(t); err != nil {
		t.Error(err)
	}
	c.register(0, 20) // by the next leader, over new connections
	old.start(t)
	c.register(20, 30)
	c.agree("n1", "n2", "n3")
	grown := int64(liveHeap()) - int64(before)
	close(stop)
	hostile.Wait()
	if timedOut > 0 {
		t.Errorf("%d connections that said nothing were left open", timedOut)
	}
	if grown > maxHostileGrowth {
		t.Errorf("the heap has grown by %d octets", grown)
	}
	t.Logf("proved: %d connections of %d silent strangers were ended; an election, 30 commands and a restart went on beside them; the heap grew by %d KiB", ended, strangers, grown>>10)
}

// TestLengthsThatLie sends messages of raft whose lengths promise four gigabytes, over
// connections that the node admits: nothing is set aside for what has not come.
func TestLengthsThatLie(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	c.leader().propose(t, clusterInit())
	n := c.nodes["n1"]
	peer := c.ca.issue(t, "n2")
	before := liveHeap()
	huge := []byte{0xff, 0xff, 0xff, 0xff}
	messages := map[string][]byte{
		"octets":                  append([]byte{0, 0x81, 0xa6, 'L', 'e', 'a', 'd', 'e', 'r', 0xc6}, huge...),
		"entries":                 append([]byte{0, 0x81, 0xa7, 'E', 'n', 't', 'r', 'i', 'e', 's', 0xdd}, huge...),
		"fields":                  append([]byte{0, 0xdf}, huge...),
		"a name":                  append([]byte{0, 0x81, 0xdb}, huge...),
		"an unknown field":        append([]byte{0, 0x81, 0xa3, 'x', 'y', 'z', 0xc6}, huge...),
		"a vote's candidate":      append([]byte{1, 0x81, 0xa9, 'C', 'a', 'n', 'd', 'i', 'd', 'a', 't', 'e', 0xc6}, huge...),
		"a snapshot's peers":      append([]byte{2, 0x81, 0xa5, 'P', 'e', 'e', 'r', 's', 0xc6}, huge...),
		"an unknown kind of call": {0xee, 0xff},
	}
	for name, message := range messages {
		conn, err := tls.Dial("tcp", n.address, &tls.Config{RootCAs: c.ca.pool, ServerName: "n1", Certificates: []tls.Certificate{peer}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(append(message, make([]byte, 64<<10)...)); err != nil {
			t.Logf("%s: %v", name, err) // refused already
		}
		defer func() { _ = conn.Close() }() // after the heap was measured
	}
	n.propose(t, registrarCreate(1)) // the messages have been looked at meanwhile
	grown := int64(liveHeap()) - int64(before)
	if grown > maxHostileGrowth {
		t.Errorf("the heap has grown by %d octets", grown)
	}
	t.Logf("proved: %d messages with lengths up to 4 GiB grew the heap by %d KiB; commands go on", len(messages), grown>>10)
}
