package rdap_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/internal/prefixlimit"
	"cadastre/rdap"
)

// serverTLS makes a certificate for 127.0.0.1.
func serverTLS(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, pool
}

// run starts the server; it ends with the test.
func (w *world) run(t testing.TB) {
	t.Helper()
	if err := w.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestServer(t *testing.T) {
	config, pool := serverTLS(t)
	w := newWorld(t, func(cfg *rdap.Config) { cfg.TLS, cfg.RedirectAddress = config, "127.0.0.1:0" })
	w.run(t)
	base := "https://" + w.Addr().String()
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: protocol == "HTTP/2.0", DisableCompression: true}
		client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
		do := func(method, path string, head http.Header) (*http.Response, string) {
			r, err := http.NewRequest(method, base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = head
			response, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return response, string(body)
		}
		get, body := do(http.MethodGet, "/domain/one.example", nil)
		if get.StatusCode != 200 || get.Proto != protocol || !strings.Contains(body, `"value":"`+base+`/domain/one.example"`) {
			t.Errorf("%s: GET is answered %d over %s: %s", protocol, get.StatusCode, get.Proto, body)
		}
		head, empty := do(http.MethodHead, "/domain/one.example", nil)
		if head.StatusCode != 200 || empty != "" || head.Header.Get("Access-Control-Allow-Origin") != "*" || head.ContentLength != get.ContentLength {
			t.Errorf("HEAD is answered %d %v %q", head.StatusCode, head.Header, empty)
		}
		if same, body := do(http.MethodGet, "/domain/one.example", http.Header{"If-None-Match": {get.Header.Get("Etag")}}); same.StatusCode != http.StatusNotModified || body != "" {
			t.Errorf("with its tag %q it is answered %d %q", get.Header.Get("Etag"), same.StatusCode, body)
		}
		if packed, body := do(http.MethodGet, "/domain/one.example", http.Header{"Accept-Encoding": {"gzip"}}); packed.Header.Get("Content-Encoding") != "gzip" || len(body) >= int(get.ContentLength)/2 {
			t.Errorf("gzip makes %d of %d octets", len(body), get.ContentLength)
		}
		if wrong, _ := do(http.MethodPost, "/domain/one.example", nil); wrong.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST is answered %d", wrong.StatusCode)
		}
		if options, _ := do(http.MethodOptions, "/domain/one.example", nil); options.StatusCode != http.StatusNoContent || options.Header.Get("Access-Control-Allow-Methods") == "" {
			t.Errorf("OPTIONS is answered %d %v", options.StatusCode, options.Header)
		}
		transport.CloseIdleConnections()
	}
	plain := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := plain.Get("http://" + w.RedirectAddr().String() + "/domain/one.example?x=1")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got := response.Header.Get("Location"); response.StatusCode != http.StatusMovedPermanently || got != base+"/domain/one.example" {
		t.Errorf("plain HTTP is answered %d to %q", response.StatusCode, got)
	}
	if conn, err := tls.Dial("tcp", w.Addr().String(), &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is accepted")
	}
	if stats := w.Stats(); stats.Lookups["domain"] == 0 || stats.Redirected != 1 {
		t.Errorf("the counters are %+v", stats)
	}
}

// TestAbuse sends what no client sends, and asks for a good answer afterwards.
func TestAbuse(t *testing.T) {
	config, pool := serverTLS(t)
	w := newWorld(t, func(cfg *rdap.Config) { cfg.TLS = config })
	w.run(t)
	silent, err := net.Dial("tcp", w.Addr().String()) // half-open throughout
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	for _, garbage := range []string{"GET / HTTP/1.1\r\n", "GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: x\r\n\r\n", "\x00\x01\x02\r\n\r\n", "GET /domain/one.example HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 1<<20) + "\r\n\r\n"} {
		conn, err := tls.Dial("tcp", w.Addr().String(), &tls.Config{RootCAs: pool})
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, garbage) // may be cut off
		if len(garbage) > 100 {
			line, _ := bufio.NewReader(conn).ReadString('\n')
			if line != "" && !strings.HasPrefix(line, "HTTP/1.1 4") {
				t.Errorf("%.20q is answered %q", garbage, line)
			}
		}
		_ = conn.Close()
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}, Timeout: 20 * time.Second}
	response, err := client.Get("https://" + w.Addr().String() + "/help")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("after the abuse /help is answered %d", response.StatusCode)
	}
}

