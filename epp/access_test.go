package epp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// changeRegistrar is what an operator does to registrar a.
func (h *harness) changeRegistrar(t *testing.T, update *fsmpb.RegistrarUpdate) {
	t.Helper()
	update.Id = registrarA
	h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: update}})
}

func fingerprintOf(cert tls.Certificate) []byte {
	sum := sha256.Sum256(cert.Certificate[0])
	return sum[:]
}

// loginWith connects with a certificate and returns the client and how its login ended.
func (h *harness) loginWith(t *testing.T, cert tls.Certificate) (*client, int) {
	t.Helper()
	c, err := h.tryDial(t, cert)
	if err != nil {
		t.Fatal(err)
	}
	c.read() // the greeting
	return c, c.exchange(loginFrame(registrarA, passwordA)).Code()
}

func TestCertificatesRotate(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	first, second := h.certs[registrarA], h.ca.issue(t, registrarA, x509.ExtKeyUsageClientAuth)
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{AddCertificateSha256: [][]byte{fingerprintOf(first)}})
	if _, code := h.loginWith(t, second); code != codeAuthentication {
		t.Errorf("a certificate that is not pinned: %d", code)
	}
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{AddCertificateSha256: [][]byte{fingerprintOf(second)}})
	old, code := h.loginWith(t, first)
	if code != codeOK {
		t.Errorf("the old certificate beside the new one: %d", code)
	}
	current, code := h.loginWith(t, second)
	if code != codeOK {
		t.Errorf("the new certificate beside the old one: %d", code)
	}
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{RemoveCertificateSha256: [][]byte{fingerprintOf(first)}})
	r := old.want(codeAuthenticationClosing, checkFrame("a.example"))
	if reason := strings.Join(r.Results[0].Reasons, " "); !strings.Contains(reason, "certificate") {
		t.Errorf("the session of the old certificate ends because %q", reason)
	}
	old.wantClosed()
	current.want(codeOK, checkFrame("a.example"))
	if _, code := h.loginWith(t, first); code != codeAuthentication {
		t.Errorf("the old certificate alone: %d", code)
	}
}

func TestSourcesOfLogins(t *testing.T) {
	var log syncBuffer
	h := newHarness(t, Limits{}, &log)
	open := h.login(t, registrarA, passwordA)
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{AddSources: []string{"192.0.2.0/24", "2001:db8:1::/48", "198.51.100.7"}})
	open.want(codeAuthenticationClosing, checkFrame("a.example")) // 127.0.0.1 is none of them
	open.wantClosed()
	for source, want := range map[string]int{
		"192.0.2.200": codeOK, "198.51.100.7": codeOK, "2001:db8:1:2::3": codeOK,
		"192.0.3.1": codeAuthentication, "198.51.100.8": codeAuthentication, "2001:db8:2::1": codeAuthentication, "127.0.0.1": codeAuthentication,
	} {
		s := offline(h.server, source, registrarA)
		s.source = netip.MustParseAddr(source)
		frame, _ := s.answer(t.Context(), loginFrame(registrarA, passwordA))
		r, err := eppxml.ParseResponse(frame)
		if err != nil || r.Code() != want {
			t.Errorf("from %s: %d, %v, want %d", source, r.Code(), err, want)
		}
		if want != codeOK && (bytes.Contains(frame, []byte("address")) || r.Results[0].Msg != message(codeAuthentication)) {
			t.Errorf("from %s the client learns more than from a wrong password: %s", source, frame)
		}
	}
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{AddSources: []string{"127.0.0.0/8"}, RemoveSources: []string{"192.0.2.0/24"}})
	h.login(t, registrarA, passwordA).want(codeOK, checkFrame("a.example"))
	h.stop()
	if !strings.Contains(log.String(), "the address of the client is not one of the registrar's") {
		t.Error("the log does not say why logins failed")
	}
}

// TestAWrongSourceTakesAsLongAsAWrongPassword counts the password checks rather than seconds.
func TestAWrongSourceTakesAsLongAsAWrongPassword(t *testing.T) {
	h := newHarness(t, Limits{PasswordChecks: 1}, io.Discard)
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{AddSources: []string{"192.0.2.0/24"}})
	h.server.passwordChecks <- struct{}{} // as if one were running
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	s := offline(h.server, "127.0.0.1", registrarA)
	if _, err := s.authenticate(ctx, &call{server: h.server}, registrarA, passwordA); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a login from elsewhere is refused without a password check: %v", err)
	}
}

func TestDisabledRegistrars(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.login(t, registrarA, passwordA)
	active := uint32(registry.RegistrarActive)
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{Disable: true})
	c.want(codeAuthenticationClosing, hostFrame("ns1.elsewhere.test"))
	c.wantClosed()
	if _, code := h.loginWith(t, h.certs[registrarA]); code != codeAuthentication {
		t.Errorf("a disabled registrar logs in: %d", code)
	}
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{State: &active})
	h.login(t, registrarA, passwordA).want(codeOK, hostFrame("ns1.elsewhere.test"))
}

// TestSuspendedRegistrars: they may read and empty their queue, in sessions old and new.
func TestSuspendedRegistrars(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	a, b := h.login(t, registrarA, passwordA), h.login(t, registrarB, passwordB)
	a.want(codeOK, contactFrame("con-1", "contact-pw-1"))
	a.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainCreate{
		Name: "alpha.example", Registrant: "con-1", AuthInfo: &eppxml.AuthInfo{Password: "domain-pw-1"},
	}}))
	b.want(codeOKPending, transferFrame(eppxml.TransferRequest, "domain-pw-1", ""))
	suspended := uint32(registry.RegistrarSuspended)
	h.changeRegistrar(t, &fsmpb.RegistrarUpdate{State: &suspended})
	for _, c := range []*client{a, h.login(t, registrarA, passwordA)} {
		c.want(codeOK, checkFrame("a.example"))
		c.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainInfo{Name: "alpha.example"}}))
		c.want(codeAuthorization, hostFrame("ns1.elsewhere.test"))
		c.want(codeAuthorization, transferFrame(eppxml.TransferReject, "", ""))
		c.want(codeOKMessage, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.Poll{Op: eppxml.PollRequest}}))
	}
	a.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.Poll{Op: eppxml.PollAck, MsgID: "1"}}))
	a.want(codeOKNoMessages, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.Poll{Op: eppxml.PollRequest}}))
}
