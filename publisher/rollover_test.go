package publisher_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cadastre/fsm/fsmpb"
	"cadastre/keystore"
	"cadastre/publisher"
	"cadastre/registry"
	"cadastre/store"
)

// rollingNode is a node that makes and rolls its own keys.
type rollingNode struct {
	*signingNode
	keeper *publisher.Keeper
	store  *keystore.Store
}

func newRollingNode(t *testing.T, signing registry.SigningPolicy) *rollingNode {
	t.Helper()
	seal := filepath.Join(t.TempDir(), "seal.key")
	if err := keystore.NewSealKey(seal); err != nil {
		t.Fatal(err)
	}
	keys, err := keystore.Open(t.TempDir(), seal)
	if err != nil {
		t.Fatal(err)
	}
	n := &rollingNode{signingNode: newSigningNode(t, signing), store: keys}
	n.at = time.Now()
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	n.pub = publisher.New(n.node, n.node, publisher.NewKeyring(keys), logger)
	n.keeper = publisher.NewKeeper(publisher.KeeperConfig{Proposer: n.node, Viewer: n.node, Custody: keys, Logger: logger})
	return n
}

func (n *rollingNode) zoneKeys(t *testing.T) (keys []registry.ZoneKey) {
	t.Helper()
	if err := n.View(func(tx *store.ReadTx) error { keys = tx.ZoneKeys("example"); return nil }); err != nil {
		t.Fatal(err)
	}
	return keys
}

// states tells the keys that are not removed, such as "CSK13 active".
func (n *rollingNode) states(t *testing.T) string {
	t.Helper()
	var out []string
	for _, k := range n.zoneKeys(t) {
		if k.State != registry.KeyRemoved {
			out = append(out, k.Role.String()+map[uint8]string{8: "8", 13: "13", 15: "15"}[k.Algorithm]+" "+k.State.String())
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// rest moves keys and publishes until there is nothing to do; every zone on the way is validated.
func (n *rollingNode) rest(t *testing.T) {
	t.Helper()
	for range 20 {
		moved, err := n.keeper.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		n.settle(t)
		if !moved {
			n.validate(t)
			return
		}
	}
	t.Fatal("the keys do not come to rest")
}

// advance lets time pass.
func (n *rollingNode) advance(t *testing.T, span time.Duration) {
	t.Helper()
	n.at = n.at.Add(span)
	n.mustPropose(t, &fsmpb.Command{Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "ticker"}, Body: &fsmpb.Command_Tick{Tick: &fsmpb.Tick{}}})
	n.rest(t)
}

// roll makes the successor of each of the keys.
func (n *rollingNode) roll(t *testing.T, algorithm uint8, emergency bool, roles ...registry.KeyRole) {
	t.Helper()
	for _, old := range n.zoneKeys(t) {
		if old.State != registry.KeyActive || !slices.Contains(roles, old.Role) {
			continue
		}
		k, err := n.store.Generate("example", old.Role, algorithm)
		if err != nil {
			t.Fatal(err)
		}
		n.mustPropose(t, &fsmpb.Command{Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"}, Body: &fsmpb.Command_ZoneKeyAdd{ZoneKeyAdd: &fsmpb.ZoneKeyAdd{
			Tld: "example", Id: k.ID, Role: uint32(k.Role), Algorithm: uint32(k.Algorithm), PublicKey: k.PublicKey, Rolling: true, Replaces: old.ID, Emergency: emergency,
		}}})
	}
	n.rest(t)
}

// seeDS says that the parent points to the key that is ready.
func (n *rollingNode) seeDS(t *testing.T) {
	t.Helper()
	for _, k := range n.zoneKeys(t) {
		if k.State == registry.KeyReady {
			n.mustPropose(t, &fsmpb.Command{Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"},
				Body: &fsmpb.Command_ZoneKeyDsSeen{ZoneKeyDsSeen: &fsmpb.ZoneKeyDSSeen{Tld: "example", Id: k.ID}}})
			n.rest(t)
			return
		}
	}
	t.Fatalf("no key is ready: %s", n.states(t))
}

func (n *rollingNode) want(t *testing.T, want string) {
	t.Helper()
	sorted := strings.Split(want, ", ")
	slices.Sort(sorted)
	if got := n.states(t); got != strings.Join(sorted, ", ") {
		t.Fatalf("the keys are %q, want %q", got, want)
	}
}

// cds returns the tags that the zone tells its parent.
func (n *rollingNode) cds(t *testing.T) (tags []uint16) {
	t.Helper()
	for _, rr := range n.zoneRecords(t) {
		if cds, ok := rr.(*dns.CDS); ok {
			tags = append(tags, cds.KeyTag)
		}
	}
	return tags
}

func (n *rollingNode) kskTag(t *testing.T) uint16 {
	t.Helper()
	for _, k := range n.zoneKeys(t) {
		if k.Role == registry.KeyKSK {
			return k.Tag
		}
	}
	return 0
}

const day = 24 * time.Hour

func fill(t *testing.T, n *rollingNode) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 8))
	for range 30 {
		n.change(t, random)
	}
	n.rest(t)
}

