package epp

import (
	"io"
	"strings"
	"testing"

	"cadastre/epp/eppxml"
)

// TestObjectServicesOfOrganisations logs in without the mappings of organisations and key
// relay: their commands are refused, and their messages come without data, or as unhandled.
func TestObjectServicesOfOrganisations(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	frame := func(body eppxml.Body) []byte {
		return eppxml.AppendCommand(nil, &eppxml.Command{Body: body, ClTRID: "K-1"})
	}
	login := func(id, password string, extensions ...string) *client {
		c := h.dial(t, id)
		c.want(codeOK, eppxml.AppendLogin(nil, &eppxml.Login{ClID: id, Password: password, Version: "1.0", Lang: "en",
			ObjURIs: []string{eppxml.NSDomain, eppxml.NSContact}, ExtURIs: extensions}, "L-1"))
		return c
	}
	a := login(registrarA, passwordA)
	a.want(codeOK, contactFrame("con-1", ""))
	a.want(codeOK, frame(&eppxml.DomainCreate{Name: "alpha.example", Registrant: "con-1", AuthInfo: &eppxml.AuthInfo{Password: "domain-pw-1"}}))
	relay := &eppxml.KeyrelayCreate{Name: "alpha.example", AuthInfo: &eppxml.AuthInfo{Password: "domain-pw-1"},
		Data: []eppxml.KeyRelayData{{Key: eppxml.KeyData{Flags: 257, Protocol: 3, Alg: 13, PublicKey: []byte("key")}}}}
	for _, body := range []eppxml.Body{
		&eppxml.OrgCheck{IDs: []string{"res-1"}}, &eppxml.OrgInfo{ID: "res-1"}, &eppxml.OrgDelete{ID: "res-1"}, &eppxml.OrgUpdate{ID: "res-1"},
		&eppxml.OrgCreate{ID: "res-1", Roles: []eppxml.OrgRole{{Type: "reseller"}}}, relay,
	} {
		a.want(codeUnimplementedObject, frame(body))
	}
	b := h.dial(t, registrarB)
	b.want(codeOK, loginFrame(registrarB, passwordB))
	b.want(codeOK, frame(relay))
	poll := frame(&eppxml.Poll{Op: eppxml.PollRequest})
	if r := a.want(codeOKMessage, poll); len(r.ResData) != 0 || len(r.Results[0].Values) != 0 || r.MsgQ == nil || !strings.Contains(r.MsgQ.Msg, "relays keys") {
		t.Errorf("a message of a mapping that the login did not name: %+v", r)
	}
	unhandled := login(registrarA, passwordA, eppxml.NSUnhandledNamespaces)
	r := unhandled.want(codeOKMessage, poll)
	if len(r.ResData) != 0 || len(r.Results[0].Values) != 1 || r.Results[0].Values[0].NS != eppxml.NSKeyRelay {
		t.Errorf("the message as unhandled: %+v", r)
	}
}

// TestRelayedKeysDoNotShowAuthInfo looks for the authorisation information in all that the
// receiver and the log of the server get.
func TestRelayedKeysDoNotShowAuthInfo(t *testing.T) {
	const secret = "a-very-secret-Auth1nf0"
	var log strings.Builder
	h := newHarness(t, Limits{}, &log)
	frame := func(body eppxml.Body) []byte {
		return eppxml.AppendCommand(nil, &eppxml.Command{Body: body, ClTRID: "K-1"})
	}
	a, b := h.dial(t, registrarA), h.dial(t, registrarB)
	a.want(codeOK, loginFrame(registrarA, passwordA))
	b.want(codeOK, loginFrame(registrarB, passwordB))
	a.want(codeOK, contactFrame("con-1", ""))
	a.want(codeOK, frame(&eppxml.DomainCreate{Name: "alpha.example", Registrant: "con-1", AuthInfo: &eppxml.AuthInfo{Password: secret}}))
	relay := &eppxml.KeyrelayCreate{Name: "alpha.example", AuthInfo: &eppxml.AuthInfo{Password: secret},
		Data: []eppxml.KeyRelayData{{Key: eppxml.KeyData{Flags: 257, Protocol: 3, Alg: 13, PublicKey: []byte("key")}}}}
	b.want(codeOK, frame(relay))
	relay.AuthInfo = &eppxml.AuthInfo{Password: secret + "x"}
	b.send(frame(relay))
	if answer := string(b.read()); strings.Contains(answer, secret) || !strings.Contains(answer, `code="2202"`) {
		t.Errorf("the refusal shows the information, or is none: %s", answer)
	}
	a.send(frame(&eppxml.Poll{Op: eppxml.PollRequest}))
	if answer := string(a.read()); strings.Contains(answer, secret) || !strings.Contains(answer, "keyrelay:infData") {
		t.Errorf("the message shows the information, or is none: %s", answer)
	}
	h.stop()
	if strings.Contains(log.String(), secret) {
		t.Error("the log of the server shows the information")
	}
}
