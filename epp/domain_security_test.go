package epp

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// TestKeyDataInterface runs under a TLD that takes keys and makes the DS records itself.
func TestKeyDataInterface(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	policy := testPolicy("example")
	policy.KeyDataInterface = true
	h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: "example", Roid: "Texample", Policy: policy}}})
	c := h.dial(t, registrarA)
	c.want(codeOK, eppxml.AppendLogin(nil, &eppxml.Login{ClID: registrarA, Password: passwordA, Version: "1.0", Lang: "en",
		ObjURIs: objectURIs(), ExtURIs: extensionURIs()}, "L-1"))
	c.want(codeOK, contactFrame("con-1", ""))
	extended := func(body eppxml.Body, extension []byte) []byte {
		t.Helper()
		e, err := eppxml.ParseElement(extension)
		if err != nil {
			t.Fatal(err)
		}
		return eppxml.AppendCommand(nil, &eppxml.Command{Body: body, Extensions: []eppxml.Element{e}, ClTRID: "K-1"})
	}
	create := &eppxml.DomainCreate{Name: "alpha.example", Registrant: "con-1", AuthInfo: &eppxml.AuthInfo{}}
	first := eppxml.KeyData{Flags: 257, Protocol: 3, Alg: 13, PublicKey: []byte("first")}
	second := eppxml.KeyData{Flags: 257, Protocol: 3, Alg: 15, PublicKey: []byte("second")}
	ds := &eppxml.SecDNS{DS: []eppxml.DSData{{KeyTag: 1, Alg: 13, DigestType: 2, Digest: make([]byte, 32)}}}
	c.want(codeParameterPolicy, extended(create, eppxml.AppendSecDNSCreate(nil, ds)))
	c.want(codeOK, extended(create, eppxml.AppendSecDNSCreate(nil, &eppxml.SecDNS{Keys: []eppxml.KeyData{first}})))
	update := &eppxml.DomainUpdate{Name: "alpha.example"}
	c.want(codeOK, extended(update, eppxml.AppendSecDNSUpdate(nil, &eppxml.SecDNSUpdate{
		Rem: &eppxml.SecDNSRem{Keys: []eppxml.KeyData{first}}, Add: &eppxml.SecDNS{MaxSigLife: 60, Keys: []eppxml.KeyData{second}},
	})))
	c.want(codeOK, extended(update, eppxml.AppendSecDNSUpdate(nil, &eppxml.SecDNSUpdate{Chg: &eppxml.SecDNSChg{}}))) // changes nothing
	r := c.want(codeOK, eppxml.AppendCommand(nil, &eppxml.Command{Body: &eppxml.DomainInfo{Name: "alpha.example"}, ClTRID: "K-2"}))
	if len(r.Extensions) == 0 {
		t.Fatal("info shows no DNSSEC data")
	}
	got, bad := eppxml.DecodeSecDNSInfData(&r.Extensions[0])
	if bad != nil {
		t.Fatal(bad)
	}
	if diff := cmp.Diff(&eppxml.SecDNS{MaxSigLife: 60, Keys: []eppxml.KeyData{second}}, got); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
}
