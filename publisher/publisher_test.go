package publisher_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/publisher"
	"cadastre/registry"
	"cadastre/store"
	"cadastre/zone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is the state machine of a single node, its log kept by hand.
type node struct {
	*store.Store
	machine *fsm.Machine
	dirty   chan struct{}

	// mu guards the log.
	mu        sync.Mutex
	index     uint64
	failNext  error
	publishes int
	at        time.Time // the leader's clock; zero: the real one
}

func newNode(t *testing.T) *node {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	n := &node{Store: st, machine: fsm.New(st), dirty: make(chan struct{}, 1)}
	policy := fsm.PolicyToProto(&registry.TLDPolicy{
		ROIDSuffix: "EX", Currency: "EUR", MinPeriodYears: 1, MaxPeriodYears: 10, MaxNameServers: 13, AutoRenew: true,
		ApexServers: []registry.ApexServer{{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}},
		SOAMName:    "a.nic.example", SOARName: "h.nic.example", SOARefreshSeconds: 1, SOARetrySeconds: 1, SOAExpireSeconds: 1, SOAMinimumSeconds: 1,
		ApexTTLSeconds: 1, DelegationTTLSeconds: 1,
	})
	operator := &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"}
	n.mustPropose(t, &fsmpb.Command{Actor: operator, Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: "example", Roid: "T1", Policy: policy}}})
	n.mustPropose(t, &fsmpb.Command{Actor: operator, Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
		Id: "reg-a", Roid: "R1", Currency: "EUR", Tlds: []string{"example"}}}})
	return n
}

func (n *node) Propose(_ context.Context, c *fsmpb.Command) (*fsmpb.Result, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.failNext; err != nil {
		n.failNext = nil
		return nil, err
	}
	now := n.at
	if now.IsZero() {
		now = time.Now()
	}
	data, err := proto.Marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, LeaderTimeMs: now.UnixMilli(), Commands: []*fsmpb.Command{c}})
	if err != nil {
		return nil, err
	}
	n.index++
	results, effects := n.machine.Apply([]fsm.Entry{{Index: n.index, Term: 1, Data: data}})
	if effects.Published {
		n.publishes++
	}
	if effects.Dirty {
		select {
		case n.dirty <- struct{}{}:
		default:
		}
	}
	return results[0][0], nil
}

func (n *node) mustPropose(t *testing.T, c *fsmpb.Command) *fsmpb.Result {
	t.Helper()
	r, err := n.Propose(context.Background(), c)
	if err == nil {
		err = fsm.ResultError(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (n *node) asRegistrar(t *testing.T, body *fsmpb.Command) {
	t.Helper()
	body.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: "reg-a"}
	n.mustPropose(t, body)
}

func (n *node) addDelegation(t *testing.T, label string) {
	t.Helper()
	n.asRegistrar(t, &fsmpb.Command{Body: &fsmpb.Command_HostCreate{HostCreate: &fsmpb.HostCreate{Name: "ns." + label + ".net", Roid: "H" + label}}})
	n.asRegistrar(t, &fsmpb.Command{Body: &fsmpb.Command_DomainCreate{DomainCreate: &fsmpb.DomainCreate{
		Name: label + ".example", Roid: "D" + label, NameServers: []string{"ns." + label + ".net"}}}})
}

// published returns the records at owner and the zone's serial.
func (n *node) published(t *testing.T, owner registry.DomainName) (text string, serial uint32, clean bool) {
	t.Helper()
	err := n.View(func(tx *store.ReadTx) error {
		packed, _ := tx.Published("example", owner)
		rrs, err := zone.Unpack(packed)
		for _, rr := range rrs {
			text += rr.String() + "\n"
		}
		serial, clean = tx.ZoneState("example").Serial, !tx.HasDirty()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text, serial, clean
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("not within ten seconds: %s", what)
		case <-ticker.C:
		}
	}
}

func run(t *testing.T, fn func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestPublisherBringsTheZoneUpToDate(t *testing.T) {
	n := newNode(t)
	n.addDelegation(t, "early")
	p := publisher.New(n, n, publisher.Unsigned{}, slog.New(slog.DiscardHandler))
	run(t, func(ctx context.Context) error { return p.Run(ctx, n.dirty) })

	settled := func() bool { _, _, clean := n.published(t, "example"); return clean }
	eventually(t, "everything dirty at the start is published", settled)
	soa, first, _ := n.published(t, "example")
	if !strings.Contains(soa, "SOA") || !strings.Contains(soa, "NS\ta.nic.example.") {
		t.Errorf("the apex holds %q", soa)
	}
	if text, _, _ := n.published(t, "a.nic.example"); !strings.Contains(text, "A\t192.0.2.1") {
		t.Errorf("the apex server holds %q", text)
	}
	n.addDelegation(t, "late")
	eventually(t, "the new delegation is published", func() bool {
		text, _, clean := n.published(t, "late.example")
		return clean && strings.Contains(text, "NS\tns.late.net.")
	})
	if text, _, _ := n.published(t, "early.example"); !strings.Contains(text, "NS\tns.early.net.") {
		t.Errorf("the early delegation holds %q", text)
	}
	soa, serial, _ := n.published(t, "example")
	if n.mu.Lock(); serial != first+uint32(n.publishes)-1 {
		t.Errorf("after %d publications from %d the serial is %d", n.publishes, first, serial)
	}
	n.mu.Unlock()
	if fields := strings.Fields(soa); fields[6] != serialText(serial) {
		t.Errorf("the SOA record says %s, the state %d", fields[6], serial)
	}
}

func serialText(serial uint32) string {
	var digits []byte
	for ; serial > 0; serial /= 10 {
		digits = append([]byte{byte('0' + serial%10)}, digits...)
	}
	return string(digits)
}

func TestPublisherTriesAgain(t *testing.T) {
	n := newNode(t)
	n.failNext = errors.New("no quorum")
	p := publisher.New(n, n, publisher.Unsigned{}, slog.New(slog.DiscardHandler))
	run(t, func(ctx context.Context) error { return p.Run(ctx, nil) })
	eventually(t, "the zone is published after a failed proposal", func() bool { _, _, clean := n.published(t, "example"); return clean })
}

func TestPublisherRemovesWhatLeaves(t *testing.T) {
	n := newNode(t)
	n.addDelegation(t, "one")
	p := publisher.New(n, n, publisher.Unsigned{}, slog.New(slog.DiscardHandler))
	run(t, func(ctx context.Context) error { return p.Run(ctx, n.dirty) })
	eventually(t, "the delegation is published", func() bool { text, _, _ := n.published(t, "one.example"); return text != "" })
	n.asRegistrar(t, &fsmpb.Command{Body: &fsmpb.Command_DomainUpdate{DomainUpdate: &fsmpb.DomainUpdate{Name: "one.example", AddStatuses: []string{"clientHold"}}}})
	eventually(t, "the delegation on hold is gone", func() bool { text, _, clean := n.published(t, "one.example"); return clean && text == "" })
}

func TestTickerDoesWhatIsDue(t *testing.T) {
	n := newNode(t)
	n.addDelegation(t, "one")
	ticker := publisher.NewTicker(n, n, func() time.Time { return time.Now().AddDate(2, 0, 0) }, slog.New(slog.DiscardHandler))
	run(t, ticker.Run)
	ticked := func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.index > 5
	}
	eventually(t, "the ticker keeps proposing while something is due", ticked)
}