// TestKeysOfASplitZone takes a zone with KSK and ZSK through rollovers of both; all zones on the way validate.
func TestKeysOfASplitZone(t *testing.T) {
	n := newRollingNode(t, registry.SigningPolicy{Denial: registry.DenialNSEC3, OptOut: true, Layout: registry.LayoutSplit, ZSKLifetimeDays: 30})
	fill(t, n)
	n.want(t, "KSK13 active, ZSK13 active")
	if got := n.cds(t); len(got) != 1 || got[0] != n.kskTag(t) {
		t.Errorf("the zone tells its parent of %v, want the KSK", got)
	}
	// The policy replaces the ZSK by itself.
	n.advance(t, 31*day)
	n.want(t, "KSK13 active, ZSK13 active, ZSK13 published")
	n.advance(t, 1*time.Hour) // the TTL is an hour, and so is the time to propagate
	n.want(t, "KSK13 active, ZSK13 active, ZSK13 published")
	n.advance(t, 1*time.Hour)
	n.want(t, "KSK13 active, ZSK13 retiring, ZSK13 active")
	n.advance(t, 3*day)
	n.want(t, "KSK13 active, ZSK13 active")
	// A KSK waits for the parent.
	n.roll(t, 13, false, registry.KeyKSK)
	n.advance(t, 2*time.Hour)
	n.want(t, "KSK13 active, ZSK13 active, KSK13 ready")
	n.advance(t, 20*day)
	n.want(t, "KSK13 active, ZSK13 active, KSK13 ready")
	n.seeDS(t)
	n.advance(t, 25*time.Hour)
	n.want(t, "ZSK13 active, KSK13 active")
	if got := n.cds(t); len(got) != 0 {
		t.Errorf("the parent has been told, but the zone still says %v", got)
	}
}

// TestAlgorithmRollover replaces all keys by those of another algorithm, in both layouts.
func TestAlgorithmRollover(t *testing.T) {
	n := newRollingNode(t, registry.SigningPolicy{Denial: registry.DenialNSEC3, Layout: registry.LayoutSplit})
	fill(t, n)
	n.roll(t, 15, false, registry.KeyKSK, registry.KeyZSK)
	n.want(t, "KSK13 active, ZSK13 active, KSK15 standby, ZSK15 signing")
	n.advance(t, 3*day)
	n.want(t, "KSK13 active, ZSK13 active, KSK15 published, ZSK15 published")
	n.advance(t, 2*time.Hour)
	n.want(t, "KSK13 active, ZSK13 active, KSK15 ready, ZSK15 published")
	n.seeDS(t)
	n.advance(t, 25*time.Hour)
	n.want(t, "ZSK13 withdrawn, KSK15 active, ZSK15 active")
	n.advance(t, 2*time.Hour)
	n.want(t, "KSK15 active, ZSK15 active")
	if got := n.signedAs(t); strings.Contains(got, "13/") {
		t.Errorf("the zone is still signed as %q", got)
	}
}

// TestCSKRollover replaces a CSK: the successor signs the zone only once the parent points to it.
func TestCSKRollover(t *testing.T) {
	n := newRollingNode(t, registry.SigningPolicy{Denial: registry.DenialNSEC})
	fill(t, n)
	n.want(t, "CSK13 active")
	n.roll(t, 13, false, registry.KeyCSK)
	n.advance(t, 2*time.Hour)
	n.want(t, "CSK13 active, CSK13 ready")
	n.seeDS(t)
	n.advance(t, 25*time.Hour)
	n.want(t, "CSK13 retiring, CSK13 active")
	n.advance(t, 3*day)
	n.want(t, "CSK13 active")
	// To another algorithm.
	n.roll(t, 8, false, registry.KeyCSK)
	n.want(t, "CSK13 active, CSK8 signing")
	n.advance(t, 3*day)
	n.advance(t, 2*time.Hour)
	n.want(t, "CSK13 active, CSK8 ready")
	n.seeDS(t)
	n.advance(t, 25*time.Hour)
	n.want(t, "CSK13 withdrawn, CSK8 active")
	n.advance(t, 2*time.Hour)
	n.want(t, "CSK8 active")
}

// TestEmergencyRollover waits for nothing but the parent.
func TestEmergencyRollover(t *testing.T) {
	n := newRollingNode(t, registry.SigningPolicy{Denial: registry.DenialNSEC3, OptOut: true, Layout: registry.LayoutSplit})
	fill(t, n)
	n.roll(t, 13, true, registry.KeyZSK)
	n.want(t, "KSK13 active, ZSK13 active")
	if keys := n.zoneKeys(t); len(keys) != 3 {
		t.Fatalf("there are %d keys, want the removed one too", len(keys))
	}
	n.roll(t, 13, true, registry.KeyKSK)
	n.want(t, "KSK13 active, ZSK13 active, KSK13 ready")
	n.seeDS(t)
	n.want(t, "ZSK13 active, KSK13 active")
}

// TestMissingKeyKeepsTheZone takes a private half away: the last publication stays, an alarm says why, and all is well
// once the key is back.
func TestMissingKeyKeepsTheZone(t *testing.T) {
	n := newRollingNode(t, registry.SigningPolicy{Denial: registry.DenialNSEC3, OptOut: true})
	fill(t, n)
	var alarms publisher.Alarms
	n.pub.ReportTo(&alarms)
	k := n.zoneKeys(t)[0]
	private, err := n.store.Private(&k)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.store.Delete(&k); err != nil {
		t.Fatal(err)
	}
	_, before, _ := n.published(t, "example")
	n.addDelegation(t, "late")
	if err := n.pub.Settle(context.Background()); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Fatalf("publishing without the key: %v", err)
	}
	if _, after, _ := n.published(t, "example"); after != before {
		t.Errorf("the serial went from %d to %d without a key", before, after)
	}
	if list := alarms.List(); len(list) != 1 || list[0].TLD != "example" || !strings.Contains(list[0].Reason, "cannot be reached") {
		t.Errorf("the alarms are %v", list)
	}
	if err := n.store.Put(&k, private); err != nil {
		t.Fatal(err)
	}
	n.rest(t)
	if text, _, _ := n.published(t, "late.example"); text == "" {
		t.Error("the zone did not go on when the key was back")
	}
	if list := alarms.List(); len(list) != 0 {
		t.Errorf("the alarms stayed: %v", list)
	}
}
