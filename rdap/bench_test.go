package rdap_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cadastre/internal/gcpace"
	"cadastre/rdap"
	"cadastre/registry"
	"cadastre/store"
	"cadastre/whois"
)

// Environment of the measurement: how many domains, for how many seconds, and where the child that serves
// finds its state.
const (
	benchDomains = "CADASTRE_BENCH_RDDS"
	benchSeconds = "CADASTRE_BENCH_SECONDS"
	benchChild   = "CADASTRE_BENCH_CHILD"
)

// benchConnections is how many clients ask at a time.
const benchConnections = 16

// TestBenchRDDS measures lookups over keep-alive TLS and WHOIS with connection set-up, served by a process
// on one core, and nginx with a file of the same size on the same core. It counts answers a second of the
// wall clock and of the server's own processor time, which a busy machine disturbs less.
func TestBenchRDDS(t *testing.T) {
	if dir := os.Getenv(benchChild); dir != "" {
		serveBench(t, dir)
		return
	}
	n, err := strconv.Atoi(os.Getenv(benchDomains))
	if err != nil || n < 1 {
		t.Skip("SKIPPED: a measurement; run it with make bench-rdds")
	}
	length := 10 * time.Second
	if s, err := strconv.Atoi(os.Getenv(benchSeconds)); err == nil {
		length = time.Duration(s) * time.Second
	}
	dir := t.TempDir()
	fillBench(t, dir, n)
	config, pool := serverTLS(t)
	writePair(t, dir, config)
	child := exec.Command("taskset", "-c", "0", os.Args[0], "-test.run", "^TestBenchRDDS$", "-test.v")
	child.Env = append(os.Environ(), benchChild+"="+dir, "GOMAXPROCS=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Signal(syscall.SIGTERM); _ = child.Wait() }()
	var rdapAddr, whoisAddr string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "serving %s %s", &rdapAddr, &whoisAddr); err == nil {
			break
		}
	}
	awaitCalm(t, child.Process.Pid)
	name := func() string { return "d" + strconv.Itoa(rand.IntN(n)) + ".example" }
	client := &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
	size := 0
	lookup := func(path func() string, addr string) func() (func() error, func()) {
		return func() (func() error, func()) {
			conn, err := tls.Dial("tcp", addr, client)
			if err != nil {
				t.Error(err)
				return nil, func() {}
			}
			in := bufio.NewReaderSize(conn, 16<<10)
			return func() error {
				if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path()); err != nil {
					return err
				}
				n, err := readAnswer(in)
				size = n
				return err
			}, func() { _ = conn.Close() }
		}
	}
	report := func(what string, pid int, half bool, one func() (func() error, func())) float64 {
		rate, cpuRate, _ := measure(t, pid, length, 0, one)
		t.Logf("%-28s %8.0f/s of the wall clock, %8.0f/s of processor time", what, rate, cpuRate)
		if half {
			_, _, p99 := measure(t, pid, length, rate/2, one)
			t.Logf("%-28s p99 %s at half of that", what, p99)
		}
		return cpuRate
	}
	ours := report("RDAP lookups", child.Process.Pid, true, lookup(func() string { return "/domain/" + name() }, rdapAddr))
	whoisRate := report("WHOIS", child.Process.Pid, false, func() (func() error, func()) {
		return func() error { return askOnce(whoisAddr, name()) }, func() {}
	})
	nginx, pid, stop := startNginx(t, dir, size)
	if nginx == "" {
		return
	}
	defer stop()
	theirs := report("nginx, "+strconv.Itoa(size)+" octets", pid, true, lookup(func() string { return "/file" }, nginx))
	plain := report("nginx, new connections", pid, false, func() (func() error, func()) {
		return func() error { return askHTTP(os.Getenv("CADASTRE_BENCH_PLAIN")) }, func() {}
	})
	t.Logf("ratio of processor time: RDAP %.2f, WHOIS %.2f", ours/theirs, whoisRate/plain)
}

