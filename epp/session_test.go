package epp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

func hostFrame(name string) []byte {
	return eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.HostCreate{Name: name}, ClTRID: "HOST-1"})
}

func contactFrame(id, password string) []byte {
	return eppxml.AppendCommand(nil, &eppxml.Command{ClTRID: "CON-1", Body: &eppxml.ContactCreate{
		ID: id, Email: "ada@mail.example", AuthInfo: &eppxml.AuthInfo{Password: password},
		PostalInfos: []eppxml.PostalInfo{{Type: "int", Name: "Ada", Addr: eppxml.PostalAddr{City: "Berlin", CC: "DE"}}},
	}})
}

func TestThirdFailedLoginEndsTheSession(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.dial(t, registrarA)
	c.want(codeAuthentication, loginFrame(registrarA, "wrong-secret"))
	c.want(codeAuthentication, loginFrame("nobody", passwordA))
	c.want(codeAuthenticationClosing, loginFrame(registrarA, "wrong-secret"))
	c.wantClosed()
	h.login(t, registrarA, passwordA) // on loopback nothing is throttled
}

func TestLoginNeedsTheRegistrarsOwnCertificate(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.dial(t, registrarB)
	c.want(codeAuthentication, loginFrame(registrarA, passwordA))
	c.want(codeOK, loginFrame(registrarB, passwordB))
}

func TestLoginNeedsAPinnedCertificate(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	pin := func(add, remove [][]byte) {
		h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: &fsmpb.RegistrarUpdate{
			Id: registrarA, AddCertificateSha256: add, RemoveCertificateSha256: remove,
		}}})
	}
	another := sha256.Sum256([]byte("another certificate"))
	pin([][]byte{another[:]}, nil)
	h.dial(t, registrarA).want(codeAuthentication, loginFrame(registrarA, passwordA))
	own := sha256.Sum256(h.certs[registrarA].Certificate[0])
	pin([][]byte{own[:]}, [][]byte{another[:]})
	h.login(t, registrarA, passwordA)
}

func TestSuspendedRegistrarMayOnlyRead(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	suspended := uint32(registry.RegistrarSuspended)
	h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: &fsmpb.RegistrarUpdate{Id: registrarA, State: &suspended}}})
	c := h.login(t, registrarA, passwordA)
	c.want(codeOK, checkFrame("a.example"))
	c.want(codeAuthorization, hostFrame("ns1.elsewhere.test"))
}

func TestFramesSentTogetherAreAnsweredInOrder(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.login(t, registrarA, passwordA)
	const count = 50
	var stream bytes.Buffer
	for i := range count {
		frame := eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.HostCreate{Name: fmt.Sprintf("ns%d.elsewhere.test", i)}, ClTRID: fmt.Sprintf("N-%d", i)})
		if err := eppxml.WriteFrame(&stream, frame); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.conn.Write(stream.Bytes()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range count {
		r := c.readResponse()
		if r.Code() != codeOK || r.ClTRID != fmt.Sprintf("N-%d", i) || seen[r.SvTRID] {
			t.Fatalf("answer %d: code %d, clTRID %q, svTRID %q", i, r.Code(), r.ClTRID, r.SvTRID)
		}
		seen[r.SvTRID] = true
	}
}

func TestNoLeaderEndsTheSession(t *testing.T) {
	for name, fault := range map[string]struct {
		err    error
		reason string
	}{
		"no leader":       {&registry.Error{Code: registry.CodeUnavailable, Reason: "no leader could be reached; nothing was done"}, "no leader"},
		"unknown outcome": {&registry.Error{Code: registry.CodeOutcomeUnknown, Reason: "lost"}, "may or may not"},
		"bare code":       {fmt.Errorf("not leader: %w", registry.CodeUnavailable), "cannot finish"},
		"time is up":      {context.DeadlineExceeded, "cannot finish"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, Limits{}, io.Discard)
			reads, writes := h.login(t, registrarA, passwordA), h.login(t, registrarB, passwordB)
			h.registry.setHook(func(context.Context) error { return fault.err })
			for _, r := range []*eppxml.ParsedResponse{
				reads.want(codeFailedClosing, checkFrame("a.example")),
				writes.want(codeFailedClosing, hostFrame("ns1.elsewhere.test")),
			} {
				if reasons := strings.Join(r.Results[0].Reasons, " "); !strings.Contains(reasons, fault.reason) {
					t.Errorf("the reason is %q, want something of %q", reasons, fault.reason)
				}
			}
			reads.wantClosed()
			writes.wantClosed()
		})
	}
}