func TestRateLimit(t *testing.T) {
	w := newWorld(t, func(cfg *rdap.Config) { cfg.Limit = prefixlimit.Config{PerSecond: 1, Burst: 12} })
	if got := w.ask("/domains?name=one*", "", nil).Code; got != 200 {
		t.Errorf("a search is answered %d", got)
	}
	for i, want := range []int{200, 200, 429} {
		out := w.ask("/domain/one.example", "", nil)
		if out.Code != want {
			t.Fatalf("lookup %d is answered %d, want %d", i, out.Code, want)
		}
		if d := decode(t, out, want); want == 429 && (out.Header().Get("Retry-After") != "1" && out.Header().Get("Retry-After") != "2" || at(d, "errorCode") != float64(429)) {
			t.Errorf("429 has %v: %v", out.Header(), d)
		}
	}
	w.now = w.now.Add(2 * time.Second)
	if got := w.ask("/domain/one.example", "", nil).Code; got != 200 {
		t.Errorf("after a while a lookup is answered %d", got)
	}
	if got := w.Stats().Limited; got != 1 {
		t.Errorf("%d are counted as limited", got)
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t, nil)
	for path, want := range map[string]struct {
		status int
		texts  []string
	}{
		"/":                                {200, []string{`<label for="name">`, `action="/lookup"`, `<html lang="en">`}},
		"/lookup?name=one.example":         {200, []string{"withheld for privacy", "Registered, with nothing pending", "ns1.one.example", "abuse@example.net", "BE"}},
		"/lookup?name=B%C3%BCcher.example": {200, []string{"bücher.example", "xn--bcher-kva.example", "None: the name does not work"}},
		"/lookup?name=held.example":        {200, []string{"client hold", "Taken out of the DNS on purpose"}},
		"/lookup?name=absent.example":      {404, []string{"absent.example is not registered here."}},
		"/lookup?name=%3Cscript%3E":        {400, []string{"This is no domain name"}},
		"/lookup":                          {400, []string{"Type a domain name."}},
		"/terms":                           {200, []string{"Terms of service", "Personal data are withheld"}},
	} {
		out := w.ask(path, "", nil)
		if out.Code != want.status || !strings.HasPrefix(out.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s is answered %d %q", path, out.Code, out.Header().Get("Content-Type"))
		}
		for _, text := range want.texts {
			if !strings.Contains(out.Body.String(), text) {
				t.Errorf("%s lacks %q:\n%s", path, text, out.Body)
			}
		}
		if strings.Contains(out.Body.String(), "<script") || strings.Contains(out.Body.String(), "Secret Person") || !strings.Contains(out.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: scripts or secrets:\n%s", path, out.Body)
		}
	}
}

// TestPageInBrowser has Chromium show the page, and keeps the picture where CADASTRE_SCREENSHOT says.
func TestPageInBrowser(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: chromium is not installed (apt-get install chromium)")
	}
	config, _ := serverTLS(t)
	w := newWorld(t, func(cfg *rdap.Config) { cfg.TLS = config })
	w.run(t)
	dir := t.TempDir()
	picture := filepath.Join(dir, "page.png")
	if keep := os.Getenv("CADASTRE_SCREENSHOT"); keep != "" {
		picture = keep
	}
	// A browser that is starved of processor time gives up at times; what counts is what it shows.
	browse := func(isDone func(out string) bool, args ...string) {
		last := ""
		for attempt := range 4 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			args := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--ignore-certificate-errors",
				"--user-data-dir=" + filepath.Join(dir, fmt.Sprint("profile", attempt))}, args...)
			cmd := exec.CommandContext(ctx, path, append(args, fmt.Sprintf("https://%s/lookup?name=b%%C3%%BCcher.example", w.Addr()))...)
			cmd.Env, cmd.WaitDelay = append(os.Environ(), "HOME="+dir), 5*time.Second
			out, err := cmd.Output()
			cancel()
			if isDone(string(out)) {
				return
			}
			last = fmt.Sprintf("%v\n%s", err, out)
		}
		t.Errorf("chromium %q: %s", args, last)
	}
	browse(func(dom string) bool {
		return strings.Contains(dom, "bücher.example") && strings.Contains(dom, "xn--bcher-kva.example")
	}, "--dump-dom")
	browse(func(string) bool {
		info, err := os.Stat(picture)
		return err == nil && info.Size() > 10_000
	}, "--screenshot="+picture, "--window-size=900,1200")
}

func FuzzRequest(f *testing.F) {
	for _, seed := range []string{"/domain/one.example", "/domain/%2e%2e", "/domains?name=one*&cursor=b25l", "/entity/\xff", "/lookup?name=%00", "//", "/domain/xn--a.example", "/domains/reverse_search/entity?handle=c-one"} {
		f.Add(seed)
	}
	w := newWorld(f, nil)
	f.Fuzz(func(t *testing.T, target string) {
		r, err := http.NewRequest(http.MethodGet, "https://rdap.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := r.URL.Parse(target)
		if err != nil {
			return
		}
		r.URL, r.RequestURI, r.RemoteAddr = u, u.RequestURI(), "192.0.2.9:1"
		out := &discard{head: http.Header{}}
		w.ServeHTTP(out, r)
		if out.status < 200 || out.status >= 600 || out.status == 500 {
			t.Errorf("%q is answered %d", target, out.status)
		}
		if strings.Contains(string(out.body), "Secret Person") {
			t.Errorf("%q shows what is withheld", target)
		}
	})
}

// discard keeps an answer.
type discard struct {
	head   http.Header
	status int
	body   []byte
}

func (d *discard) Header() http.Header { return d.head }
func (d *discard) WriteHeader(s int)   { d.status = s }
func (d *discard) Write(p []byte) (int, error) {
	d.body = append(d.body, p...)
	return len(p), nil
}
