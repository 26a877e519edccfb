package publisher_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/publisher"
	"cadastre/registry"
	"cadastre/store"
)

func (n *signingNode) asOperator(t *testing.T, command *fsmpb.Command) {
	t.Helper()
	command.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"}
	n.mustPropose(t, command)
}

func (n *signingNode) raiseLevel(t *testing.T) {
	t.Helper()
	n.asOperator(t, &fsmpb.Command{Body: &fsmpb.Command_FeatureLevelRaise{FeatureLevelRaise: &fsmpb.FeatureLevelRaise{Level: registry.MaxFeatureLevel}}})
}

func (n *signingNode) guard(t *testing.T) (guard store.ZoneGuard) {
	t.Helper()
	if err := n.View(func(tx *store.ReadTx) error { guard = tx.ZoneGuard("example"); return nil }); err != nil {
		t.Fatal(err)
	}
	return guard
}

// remove deletes domains from the registry, and so from the zone.
func (n *signingNode) remove(t *testing.T, first, end int) {
	t.Helper()
	for i := first; i < end; i++ {
		n.asRegistrar(t, &fsmpb.Command{Body: &fsmpb.Command_DomainDelete{DomainDelete: &fsmpb.DomainDelete{Name: fmt.Sprintf("d%d.example", i)}}})
	}
}

// TestZoneThatShrinksIsHeld has a zone lose more than its policy allows: the last publication stays in force until an
// operator releases it.
func TestZoneThatShrinksIsHeld(t *testing.T) {
	n := newSigningNode(t, registry.SigningPolicy{Denial: registry.DenialNSEC3})
	var alarms publisher.Alarms
	n.pub.ReportTo(&alarms)
	n.policy.MaxRemovedDelegations, n.policy.MaxRemovedPercent = 5, 20
	n.sign(t, n.policy.Signing)
	for i := range 40 {
		n.addDelegation(t, fmt.Sprintf("d%d", i))
	}
	n.settle(t)
	n.raiseLevel(t) // only now are delegations counted: those that are there by the publisher
	n.remove(t, 0, 8)
	n.settle(t)
	if guard := n.guard(t); guard.Delegations != 32 || guard.Removed != 8 || !guard.HeldAt.IsZero() {
		t.Fatalf("after the deletion of 8 of 40, as many as may leave: %+v", guard)
	}
	_, before, _ := n.published(t, "example")
	n.remove(t, 8, 9)
	n.addDelegation(t, "new")
	n.settle(t)
	n.settle(t)
	guard := n.guard(t)
	if guard.HeldAt.IsZero() || !strings.Contains(guard.Limit, "9 of 40 delegations") || !strings.Contains(guard.Limit, "d8.example") {
		t.Fatalf("after the deletion of one too many: %+v", guard)
	}
	if text, serial, clean := n.published(t, "d8.example"); text == "" || serial != before || clean {
		t.Errorf("the held zone is at serial %d, not %d, without d8.example: %q", serial, before, text)
	}
	if list := alarms.List(); len(list) != 1 || !strings.Contains(list[0].Reason, "d8.example") || !strings.Contains(list[0].Reason, "zone release") {
		t.Errorf("the alarms are %+v", list)
	}
	n.asOperator(t, &fsmpb.Command{Reason: "intended", Body: &fsmpb.Command_ZoneRelease{ZoneRelease: &fsmpb.ZoneRelease{Tld: "example"}}})
	n.remove(t, 9, 30)
	n.settle(t)
	if text, _, clean := n.published(t, "d29.example"); text != "" || !clean || len(alarms.List()) != 0 {
		t.Errorf("after the release d29.example is %q, alarms %+v", text, alarms.List())
	}
	n.validate(t)
	n.at = time.Now().Add(2 * time.Hour)
	n.remove(t, 30, 37) // 7 of 11
	n.settle(t)
	if guard := n.guard(t); guard.HeldAt.IsZero() {
		t.Errorf("no limit counts after the release is over: %+v", guard)
	}
}

// TestOrdinaryDayPasses lets a day's deletions of a small TLD leave at once.
func TestOrdinaryDayPasses(t *testing.T) {
	n := newSigningNode(t, registry.SigningPolicy{})
	n.raiseLevel(t)
	for i := range 300 {
		n.addDelegation(t, fmt.Sprintf("d%d", i))
	}
	n.settle(t)
	n.remove(t, 0, 300)
	n.settle(t)
	if guard := n.guard(t); !guard.HeldAt.IsZero() || guard.Delegations != 0 || guard.Removed != 300 {
		t.Errorf("after the deletion of 300 of 300: %+v", guard)
	}
	if err := n.pub.Settle(context.Background()); err != nil {
		t.Error(err)
	}
}
