package epp

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

func transferFrame(op eppxml.TransferOp, password, roid string) []byte {
	body := &eppxml.DomainTransfer{Op: op, Name: "alpha.example"}
	if password != "" {
		body.AuthInfo = &eppxml.AuthInfo{Password: password, ROID: roid}
	}
	return eppxml.AppendCommand(nil, &eppxml.Command{Body: body, ClTRID: "TRN-1"})
}

func TestContactsPasswordTransfersTheDomain(t *testing.T) {
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
	b.want(codeInvalidAuthInfo, transferFrame(eppxml.TransferRequest, "contact-pw-2", roidOf("con-2"))) // no contact of it
	b.want(codeInvalidAuthInfo, transferFrame(eppxml.TransferRequest, "domain-pw", roidOf("con-1")))
	b.want(codeInvalidAuthInfo, transferFrame(eppxml.TransferQuery, "contact-pw-2", roidOf("con-1")))
	b.want(codeOKPending, transferFrame(eppxml.TransferRequest, "contact-pw-1", roidOf("con-1")))
	r := a.want(codeOK, transferFrame(eppxml.TransferApprove, "contact-pw-1", roidOf("con-1")))
	if got := r.Data(eppxml.NSDomain, "trnData").Child("trStatus").Text; got != "clientApproved" {
		t.Errorf("the transfer is %s", got)
	}
	// The contact stayed with the losing registrar, whose password for it must not bring the
	// domain back.
	a.want(codeInvalidAuthInfo, transferFrame(eppxml.TransferRequest, "contact-pw-1", roidOf("con-1")))
}

// TestLoginTellsOfMessages: also the answer to a login says how many messages wait, but not
// to who has not proved who it is.
func TestLoginTellsOfMessages(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	a, b := h.login(t, registrarA, passwordA), h.login(t, registrarB, passwordB)
	a.want(codeOK, contactFrame("con-1", "contact-pw-1"))
	a.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainCreate{
		Name: "alpha.example", Registrant: "con-1", AuthInfo: &eppxml.AuthInfo{Password: "domain-pw"},
	}}))
	b.want(codeOKPending, transferFrame(eppxml.TransferRequest, "domain-pw", ""))
	c := h.dial(t, registrarA)
	if r := c.want(codeAuthentication, loginFrame(registrarA, "wrong-secret")); r.MsgQ != nil {
		t.Errorf("a failed login learns that %d messages wait", r.MsgQ.Count)
	}
	if r := c.want(codeOK, loginFrame(registrarA, passwordA)); r.MsgQ == nil || r.MsgQ.Count != 1 || r.MsgQ.ID != "1" {
		t.Errorf("the login's answer has the message queue %v", r.MsgQ)
	}
}

func TestNothingHoldsTheTransfersPassword(t *testing.T) {
	var log syncBuffer
	h := newHarness(t, Limits{}, &log)
	a, b := h.login(t, registrarA, passwordA), h.login(t, registrarB, passwordB)
	a.want(codeOK, contactFrame("con-1", "contact-pw-1"))
	a.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainCreate{
		Name: "alpha.example", Registrant: "con-1", AuthInfo: &eppxml.AuthInfo{Password: "domain-hushhush"},
	}}))
	b.want(codeInvalidAuthInfo, transferFrame(eppxml.TransferRequest, "guess-hushhush", ""))
	b.want(codeOKPending, transferFrame(eppxml.TransferRequest, "domain-hushhush", ""))
	h.stop()
	if text := log.String(); strings.Contains(text, "hushhush") || !strings.Contains(text, "TRN-1") {
		t.Errorf("the log holds a password, or not the command:\n%s", text)
	}
	salt := []byte("0123456789abcdef")
	stored := registry.AuthInfo{Salt: salt, Hash: hashAuthInfo(salt, "domain-hushhush")}
	var proof *fsmpb.AuthProof
	err := h.registry.store.View(func(tx *store.ReadTx) (err error) {
		proof, err = (&call{registrar: registrarB}).proveAuthInfo(tx, &authTarget{object: "D1-TEST", sponsor: registrarA, stored: stored}, &eppxml.AuthInfo{Password: "domain-hushhush"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := proto.Marshal(proof); err != nil || bytes.Contains(data, []byte("hushhush")) {
		t.Errorf("the proof for the log holds the password, or %v", err)
	}
}

// TestEveryMessageIsValid sends each kind of message through the schema.
func TestEveryMessageIsValid(t *testing.T) {
	at := startOfTime()
	transfer := func(status registry.TransferStatus) *registry.Transfer {
		return &registry.Transfer{Status: status, Requester: registrarB, Losing: registrarA, RequestedAt: at, ActAt: at.Add(time.Hour)}
	}
	action := registry.Action{CLTRID: "ABC-1", Term: 1, Index: 2, InEntry: 3}
	messages := []registry.PollMessage{
		{Kind: registry.PollAutoRenew, ExpiresAt: at}, {Kind: registry.PollRedemption, ExpiresAt: at, ActAt: at},
		{Kind: registry.PollRestoreLapsed, ExpiresAt: at, ActAt: at},
		{Kind: registry.PollPurge, ExpiresAt: at, ActAt: at}, {Kind: registry.PollPurge, ExpiresAt: at, ActAt: at, Action: action},
	}
	for status := registry.TransferPending; status <= registry.TransferServerCancelled; status++ {
		messages = append(messages, registry.PollMessage{Kind: registry.PollTransfer, Transfer: transfer(status)})
	}
	frames := &frameCollector{}
	texts := map[string]bool{}
	for _, m := range messages {
		m.Registrar, m.At, m.Object, m.Key, m.ROID = registrarA, at, registry.KindDomain, "alpha.example", "D1-TEST"
		data := messageData(&m)
		if len(data) == 0 || texts[messageText(&m)] && m.Kind != registry.PollPurge {
			t.Errorf("kind %d has the data %q and the text %q", m.Kind, data, messageText(&m))
		}
		texts[messageText(&m)] = true
		frames.add(t.Name(), eppxml.AppendResponse(nil, &eppxml.Response{
			Results: []eppxml.Result{{Code: codeOKMessage, Msg: message(codeOKMessage)}}, SvTRID: "n1.1.1", ResData: data,
			MsgQ: &eppxml.MsgQ{Count: 1, ID: "1", Date: m.At, Msg: messageText(&m)},
		}))
	}
	frames.validate(t)
}
