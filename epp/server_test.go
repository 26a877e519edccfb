package epp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"testing"
	"time"

	"cadastre/epp/eppxml"
)

// testCA issues the certificates of a test; the registrar's id is the common name.
type testCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newTestCA(t testing.TB) *testCA {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test ca"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &testCA{cert: cert, key: key}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (ca *testCA) issue(t testing.TB, name string, usage x509.ExtKeyUsage) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{usage}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (ca *testCA) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// identify reads the registrar from a certificate of testCA.
func identify(state tls.ConnectionState) (string, []byte, error) {
	leaf := state.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	return leaf.Subject.CommonName, sum[:], nil
}

// harness is a running server over a real registry.
type harness struct {
	registry *localRegistry
	server   *Server
	ca       *testCA
	certs    map[string]tls.Certificate
	// stop ends the server and waits for it.
	stop func()
}

func newHarness(t testing.TB, limits Limits, log io.Writer) *harness {
	t.Helper()
	h := &harness{registry: newLocalRegistry(t), ca: newTestCA(t), certs: map[string]tls.Certificate{}}
	serverCert := h.ca.issue(t, "server", x509.ExtKeyUsageServerAuth)
	for _, id := range []string{registrarA, registrarB, registrarC} {
		h.certs[id] = h.ca.issue(t, id, x509.ExtKeyUsageClientAuth)
	}
	var err error
	h.server, err = New(Config{
		Addr: "127.0.0.1:0",
		TLS: &tls.Config{
			Certificates: []tls.Certificate{serverCert}, ClientAuth: tls.RequireAndVerifyClientCert,
			ClientCAs: h.ca.pool(), MinVersion: tls.VersionTLS12,
		},
		Identify: identify, ServerID: "test registry", NodeID: "n1", BootEpoch: 1, Proposer: h.registry, Reader: h.registry,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: h.registry.clock, Limits: limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.server.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.server.Run(ctx) }()
	stopped := false
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(testPatience):
			t.Error("the server did not stop")
		}
	}
	t.Cleanup(h.stop)
	return h
}

// testPatience bounds every wait of the tests.
const testPatience = 20 * time.Second

// client is the other end of a session.
type client struct {
	t    *testing.T
	conn *tls.Conn
}

// dial connects as the registrar and reads the greeting.
func (h *harness) dial(t *testing.T, registrar string) *client {
	t.Helper()
	c, err := h.tryDial(t, h.certs[registrar])
	if err != nil {
		t.Fatal(err)
	}
	greeting := c.read()
	if _, err := eppxml.ParseGreeting(greeting); err != nil {
		t.Fatalf("greeting: %v", err)
	}
	return c
}

func (h *harness) tryDial(t *testing.T, certs ...tls.Certificate) (*client, error) {
	t.Helper()
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: testPatience}, Config: &tls.Config{Certificates: certs, RootCAs: h.ca.pool()}}
	conn, err := dialer.DialContext(t.Context(), "tcp", h.server.Addr().String())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testPatience)); err != nil {
		return nil, err
	}
	return &client{t: t, conn: conn.(*tls.Conn)}, nil
}

func (c *client) read() []byte {
	c.t.Helper()
	frame, err := eppxml.ReadFrame(c.conn, eppxml.MaxResponseFrame)
	if err != nil {
		c.t.Fatalf("read a frame: %v", err)
	}
	return frame
}

func (c *client) send(frame []byte) {
	c.t.Helper()
	if err := eppxml.WriteFrame(c.conn, frame); err != nil {
		c.t.Fatalf("send a frame: %v", err)
	}
}

// exchange sends a frame and returns the parsed response.
func (c *client) exchange(frame []byte) *eppxml.ParsedResponse {
	c.t.Helper()
	c.send(frame)
	return c.readResponse()
}

func (c *client) readResponse() *eppxml.ParsedResponse {
	c.t.Helper()
	frame := c.read()
	response, err := eppxml.ParseResponse(frame)
	if err != nil {
		c.t.Fatalf("response %s: %v", frame, err)
	}
	return response
}

// want sends a frame and expects a code.
func (c *client) want(code int, frame []byte) *eppxml.ParsedResponse {
	c.t.Helper()
	response := c.exchange(frame)
	if response.Code() != code {
		c.t.Fatalf("got %d %q %q, want %d for %s", response.Code(), response.Results[0].Msg, response.Results[0].Reasons, code, frame)
	}
	return response
}

// wantClosed expects that the server closes the connection without another frame.
func (c *client) wantClosed() {
	c.t.Helper()
	if frame, err := eppxml.ReadFrame(c.conn, eppxml.MaxResponseFrame); err == nil {
		c.t.Fatalf("the connection is open and says %s", frame)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("the connection is still open")
	}
}

func loginFrame(id, password string) []byte {
	return eppxml.AppendLogin(nil, &eppxml.Login{ClID: id, Password: password, Version: "1.0", Lang: "en", ObjURIs: objectURIs()}, "LOGIN-1")
}

func checkFrame(names ...string) []byte {
	return eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainCheck{Names: names}, ClTRID: "CHECK-1"})
}

// login connects and logs in.
func (h *harness) login(t *testing.T, id, password string) *client {
	t.Helper()
	c := h.dial(t, id)
	c.want(codeOK, loginFrame(id, password))
	return c
}
