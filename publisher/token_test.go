//go:build cgo

package publisher_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"cadastre/internal/softhsm"
	"cadastre/keystore"
	"cadastre/publisher"
	"cadastre/registry"
)

// TestKeysInToken signs and rolls a zone with keys in a token. While the token is out of reach the last zone stays and
// the alarm says why; once it is back, publication goes on.
func TestKeysInToken(t *testing.T) {
	shared := softhsm.New(t)
	n := newRollingNode(t, registry.SigningPolicy{Denial: registry.DenialNSEC3})
	files, err := keystore.Open(t.TempDir(), "") // no sealed keys
	if err != nil {
		t.Fatal(err)
	}
	open := func() *keystore.Keys {
		token, err := keystore.OpenToken(keystore.TokenConfig{Module: shared.Module, Label: shared.Label, PINFile: shared.PINFile})
		if err != nil {
			t.Log(err)
		}
		t.Cleanup(func() { _ = token.Close() })
		return keystore.NewKeys(files, token)
	}
	var alarms publisher.Alarms
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	lead := func(keys *keystore.Keys) { // a voter begins to lead
		n.pub = publisher.New(n.node, n.node, publisher.NewKeyring(keys), logger)
		n.pub.ReportTo(&alarms)
		n.keeper = publisher.NewKeeper(publisher.KeeperConfig{Proposer: n.node, Viewer: n.node, Custody: keys, Logger: logger})
	}
	lead(open())
	n.addDelegation(t, "one")
	n.rest(t)
	n.want(t, "CSK13 active")

	lead(open()) // another voter that shares the token
	n.addDelegation(t, "two")
	n.rest(t)
	if text, _, clean := n.published(t, "two.example"); text == "" || !clean {
		t.Fatalf("another voter with the same token published %q", text)
	}

	if err := os.Rename(shared.PINFile, shared.PINFile+".away"); err != nil {
		t.Fatal(err)
	}
	lead(open()) // a voter that does not reach the token
	n.addDelegation(t, "three")
	_, before, _ := n.published(t, "example")
	if err := n.pub.Settle(context.Background()); err == nil || strings.Contains(err.Error(), shared.PIN) {
		t.Errorf("a publication without the token: %v", err)
	}
	if text, serial, _ := n.published(t, "three.example"); text != "" || serial != before {
		t.Errorf("without the token the zone went from serial %d to %d: %q", before, serial, text)
	}
	if list := alarms.List(); len(list) != 1 || !strings.Contains(list[0].Reason, "cannot be reached") || strings.Contains(list[0].Reason, shared.PIN) {
		t.Errorf("the alarms are %+v", list)
	}

	if err := os.Rename(shared.PINFile+".away", shared.PINFile); err != nil {
		t.Fatal(err)
	}
	lead(open())
	n.rest(t)
	if text, _, clean := n.published(t, "three.example"); text == "" || !clean || len(alarms.List()) != 0 {
		t.Errorf("with the token back three.example is %q, alarms %+v", text, alarms.List())
	}
}