func TestAnOverloadedClusterKeepsTheSession(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.login(t, registrarB, passwordB)
	h.registry.setHook(func(context.Context) error {
		return &registry.Error{Code: registry.CodeOverloaded, Reason: "the leader's disk is almost full; nothing was done, try again later"}
	})
	r := c.want(codeCommandFailed, hostFrame("ns1.elsewhere.test"))
	if reasons := strings.Join(r.Results[0].Reasons, " "); !strings.Contains(reasons, "nothing was done, send the command again later") || strings.Contains(reasons, "disk") {
		t.Errorf("the reason is %q", reasons)
	}
	h.registry.setHook(nil)
	c.want(codeOK, hostFrame("ns1.elsewhere.test"))
}

func TestFaultIsToldToTheLogOnly(t *testing.T) {
	var log syncBuffer
	h := newHarness(t, Limits{}, &log)
	c := h.login(t, registrarA, passwordA)
	h.registry.setHook(func(context.Context) error { return &store.Fault{Op: "read", Err: errors.New("bad block 17")} })
	c.send(checkFrame("a.example"))
	answer := c.read()
	if !bytes.Contains(answer, []byte(`code="2400"`)) || bytes.Contains(answer, []byte("block")) {
		t.Errorf("the answer is %s", answer)
	}
	h.registry.setHook(nil)
	c.want(codeOK, checkFrame("a.example"))
	h.stop()
	if !strings.Contains(log.String(), "bad block 17") {
		t.Error("the log does not tell the fault")
	}
}

func TestLogHoldsNoSecrets(t *testing.T) {
	var log syncBuffer
	h := newHarness(t, Limits{}, &log)
	c := h.login(t, registrarA, passwordA)
	c.want(codeOK, contactFrame("con-1", "contact-secret"))
	c.want(codeSyntaxError, bytes.Replace(contactFrame("con-2", "contact-secret"), []byte("DE"), []byte("DEU"), 1))
	c.want(codeInvalidAuthInfo, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.ContactInfo{ID: "con-1", AuthInfo: &eppxml.AuthInfo{Password: "guessed-secret"}}}))
	h.dial(t, registrarA).want(codeAuthentication, loginFrame(registrarA, "wrong-secret"))
	h.stop()
	if text := log.String(); strings.Contains(text, "secret") {
		t.Errorf("the log holds a secret:\n%s", text)
	}
	for _, want := range []string{"cltrid=CON-1", "svtrid=1-", "registrar=registrar-a", "verb=create", "code=1000", "duration_ms=", "object=con-1"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not hold %q", want)
		}
	}
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestContactsPasswordOpensTheDomain(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	a, b := h.login(t, registrarA, passwordA), h.login(t, registrarB, passwordB)
	a.want(codeOK, contactFrame("con-1", "contact-pw-1"))
	a.want(codeOK, contactFrame("con-2", "contact-pw-2"))
	a.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainCreate{
		Name: "alpha.example", Registrant: "con-1", AuthInfo: &eppxml.AuthInfo{Password: "domain-pw"},
	}}))
	roidOf := func(contact string) string {
		r := a.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.ContactInfo{ID: contact}}))
		return r.Data(eppxml.NSContact, "infData").Child("roid").Text
	}
	ask := func(password, roid string) []byte {
		return eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainInfo{
			Name: "alpha.example", Hosts: eppxml.HostsAll, AuthInfo: &eppxml.AuthInfo{Password: password, ROID: roid},
		}})
	}
	r := b.want(codeOK, ask("contact-pw-1", roidOf("con-1")))
	if r.Data(eppxml.NSDomain, "infData").Child("registrant") == nil {
		t.Error("the registrant's password does not open the domain")
	}
	b.want(codeInvalidAuthInfo, ask("contact-pw-2", roidOf("con-1")))
	b.want(codeInvalidAuthInfo, ask("contact-pw-2", roidOf("con-2"))) // no contact of the domain
	b.want(codeInvalidAuthInfo, ask("domain-pw", roidOf("con-1")))
}

