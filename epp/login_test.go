package epp

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// offline returns a session of the server that has no connection.
func offline(s *Server, client, certRegistrar string) *session {
	return &session{server: s, log: s.log, client: netip.MustParseAddr(client), certRegistrar: certRegistrar,
		services: services{objects: objectURIs(), extensions: extensionURIs()}}
}

func TestGuessingPasswordsIsThrottled(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	attempt := func(client, cert, id, password string) int {
		t.Helper()
		frame, _ := offline(h.server, client, cert).answer(t.Context(), loginFrame(id, password))
		r, err := eppxml.ParseResponse(frame)
		if err != nil {
			t.Fatal(err)
		}
		return r.Code()
	}
	// registrar-c tries to guess the password of registrar-a.
	for range throttleFailures {
		if code := attempt("192.0.2.1", registrarC, registrarA, "wrong-secret"); code != codeAuthentication {
			t.Fatalf("got %d", code)
		}
	}
	for _, c := range []struct {
		client, cert, id, password string
		want                       int
	}{
		{"192.0.2.1", registrarC, registrarA, passwordA, codeAuthenticationClosing},
		{"192.0.2.2", registrarC, registrarC, passwordC, codeAuthenticationClosing}, // its certificate is known for guessing
		{"192.0.2.1", registrarB, registrarB, passwordB, codeAuthenticationClosing}, // so is its address
		{"192.0.2.2", registrarA, registrarA, passwordA, codeOK},                    // the victim is not locked out
		{"127.0.0.1", registrarC, registrarC, passwordC, codeOK},                    // loopback is not throttled
	} {
		if got := attempt(c.client, c.cert, c.id, c.password); got != c.want {
			t.Errorf("%s at %s as %s: got %d, want %d", c.cert, c.client, c.id, got, c.want)
		}
	}
}

func TestRegistrarsWithoutAUsablePasswordCannotLogIn(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	set := func(hash string) {
		h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: &fsmpb.RegistrarUpdate{Id: registrarA, PasswordHash: &hash}}})
	}
	c := h.dial(t, registrarA)
	set("")
	c.want(codeAuthentication, loginFrame(registrarA, passwordA))
	set("not a hash")
	c.want(codeCommandFailed, loginFrame(registrarA, passwordA))
	set(cheapHash("another-secret"))
	c.want(codeAuthentication, loginFrame(registrarA, passwordA))
	c.want(codeOK, loginFrame(registrarA, "another-secret"))
}

func TestConfigIsChecked(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	for name, spoil := range map[string]func(*Config){
		"client certificates": func(c *Config) { c.TLS = &tls.Config{MinVersion: tls.VersionTLS12} },
		"TLS 1.2": func(c *Config) {
			c.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS11}
		},
		"must be set":    func(c *Config) { c.Identify = nil },
		"server id":      func(c *Config) { c.ServerID = "ab" },
		"NodeID":         func(c *Config) { c.NodeID = "" },
		"limit is":       func(c *Config) { c.Limits.Connections = -1 },
		"time limit is ": func(c *Config) { c.Limits.IdleTimeout = -time.Second },
	} {
		cfg := h.server.cfg
		spoil(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error about %q, got %v", name, err)
		}
	}
}

// FuzzAnswer sends frames to a logged-in session: whatever they hold, the answer is a
// response that a client can read.
func FuzzAnswer(f *testing.F) {
	for _, seed := range [][]byte{
		checkFrame("a.example", "b..c"), hostFrame("ns1.elsewhere.test"), contactFrame("con-1", "p-w"), eppxml.AppendHello(nil),
		eppxml.AppendLogout(nil, "X"), loginFrame(registrarA, passwordA), []byte("<epp"), []byte(commandFrame(`<poll op="req"/>`, 1)),
		[]byte(commandFrame(`<update><domain:update><domain:name>a.example</domain:name><domain:chg/></domain:update></update>`, 2)),
		[]byte(commandFrame(`<create><domain:create><domain:name>a.example</domain:name><domain:registrant>con-1</domain:registrant><domain:authInfo><domain:pw/></domain:authInfo></domain:create></create>`+
			`<extension><secDNS:create><secDNS:dsData><secDNS:keyTag>1</secDNS:keyTag><secDNS:alg>13</secDNS:alg><secDNS:digestType>2</secDNS:digestType><secDNS:digest>AB</secDNS:digest></secDNS:dsData></secDNS:create></extension>`, 3)),
		[]byte(commandFrame(`<update><domain:update><domain:name>a.example</domain:name><domain:chg/></domain:update></update><extension><rgp:update><rgp:restore op="request"/></rgp:update></extension>`, 4)),
	} {
		f.Add(seed)
	}
	h := newHarness(f, Limits{}, io.Discard)
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) == 0 || len(frame) > eppxml.MaxFrame {
			t.Skip("no frame")
		}
		s := offline(h.server, "127.0.0.1", registrarA)
		s.registrar = registrarA
		answer, _ := s.answer(t.Context(), frame)
		if bytes.Contains(answer, []byte("<greeting>")) {
			if _, err := eppxml.ParseGreeting(answer); err != nil {
				t.Fatal(err)
			}
			return
		}
		if _, err := eppxml.ParseResponse(answer); err != nil {
			t.Fatalf("%q: %v: %s", frame, err, answer)
		}
	})
}
