package cluster

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// freeUDPAndTCP returns a loopback address whose port is free for both.
func freeUDPAndTCP(t *testing.T) string {
	t.Helper()
	for range 20 {
		l := listen(t)
		address := l.Addr().String()
		p, err := net.ListenPacket("udp", address)
		_ = l.Close() // only probed
		if err == nil {
			_ = p.Close() // only probed
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

func startGossip(t *testing.T, cfg GossipConfig) (g *Gossip, stop func()) {
	t.Helper()
	cfg.Log = testLog(t)
	if cfg.AppliedIndex == nil {
		cfg.AppliedIndex = func() uint64 { return 41 }
	}
	g, err := NewGossip(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g, background(t, "gossip of "+cfg.NodeID, g.Run)
}

func hintOf(g *Gossip, id string) (Hint, bool) {
	for _, h := range g.Peers() {
		if h.NodeID == id {
			return h, true
		}
	}
	return Hint{}, false
}

func TestGossipSpreadsHints(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	a, b := freeUDPAndTCP(t), freeUDPAndTCP(t)
	var applied atomic.Uint64
	applied.Store(41)
	g1, _ := startGossip(t, GossipConfig{NodeID: "n1", ClusterID: "cluster-one", Keys: [][]byte{key}, Bind: a, AppliedIndex: applied.Load,
		Self: Hint{Role: "voter", RaftAddress: "10.0.0.1:1", GRPCAddress: "10.0.0.1:2", EPPAddress: "10.0.0.1:3", DNSAddress: "10.0.0.1:4"}})
	g2, stop2 := startGossip(t, GossipConfig{NodeID: "n2", ClusterID: "cluster-one", Keys: [][]byte{key}, Bind: b, Seeds: []string{a}})
	eventually(t, "n2 knows n1", func() bool { _, ok := hintOf(g2, "n1"); return ok })
	got, _ := hintOf(g2, "n1")
	want := Hint{NodeID: "n1", State: "alive", Role: "voter", RaftAddress: "10.0.0.1:1", GRPCAddress: "10.0.0.1:2",
		EPPAddress: "10.0.0.1:3", DNSAddress: "10.0.0.1:4", AppliedIndex: 41}
	if got != want {
		t.Errorf("hint %+v, want %+v", got, want)
	}
	applied.Store(99)
	eventually(t, "the applied index follows", func() bool { h, _ := hintOf(g2, "n1"); return h.AppliedIndex == 99 })
	eventually(t, "n1 knows n2", func() bool { _, ok := hintOf(g1, "n2"); return ok })
	stop2()
	eventually(t, "n1 knows that n2 left", func() bool { h, ok := hintOf(g1, "n2"); return !ok || h.State != "alive" })
	if g2.Peers() != nil {
		t.Error("a stopped node still has hints")
	}
}

func TestGossipAdmitsOnlyItsClusterAndKey(t *testing.T) {
	key, other := bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{8}, 32)
	a := freeUDPAndTCP(t)
	g1, _ := startGossip(t, GossipConfig{NodeID: "n1", ClusterID: "cluster-one", Keys: [][]byte{key}, Bind: a})
	eventually(t, "n1 runs", func() bool { return len(g1.Peers()) == 1 })
	intruders := []GossipConfig{
		{NodeID: "n2", ClusterID: "cluster-one", Keys: [][]byte{other}, Bind: freeUDPAndTCP(t)},
		{NodeID: "n3", ClusterID: "cluster-two", Keys: [][]byte{key}, Bind: freeUDPAndTCP(t)},
	}
	for _, cfg := range intruders {
		g, _ := startGossip(t, cfg)
		eventually(t, cfg.NodeID+" runs", func() bool { return g.list.Load() != nil })
		if n, err := g.list.Load().Join([]string{a}); n != 0 {
			t.Errorf("%s joined: %v", cfg.NodeID, err)
		}
	}
	if got := g1.Peers(); len(got) != 1 {
		t.Errorf("n1 knows %v", got)
	}
}

func TestGossipKeyFile(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	k1, k2 := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 16)
	tests := []struct {
		label, content string
		want           int
	}{
		{"one", b64(k1) + "\n", 1},
		{"rotation", b64(k2) + "\n\n" + b64(k1), 2},
		{"empty", "\n", 0},
		{"not base64", "?\n", 0},
		{"wrong length", b64(k1[:31]), 0},
		{"too many", strings.Repeat(b64(k1)+"\n", maxGossipKeys+1), 0},
	}
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), GossipKeyFile)
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := LoadGossipKeys(path)
		if len(keys) != tt.want || (err == nil) != (tt.want > 0) {
			t.Errorf("%s: %d keys, %v", tt.label, len(keys), err)
		}
		if err != nil && strings.Contains(err.Error(), strings.TrimSpace(tt.content)) && strings.TrimSpace(tt.content) != "?" && strings.TrimSpace(tt.content) != "" {
			t.Errorf("%s: the error shows the key", tt.label)
		}
	}
}

func TestGossipRefusesBadConfiguration(t *testing.T) {
	good := GossipConfig{NodeID: "n1", ClusterID: "cluster-one", Keys: [][]byte{bytes.Repeat([]byte{1}, 32)}, Bind: "127.0.0.1:0",
		AppliedIndex: func() uint64 { return 0 }, Log: testLog(t)}
	tests := map[string]func(*GossipConfig){
		"no key":             func(c *GossipConfig) { c.Keys = nil },
		"bad key":            func(c *GossipConfig) { c.Keys = [][]byte{{1}} },
		"bad bind":           func(c *GossipConfig) { c.Bind = "nowhere" },
		"bad advertise":      func(c *GossipConfig) { c.Advertise = "x:y" },
		"hint beyond bounds": func(c *GossipConfig) { c.Self.EPPAddress = strings.Repeat("x", 600) },
	}
	for label, breakIt := range tests {
		cfg := good
		breakIt(&cfg)
		if _, err := NewGossip(cfg); err == nil {
			t.Errorf("%s: accepted", label)
		}
	}
	if _, err := NewGossip(good); err != nil {
		t.Error(err)
	}
}

// recordingHandler keeps the records of a logger.
type recordingHandler struct {
	mu   sync.Mutex
	seen []string
}

func (h *recordingHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h *recordingHandler) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h *recordingHandler) WithGroup(string) slog.Handler            { return h }
func (h *recordingHandler) Handle(_ context.Context, r slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		h.seen = append(h.seen, r.Level.String()+" "+a.Value.String())
		return true
	})
	return nil
}

func TestGossipLogLevels(t *testing.T) {
	h := &recordingHandler{}
	w := &slogWriter{slog.New(h)}
	for _, line := range []string{"[DEBUG] memberlist: a\n", "[WARN] memberlist: b\n", "[ERR] memberlist: c\n", "d\n"} {
		if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
	}
	if got := strings.Join(h.seen, ", "); got != "DEBUG a, WARN b, WARN c, INFO d" {
		t.Errorf("logged %q", got)
	}
}