// fillBench makes n domains of a thick TLD.
func fillBench(t *testing.T, dir string, n int) {
	t.Helper()
	st, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	const batch = 5000
	for from := 0; from < n; from += batch {
		if err := st.Update(func(tx *store.Tx) error {
			tx.BeginEntry(uint64(from/batch)+1, 1)
			tx.SetNow(dataTime)
			if from == 0 {
				fill(tx)
			}
			for i := from; i < min(n, from+batch); i++ {
				contact := registry.ContactID("c" + strconv.Itoa(i/10))
				prov := registry.Provenance{ROID: registry.ROID(fmt.Sprintf("DB%d-EX", i)), Sponsor: "reg-a", Creator: "reg-a", CreatedAt: made, UpdatedAt: made}
				if i%10 == 0 {
					cp := prov
					cp.ROID = registry.ROID(fmt.Sprintf("CB%d-EX", i))
					tx.PutContact(nil, &registry.Contact{Provenance: cp, ID: contact, Email: "x@example.net", Voice: registry.Phone{Number: "+41.1"},
						Postal: []registry.PostalInfo{{Type: "int", Name: "Some Body", Street: []string{"Street 1"}, City: "Bern", StateProvince: "BE", CountryCode: "CH"}}})
				}
				tx.PutDomain(nil, &registry.Domain{Provenance: prov, Name: registry.DomainName("d" + strconv.Itoa(i) + ".example"), TLD: "example", ExpiresAt: made.AddDate(1, 0, 0),
					Registrant: contact, Contacts: []registry.DomainContact{{Role: registry.RoleTech, ID: contact}}, NameServers: []registry.DomainName{"ns1.one.example", "ns.elsewhere.test"},
					Statuses: registry.Statuses{registry.StatusClientTransferProhibited}})
			}
			tx.EndEntry()
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// serveBench is the child: it serves until it is told to stop.
func serveBench(t *testing.T, dir string) {
	st, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	quiet := slog.New(slog.DiscardHandler)
	r, err := rdap.New(rdap.Config{Address: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, Viewer: st, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	w := whois.New(whois.Config{Address: "127.0.0.1:0", Viewer: st, Logger: quiet})
	if err := r.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := w.Listen(); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("serving %s %s\n", r.Addr(), w.Addr())
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx) })
	running.Go(func() { _ = w.Run(ctx) })
	running.Go(func() { _ = gcpace.Run(ctx) }) // as nodes do
	running.Wait()
}

// measure asks with some clients, at most perSecond together if that is above 0, and returns answers a second of the wall
// clock and of the processor time of the process, and the 99th percentile.
func measure(t *testing.T, pid int, length time.Duration, perSecond float64, one func() (func() error, func())) (rate, cpuRate float64, p99 time.Duration) {
	t.Helper()
	var (
		answers atomic.Uint64
		mu      sync.Mutex
		all     []time.Duration
		running sync.WaitGroup
	)
	before, begun := processorTime(t, pid), time.Now()
	for i := range benchConnections {
		running.Go(func() {
			ask, end := one()
			defer end()
			var own []time.Duration
			interval := time.Duration(0)
			if perSecond > 0 {
				interval = time.Duration(float64(benchConnections) / perSecond * float64(time.Second))
			}
			next := time.Now().Add(interval * time.Duration(i) / benchConnections)
			for ask != nil && time.Since(begun) < length {
				if wait := time.Until(next); interval > 0 && wait > 0 {
					time.Sleep(wait) // the pace of the measurement
				}
				next = next.Add(interval)
				at := time.Now()
				if err := ask(); err != nil {
					t.Error(err)
					return
				}
				own = append(own, time.Since(at))
				answers.Add(1)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
		})
	}
	running.Wait()
	used := processorTime(t, pid) - before
	slices.Sort(all)
	if len(all) > 0 {
		p99 = all[len(all)*99/100]
	}
	return float64(answers.Load()) / time.Since(begun).Seconds(), float64(answers.Load()) / used.Seconds(), p99
}

// awaitCalm waits until the compactions of what was just written are over: they would share the core.
func awaitCalm(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; {
		before := processorTime(t, pid)
		time.Sleep(2 * time.Second) // the span that is looked at
		if processorTime(t, pid)-before <= 40*time.Millisecond {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not come to rest")
		}
	}
}

// processorTime is what the process has used, of /proc/PID/stat in hundredths of a second.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// readAnswer reads one HTTP answer and returns the length of its body.
func readAnswer(in *bufio.Reader) (int, error) {
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if text, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(text))
		}
		if strings.HasPrefix(string(line), "HTTP/1.1 ") && !strings.HasPrefix(string(line), "HTTP/1.1 200") {
			return 0, fmt.Errorf("answered %q", line)
		}
	}
	_, err := in.Discard(length)
	return length, err
}

func askOnce(addr, line string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && !strings.HasPrefix(string(answer), "Domain Name") {
		err = fmt.Errorf("answered %q", answer)
	}
	return err
}

// askHTTP fetches nginx's file over a connection of its own.
func askHTTP(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}

func writePair(t *testing.T, dir string, config *tls.Config) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(config.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: config.Certificates[0].Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// startNginx serves a file of the size on core 0 and returns its addresses and its worker's process.
func startNginx(t *testing.T, dir string, size int) (addr string, pid int, stop func()) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		t.Log("SKIPPED: nginx is not installed (apt-get install nginx-light)")
		return "", 0, nil
	}
	port := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		return l.Addr().String()
	}
	secure, plain := port(), port()
	t.Setenv("CADASTRE_BENCH_PLAIN", plain)
	conf := fmt.Sprintf("daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/error.log;\nevents { worker_connections 1024; }\nhttp { access_log off; keepalive_requests 100000000; sendfile on; tcp_nopush on; open_file_cache max=10;\n"+
		"server { listen %[2]s ssl; listen %[3]s; ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem; ssl_protocols TLSv1.2 TLSv1.3; root %[1]s/www; } }\n", dir, secure, plain)
	if err := os.MkdirAll(filepath.Join(dir, "www"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"nginx.conf": conf, "www/file": strings.Repeat("x", size)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	server := exec.Command("taskset", "-c", "0", path, "-c", filepath.Join(dir, "nginx.conf"), "-p", dir)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) { // until its port answers
		conn, err := net.Dial("tcp", plain)
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	return secure, server.Process.Pid, func() { _ = server.Process.Signal(syscall.SIGTERM); _ = server.Wait() }
}

// BenchmarkDomain answers without a network.
func BenchmarkDomain(b *testing.B) {
	w := newWorld(b, nil)
	r, err := http.NewRequest(http.MethodGet, "https://rdap.example/domain/one.example", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI, r.RemoteAddr = "/domain/one.example", "192.0.2.9:1"
	b.ReportAllocs()
	for b.Loop() {
		w.ServeHTTP(&discard{head: http.Header{}}, r)
	}
}
