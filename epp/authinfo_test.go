package epp

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

func TestWeakAuthInfo(t *testing.T) {
	for password, weak := range map[string]bool{
		"2fooBAR":                                 true,
		"correct horse":                           true,
		strings.Repeat("aA1!", 20):                true, // four keys
		"ABCDEFGHIJKLMNOPQRSTUVWX":                true, // 24 letters: 124 bits
		"x7$Lq!9Zr@2Wk#5Tv^8":                     true, // 19 of all kinds
		"x7$Lq!9Zr@2Wk#5Tv^8n":                    false,
		"Jb3kP9sTq2WmX7vYc5RdZf":                  false, // 22 letters and digits
		"MFRGGZDFMZTWQ2LKNNWG23TPOB":              false, // 26 of base 32
		"MFRGGZDFMZTWQLKNNWGTPOBABC":              false, // the same without a digit, by chance
		"31415926535897932384626433832795028841":  true,
		"314159265358979323846264338327950288419": false,
		"": true,
	} {
		if got := isWeakAuthInfo(password); got != weak {
			t.Errorf("%q: weak %v, want %v", password, got, weak)
		}
	}
}

// TestWeakAuthInfoIsRefusedByPolicy runs under a TLD that keeps to RFC 9154.
func TestWeakAuthInfoIsRefusedByPolicy(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	for _, tld := range []string{"example", "other"} {
		policy := testPolicy(tld)
		policy.AllowWeakAuthInfo = false
		h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: tld, Roid: "T" + tld, Policy: policy}}})
	}
	const strong = "x7$Lq!9Zr@2Wk#5Tv^8n"
	c := h.login(t, registrarA, passwordA)
	domain := func(name, password string) []byte {
		return eppxml.AppendCommand(nil, &eppxml.Command{ClTRID: "D-1", Body: &eppxml.DomainCreate{Name: name, Registrant: "con-1", AuthInfo: &eppxml.AuthInfo{Password: password}}})
	}
	change := func(password string) []byte {
		return eppxml.AppendCommand(nil, &eppxml.Command{ClTRID: "D-2", Body: &eppxml.DomainUpdate{Name: "alpha.example", Chg: &eppxml.DomainChg{AuthInfo: &eppxml.AuthInfo{Password: password}}}})
	}
	info := func(password string) []byte {
		return eppxml.AppendCommand(nil, &eppxml.Command{ClTRID: "D-3", Body: &eppxml.DomainInfo{Name: "alpha.example", AuthInfo: &eppxml.AuthInfo{Password: password}}})
	}
	c.want(codeInvalidAuthInfo, contactFrame("con-1", "weak-secret"))
	c.want(codeOK, contactFrame("con-1", ""))
	c.want(codeInvalidAuthInfo, domain("alpha.example", "weak-secret"))
	c.want(codeOK, domain("alpha.example", ""))
	c.want(codeOK, info("")) // none is set
	c.want(codeInvalidAuthInfo, change("weak-secret"))
	c.want(codeOK, change(strong))
	c.want(codeInvalidAuthInfo, info("")) // one is set
	c.want(codeOK, info(strong))
	c.want(codeOK, change(""))
	c.want(codeInvalidAuthInfo, info(strong))
	c.want(codeOK, info(""))
	c.want(codeOK, domain("beta.example", strong))
}

func TestLogHoldsNoPasswordsOfTheExtension(t *testing.T) {
	var log syncBuffer
	h := newHarness(t, Limits{}, &log)
	login := func(l *eppxml.Login, sec *eppxml.LoginSec) []byte {
		l.ClID, l.Version, l.Lang, l.ObjURIs, l.ExtURIs = registrarA, "1.0", "en", objectURIs(), extensionURIs()
		e, err := eppxml.ParseElement(eppxml.AppendLoginSec(nil, sec))
		if err != nil {
			t.Fatal(err)
		}
		return eppxml.AppendCommand(nil, &eppxml.Command{Body: l, Extensions: []eppxml.Element{e}, ClTRID: "LOGIN-1"})
	}
	long := strings.Repeat("long-secret ", 9) + "end"
	agent := &eppxml.UserAgent{App: "agent-of-the-test"}
	c := h.dial(t, registrarA)
	c.want(codeAuthentication, login(&eppxml.Login{Password: eppxml.LoginSecMarker}, &eppxml.LoginSec{Password: "wrong-secret"}))
	c.want(codeOK, login(&eppxml.Login{Password: passwordA, NewPassword: eppxml.LoginSecMarker}, &eppxml.LoginSec{UserAgent: agent, NewPassword: long}))
	c = h.dial(t, registrarA)
	r := c.want(codeOK, login(&eppxml.Login{Password: eppxml.LoginSecMarker, NewPassword: "short-secret"}, &eppxml.LoginSec{Password: long}))
	if len(r.Extensions) != 1 || r.Extensions[0].Name != "loginSecData" {
		t.Errorf("extensions %v, want the warning about the certificate", r.Extensions)
	}
	c.want(codeOK, checkFrame("a.example"))
	h.login(t, registrarA, "short-secret")
	h.stop()
	if got := log.String(); strings.Contains(got, "secret") || !strings.Contains(got, "agent-of-the-test") {
		t.Errorf("the log says %s", got)
	}
}

func TestPasswordChangeFailsWithTheLogin(t *testing.T) {
	h := newHarness(t, Limits{SessionsPerRegistrar: 1}, io.Discard)
	suspended := uint32(2)
	h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: &fsmpb.RegistrarUpdate{Id: registrarA, State: &suspended}}})
	c := h.dial(t, registrarA)
	frame := eppxml.AppendLogin(nil, &eppxml.Login{ClID: registrarA, Password: passwordA, NewPassword: "another-secret", Version: "1.0", Lang: "en", ObjURIs: objectURIs()}, "L-1")
	c.want(codeAuthorization, frame)
	c.want(codeUseError, checkFrame("a.example"))
	c.want(codeOK, loginFrame(registrarA, passwordA)) // the place of the session was given back
}

func TestGreetingOffersTheTableOfExtensions(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	g, err := eppxml.ParseGreeting(h.server.greeting())
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(g.ExtURIs) != fmt.Sprint(extensionURIs()) || len(g.ExtURIs) == 0 {
		t.Errorf("the greeting offers %v, the table holds %v", g.ExtURIs, extensionURIs())
	}
	seen := map[string]bool{}
	for _, uri := range g.ExtURIs {
		if seen[uri] || !bytes.HasPrefix([]byte(uri), []byte("urn:ietf:params:xml:ns:")) {
			t.Errorf("%s is offered twice or is not registered", uri)
		}
		seen[uri] = true
	}
}
