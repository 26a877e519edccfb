package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/cluster"
	"cadastre/registry"
)

// preparedNode makes the certificates of a node and returns a function that writes its
// configuration with some addresses replaced.
func preparedNode(t *testing.T) (config func(addresses map[string]string) string) {
	t.Helper()
	dir := t.TempDir()
	ca, err := cluster.InitCA(filepath.Join(dir, "ca"), "")
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := ca.Issue(cluster.KindNode, "n1", []string{"127.0.0.1"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := bundle.Write(filepath.Join(dir, "tls")); err != nil {
		t.Fatal(err)
	}
	config = func(addresses map[string]string) string {
		address := func(service string) string { return firstNonEmpty(addresses[service], "127.0.0.1:0") }
		path := filepath.Join(dir, "node.toml")
		content := fmt.Sprintf("node_id = \"n1\"\ndata_dir = \"data\"\n[tls]\nca = \"tls/ca.crt\"\ncert = \"tls/n1.crt\"\nkey = \"tls/n1.key\"\n"+
			"[raft]\nlisten = %q\nadvertise = %q\n[grpc]\nlisten = %q\n[gossip]\nlisten = %q\nkey_file = \"tls/gossip.key\"\n[epp]\nlisten = %q\n[dns]\nlisten = [%q]\n"+
			"[whois]\nlisten = %q\n[metrics]\nlisten = %q\n", address("raft"), firstNonEmpty(addresses["advertise"], "127.0.0.1:1"), address("grpc"), address("gossip"), address("epp"),
			address("dns"), address("whois"), address("metrics"))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return config
}

// lonelyNode makes a cluster of one node, see preparedNode.
func lonelyNode(t *testing.T) (config func(addresses map[string]string) string) {
	t.Helper()
	config = preparedNode(t)
	if _, err := initCluster(t.Context(), mustLoad(t, config(nil)), systemClock(), io.Discard); err != nil {
		t.Fatal(err)
	}
	return config
}

func mustLoad(t *testing.T, path string) *Config {
	t.Helper()
	cfg, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func systemClock() clockMode { return clockMode{mode: registry.ClockSystem, start: time.Now()} }

func TestServerPortInUse(t *testing.T) {
	config := lonelyNode(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, service := range []string{"raft", "grpc", "gossip", "epp", "dns", "whois", "metrics"} {
		t.Run(service, func(t *testing.T) {
			path := config(map[string]string{service: taken.Addr().String()})
			var stderr strings.Builder
			code := run(t.Context(), []string{"server", "-config", path}, strings.NewReader(""), io.Discard, &stderr)
			lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
			last := lines[len(lines)-1]
			want := fmt.Sprintf("cadastre: %s: the address", service)
			if code != exitError || !strings.HasPrefix(last, want) || !strings.Contains(last, taken.Addr().String()) ||
				!strings.Contains(last, fmt.Sprintf("(key %q) is in use by another process", service+".listen")) {
				t.Errorf("status %d, %q", code, last)
			}
		})
	}
}

func TestServerDataFolderInUse(t *testing.T) {
	config := lonelyNode(t)
	path := config(nil)
	ctx, cancel := context.WithCancel(t.Context())
	stop := startServer(t, ctx, path)
	var stderr strings.Builder
	code := run(t.Context(), []string{"server", "-config", path}, strings.NewReader(""), io.Discard, &stderr)
	if code != exitError || !strings.Contains(stderr.String(), "is another server running on it?") {
		t.Errorf("a second server: status %d, %q", code, stderr.String())
	}
	cancel()
	if code := stop(); code != exitOK {
		t.Errorf("the server ended with status %d", code)
	}
}

// startServer runs a server in this process until ctx ends, and returns when it has opened
// its data.
func startServer(t *testing.T, ctx context.Context, config string) (wait func() int) {
	t.Helper()
	ended := make(chan int, 1)
	started := make(chan struct{})
	out := &startWatcher{started: started}
	go func() {
		ended <- run(ctx, []string{"server", "-config", config}, strings.NewReader(""), io.Discard, out)
	}()
	select {
	case <-started:
	case code := <-ended:
		t.Fatalf("the server ended with status %d: %s", code, out.text.String())
	case <-time.After(20 * time.Second):
		t.Fatal("the server does not start")
	}
	return func() int { return <-ended }
}

// startWatcher looks for the line that a node logs when it has started.
type startWatcher struct {
	started chan struct{}
	seen    bool
	text    strings.Builder
}

// Write is called by one log handler, which serialises.
func (w *startWatcher) Write(p []byte) (int, error) {
	w.text.Write(p)
	if !w.seen && strings.Contains(string(p), "node started") {
		w.seen = true
		close(w.started)
	}
	return len(p), nil
}