func TestTransformsTellTheirPlaceInTheLog(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.login(t, registrarA, passwordA)
	r := c.want(codeOK, hostFrame("ns1.elsewhere.test"))
	h.registry.mu.Lock()
	want := fmt.Sprintf("1-%d-0", h.registry.index)
	h.registry.mu.Unlock()
	if r.SvTRID != want || r.ClTRID != "HOST-1" {
		t.Errorf("svTRID %q, clTRID %q; want %q, HOST-1", r.SvTRID, r.ClTRID, want)
	}
	first, second := c.want(codeOK, checkFrame("a.example")), c.want(codeOK, checkFrame("a.example"))
	if first.SvTRID == second.SvTRID || !strings.HasPrefix(first.SvTRID, "n1.1.") {
		t.Errorf("svTRIDs %q and %q", first.SvTRID, second.SvTRID)
	}
}

func TestStoppingLetsARunningCommandFinish(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	busy, idle := h.login(t, registrarA, passwordA), h.login(t, registrarB, passwordB)
	running, release := make(chan struct{}), make(chan struct{})
	h.registry.setHook(func(context.Context) error {
		close(running)
		<-release
		return nil
	})
	busy.send(hostFrame("ns1.elsewhere.test"))
	<-running
	stopped := make(chan struct{})
	go func() { h.stop(); close(stopped) }()
	if code := idle.readResponse().Code(); code != codeFailedClosing {
		t.Errorf("the idle session ends with %d", code)
	}
	idle.wantClosed()
	close(release)
	if code := busy.readResponse().Code(); code != codeOK {
		t.Errorf("the running command ends with %d", code)
	}
	if code := busy.readResponse().Code(); code != codeFailedClosing {
		t.Errorf("its session ends with %d", code)
	}
	busy.wantClosed()
	<-stopped
}

func TestStoppingCutsOffACommandThatDoesNotFinish(t *testing.T) {
	h := newHarness(t, Limits{DrainTimeout: 20 * time.Millisecond}, io.Discard)
	c := h.login(t, registrarA, passwordA)
	running := make(chan struct{})
	h.registry.setHook(func(ctx context.Context) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	c.send(hostFrame("ns1.elsewhere.test"))
	<-running
	h.stop()
}

func TestManySessionsAtOnce(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	const sessions, commands = 20, 20
	clients := make([]*client, sessions)
	for i := range clients {
		clients[i] = h.login(t, registrarA, passwordA)
	}
	var done sync.WaitGroup
	for i, c := range clients {
		done.Go(func() {
			for j := range commands {
				name := fmt.Sprintf("ns%d-%d.elsewhere.test", i, j)
				for _, frame := range [][]byte{hostFrame(name), eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.HostInfo{Name: name}})} {
					if err := eppxml.WriteFrame(c.conn, frame); err != nil {
						t.Error(err)
						return
					}
					answer, err := eppxml.ReadFrame(c.conn, eppxml.MaxResponseFrame)
					if err != nil || !bytes.Contains(answer, []byte(`code="1000"`)) || !bytes.Contains(answer, []byte(name)) {
						t.Errorf("%s: %v: %s", name, err, answer)
						return
					}
				}
			}
		})
	}
	done.Wait()
}

func TestSessionsAreLimited(t *testing.T) {
	h := newHarness(t, Limits{SessionsPerRegistrar: 1, CommandsPerSession: 3}, io.Discard)
	first := h.login(t, registrarA, passwordA)
	second := h.dial(t, registrarA)
	second.want(codeSessionLimitClosing, loginFrame(registrarA, passwordA))
	second.wantClosed()
	first.want(codeOK, checkFrame("a.example"))
	first.want(codeOK, checkFrame("a.example"))
	first.want(codeSessionLimitClosing, checkFrame("a.example"))
	first.wantClosed()
	eventually(t, "the slot is free again", func() bool {
		h.server.slots.mu.Lock()
		defer h.server.slots.mu.Unlock()
		return len(h.server.slots.byRegistrar) == 0
	})
	h.login(t, registrarA, passwordA)
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(testPatience)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("in vain waited until %s", what)
		}
	}
}
