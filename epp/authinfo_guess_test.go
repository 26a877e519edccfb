package epp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

const rightPassword = "x7$Lq!9Zr@2Wk#5Tv^8n"

func infoFrame(name, password string) []byte {
	body := &eppxml.DomainInfo{Name: name}
	if password != "" {
		body.AuthInfo = &eppxml.AuthInfo{Password: password}
	}
	return eppxml.AppendCommand(nil, &eppxml.Command{Body: body, ClTRID: "INFO-1"})
}

// withDomains returns sessions of registrars a and b; a has the domains, with rightPassword.
func withDomains(t *testing.T, h *harness, names ...string) (a, b *client) {
	t.Helper()
	a, b = h.login(t, registrarA, passwordA), h.login(t, registrarB, passwordB)
	a.want(codeOK, contactFrame("con-1", rightPassword))
	for _, name := range names {
		a.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainCreate{
			Name: name, Registrant: "con-1", AuthInfo: &eppxml.AuthInfo{Password: rightPassword},
		}}))
	}
	return a, b
}

func TestAuthInfoExpires(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	a, b := withDomains(t, h, "alpha.example", "beta.example")
	contactInfo := eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.ContactInfo{ID: "con-1", AuthInfo: &eppxml.AuthInfo{Password: rightPassword}}})
	sponsorAsks := eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainInfo{Name: "alpha.example", AuthInfo: &eppxml.AuthInfo{}}})
	h.registry.advance(t, policy.DefaultAuthInfoDays*24*time.Hour-time.Second)
	b.want(codeOK, infoFrame("alpha.example", rightPassword))
	b.want(codeOK, contactInfo)
	a.want(codeInvalidAuthInfo, sponsorAsks) // one is set
	h.registry.advance(t, time.Second)
	b.want(codeInvalidAuthInfo, infoFrame("alpha.example", rightPassword))
	b.want(codeInvalidAuthInfo, contactInfo)
	b.want(codeInvalidAuthInfo, transferFrame(eppxml.TransferRequest, rightPassword, ""))
	a.want(codeOK, sponsorAsks) // none is set any more
	a.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainUpdate{
		Name: "alpha.example", Chg: &eppxml.DomainChg{AuthInfo: &eppxml.AuthInfo{Password: rightPassword}},
	}}))
	b.want(codeOKPending, transferFrame(eppxml.TransferRequest, rightPassword, ""))
}

func TestAuthInfoLifetimeIsOfTheTLD(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	p := testPolicy("example")
	p.AuthInfoDays = 2
	h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: "example", Roid: "T", Policy: p}}})
	_, b := withDomains(t, h, "alpha.example")
	h.registry.advance(t, 47*time.Hour)
	b.want(codeOK, infoFrame("alpha.example", rightPassword))
	h.registry.advance(t, time.Hour)
	b.want(codeInvalidAuthInfo, infoFrame("alpha.example", rightPassword))
}

func reasonsOf(r *eppxml.ParsedResponse) string { return strings.Join(r.Results[0].Reasons, " ") }

func TestGuessesAreThrottled(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	a, b := withDomains(t, h, "alpha.example", "beta.example")
	for i := range policy.MaxAuthFailures {
		frame := infoFrame("alpha.example", fmt.Sprint("guess-", i))
		if i%2 == 1 {
			frame = transferFrame(eppxml.TransferRequest, fmt.Sprint("guess-", i), "")
		}
		if r := b.want(codeInvalidAuthInfo, frame); strings.Contains(reasonsOf(r), "too many") {
			t.Fatalf("closed after %d attempts", i)
		}
	}
	// The right one does not help now: guessing cannot be told from knowing.
	for _, frame := range [][]byte{infoFrame("alpha.example", rightPassword), transferFrame(eppxml.TransferRequest, rightPassword, "")} {
		if r := b.want(codeInvalidAuthInfo, frame); !strings.Contains(reasonsOf(r), "too many wrong attempts") {
			t.Errorf("the reason is %q", reasonsOf(r))
		}
	}
	b.want(codeOK, infoFrame("alpha.example", ""))            // what everybody may see stays open
	b.want(codeOK, infoFrame("beta.example", rightPassword))  // so do other objects
	a.want(codeOK, infoFrame("alpha.example", rightPassword)) // and the sponsor
	h.login(t, registrarC, passwordC).want(codeOK, infoFrame("alpha.example", rightPassword))
	index := h.registry.index
	for range 5 {
		b.want(codeInvalidAuthInfo, infoFrame("alpha.example", "guess"))
	}
	if h.registry.index != index {
		t.Error("attempts at a closed object fill the log")
	}
	h.registry.advance(t, policy.AuthFailureWindow)
	b.want(codeOKPending, transferFrame(eppxml.TransferRequest, rightPassword, ""))
}

func TestGuessesAtAContactCountAcrossItsDomains(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	a, b := withDomains(t, h, "alpha.example", "beta.example")
	r := a.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.ContactInfo{ID: "con-1"}}))
	roid := contactROID(t, r)
	info := func(name, password string) []byte {
		return eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainInfo{Name: name, AuthInfo: &eppxml.AuthInfo{Password: password, ROID: roid}}})
	}
	b.want(codeOK, info("alpha.example", rightPassword))
	for i := range policy.MaxAuthFailures {
		b.want(codeInvalidAuthInfo, info([]string{"alpha.example", "beta.example"}[i%2], "guess"))
	}
	b.want(codeInvalidAuthInfo, info("alpha.example", rightPassword))
	b.want(codeInvalidAuthInfo, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.ContactInfo{ID: "con-1", AuthInfo: &eppxml.AuthInfo{Password: rightPassword}}}))
	b.want(codeOK, infoFrame("alpha.example", rightPassword)) // the domain's own is another one
}

func contactROID(t *testing.T, r *eppxml.ParsedResponse) string {
	t.Helper()
	for _, e := range r.ResData {
		for _, child := range e.Children {
			if child.Name == "roid" {
				return child.Text
			}
		}
	}
	t.Fatal("the answer has no roid")
	return ""
}

// TestAGuessThatCannotBeCountedLearnsNothing: without the log there is no answer to it.
func TestAGuessThatCannotBeCountedLearnsNothing(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	_, b := withDomains(t, h, "alpha.example")
	calls := 0
	h.registry.setHook(func(context.Context) error {
		if calls++; calls > 1 { // the read goes through, the count does not
			return &registry.Error{Code: registry.CodeUnavailable, Reason: "no leader", Err: errors.New("test")}
		}
		return nil
	})
	b.want(codeFailedClosing, infoFrame("alpha.example", "guess"))
}
