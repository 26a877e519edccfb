package epp

import (
	"io"
	"testing"

	"cadastre/epp/eppxml"
)

// TestEveryAnswerTellsOfWaitingMessages: queries, transforms and refusals alike carry <msgQ>
// while something waits (RFC 5730 section 2.6), with the client's identifier and one of their
// own; without messages none does.
func TestEveryAnswerTellsOfWaitingMessages(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	a, b := withDomains(t, h, "alpha.example", "beta.example")
	command := func(body eppxml.Body) []byte {
		return eppxml.AppendCommand(nil, &eppxml.Command{Body: body, ClTRID: "CLIENT-1"})
	}
	answers := map[string]struct {
		code  int
		frame []byte
	}{
		"check":          {codeOK, command(&eppxml.DomainCheck{Names: []string{"a.example"}})},
		"info":           {codeOK, command(&eppxml.DomainInfo{Name: "alpha.example"})},
		"refused info":   {codeObjectDoesNotExist, command(&eppxml.HostInfo{Name: "nobody.example"})},
		"refused here":   {codeParameterSyntax, command(&eppxml.DomainInfo{Name: "-.example"})},
		"refused create": {codeObjectDoesNotExist, command(&eppxml.DomainDelete{Name: "nobody.example"})},
		"refused ack":    {codeObjectDoesNotExist, command(&eppxml.Poll{Op: eppxml.PollAck, MsgID: "999"})},
		"transfer query": {codeNotPendingTransfer, command(&eppxml.DomainTransfer{Op: eppxml.TransferQuery, Name: "beta.example"})},
	}
	for name, c := range answers {
		if r := a.want(c.code, c.frame); r.MsgQ != nil {
			t.Errorf("%s: %v although nothing waits", name, r.MsgQ)
		}
	}
	b.want(codeOKPending, transferFrame(eppxml.TransferRequest, rightPassword, ""))
	answers["create"] = struct {
		code  int
		frame []byte
	}{codeOK, command(&eppxml.HostCreate{Name: "ns1.elsewhere.test"})}
	answers["poll"] = struct {
		code  int
		frame []byte
	}{codeOKMessage, command(&eppxml.Poll{Op: eppxml.PollRequest})}
	seen := map[string]bool{}
	for name, c := range answers {
		r := a.want(c.code, c.frame)
		if r.MsgQ == nil || r.MsgQ.Count != 1 || r.MsgQ.ID != "1" {
			t.Errorf("%s: the message queue is %v", name, r.MsgQ)
		}
		if r.ClTRID != "CLIENT-1" || r.SvTRID == "" || seen[r.SvTRID] {
			t.Errorf("%s: clTRID %q, svTRID %q", name, r.ClTRID, r.SvTRID)
		}
		seen[r.SvTRID] = true
	}
	if r := a.want(codeOKEndingSession, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.Logout{}, ClTRID: "CLIENT-2"})); r.ClTRID != "CLIENT-2" {
		t.Errorf("the answer to logout has clTRID %q", r.ClTRID)
	}
}
