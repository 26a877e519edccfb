package cluster

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

func operatorOf(t *testing.T, c *fakeCluster, id string) clusterpb.AdminClient {
	t.Helper()
	conn, err := Dial(credentialsOf(t, c.ca, KindOperator, "alice"), id, c.nodes[id].address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the test is over
	return clusterpb.NewAdminClient(conn)
}

func change(t *testing.T, n *testNode, fn func(tx *store.Tx)) {
	t.Helper()
	err := n.store.Update(func(tx *store.Tx) error {
		fn(tx)
		tx.Keep()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAdminReads(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	created := time.UnixMilli(1_000_000_123).UTC()
	change(t, c.nodes["n2"], func(tx *store.Tx) {
		tx.SetClockMode(registry.ClockManual)
		tx.SetNow(created)
		tx.PutTLD(&registry.TLD{Name: "example", ROID: "T1-REG", CreatedAt: created, Policy: registry.TLDPolicy{
			ROIDSuffix: "EX", Currency: "EUR", CreatePriceMinor: 1000, MaxPeriodYears: 10, AutoRenew: true,
			ReservedLabels: []string{"nic"}, SOAMName: "a.nic.example",
			ApexServers: []registry.ApexServer{{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}}},
		}})
		tx.PutRegistrar(&registry.Registrar{ID: "reg-a", ROID: "R1-REG", Name: "A", State: registry.RegistrarActive,
			PasswordHash: "secret", TLDs: []registry.DomainName{"example"}, Currency: "EUR", CreditLimit: 5, CreatedAt: created})
		tx.PostLedger(store.LedgerRow{Kind: store.LedgerDeposit, From: store.AccountBank, To: store.RegistrarAccount("reg-a"),
			AmountMinor: 77, Currency: "EUR", At: created})
	})
	admin, ctx := operatorOf(t, c, "n2"), testContext(t)

	tld, err := admin.GetTLD(ctx, &clusterpb.GetTLDRequest{Name: "EXAMPLE."})
	wantTLD := &clusterpb.TLD{Name: "example", Roid: "T1-REG", CreatedAtMs: 1_000_000_123, Policy: &fsmpb.TLDPolicy{
		RoidSuffix: "EX", Currency: "EUR", CreatePriceMinor: 1000, MaxPeriodYears: 10, AutoRenew: true,
		ReservedLabels: []string{"nic"}, SoaMname: "a.nic.example",
		ApexServers: []*fsmpb.ApexServer{{Name: "a.nic.example", Addresses: [][]byte{
			{192, 0, 2, 1}, {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}}},
	}}
	if diff := cmp.Diff(wantTLD, tld, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("TLD (-want +got):\n%s%v", diff, err)
	}
	tlds, err := admin.ListTLDs(ctx, &clusterpb.ListTLDsRequest{})
	if err != nil || len(tlds.Tlds) != 1 {
		t.Errorf("TLDs %v, %v", tlds, err)
	}
	registrars, err := admin.ListRegistrars(ctx, &clusterpb.ListRegistrarsRequest{})
	want := &clusterpb.ListRegistrarsResponse{Registrars: []*clusterpb.Registrar{{
		Id: "reg-a", Roid: "R1-REG", Name: "A", State: uint32(registry.RegistrarActive), Tlds: []string{"example"},
		Currency: "EUR", CreditLimitMinor: 5, BalanceMinor: 77, CreatedAtMs: 1_000_000_123,
	}}}
	if diff := cmp.Diff(want, registrars, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("registrars (-want +got):\n%s%v", diff, err)
	}
	clock, err := admin.ClockGet(ctx, &clusterpb.ClockGetRequest{})
	if err != nil || clock.Mode != uint32(registry.ClockManual) || clock.TimeMs != 1_000_000_123 {
		t.Errorf("clock %v, %v", clock, err)
	}
	for label, call := range map[string]func() error{
		"TLD": func() error { _, err := admin.GetTLD(ctx, &clusterpb.GetTLDRequest{Name: "test"}); return err },
		"registrar": func() error {
			_, err := admin.GetRegistrar(ctx, &clusterpb.GetRegistrarRequest{Id: "reg-b"})
			return err
		},
	} {
		if err := ErrorFromStatus(call()); !errors.Is(err, registry.CodeObjectDoesNotExist) {
			t.Errorf("unknown %s: %v", label, err)
		}
	}
}

func TestWaitSettledWaitsForPublication(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1")
	n := c.nodes["n1"]
	change(t, n, func(tx *store.Tx) { tx.MarkDirty("example", "a.example") })
	done := make(chan error, 1)
	go func() {
		_, err := operatorOf(t, c, "n1").WaitSettled(testContext(t), &clusterpb.WaitSettledRequest{})
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("settled with a dirty name: %v", err)
	case <-time.After(100 * time.Millisecond): // it is to be seen waiting
	}
	change(t, n, func(tx *store.Tx) { tx.Clean("example", "a.example", 1<<40) })
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestMembersShowsAllSources(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	c.nodes["n2"].stop()
	c.nodes["n1"].server.hints = func() []Hint {
		return []Hint{{NodeID: "n2", State: "dead", EPPAddress: "192.0.2.1:700"}, {NodeID: "stranger", State: "alive"}}
	}
	for _, local := range []bool{false, true} {
		got, err := operatorOf(t, c, "n1").Members(testContext(t), &clusterpb.MembersRequest{Local: local})
		if err != nil || len(got.Members) != 2 || got.LeaderId != "n1" || got.ClusterId != c.ca.ClusterID() {
			t.Fatalf("members %v, %v", got, err)
		}
		n1, n2 := got.Members[0], got.Members[1]
		if !n1.Reachable || !n1.IsLeader || !n1.Votes || !n1.InRaft || len(n1.StateHash) == 0 {
			t.Errorf("n1: %v", n1)
		}
		if n2.Reachable || n2.Gossip != "dead" || n2.EppAddress != "192.0.2.1:700" || (n2.Problem != "") == local {
			t.Errorf("n2, local %v: %v", local, n2)
		}
	}
}

func TestBackupArrivesWhole(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1")
	data := make([]byte, 5*checkpointChunkBytes/2)
	c.rafts["n1"].checkpoint = data
	stream, err := operatorOf(t, c, "n1").Backup(testContext(t), &clusterpb.BackupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	reader := NewChunkReader(stream.Recv)
	if got, err := io.ReadAll(reader); err != nil || len(got) != len(data) || reader.Index != 7 {
		t.Errorf("%d octets, index %d, %v", len(got), reader.Index, err)
	}
}

func TestCreateTokenRefuses(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1")
	admin := operatorOf(t, c, "n1")
	for label, req := range map[string]*clusterpb.CreateTokenRequest{
		"no role":     {},
		"other role":  {Role: 3},
		"negative":    {Role: 1, LifetimeSeconds: -1},
		"for ever":    {Role: 1, LifetimeSeconds: 1 << 40},
		"long reason": {Role: 1, Reason: string(make([]byte, maxReasonBytes+1))},
	} {
		if _, err := admin.CreateToken(testContext(t), req); !errors.Is(ErrorFromStatus(err), registry.CodeParameterRange) {
			t.Errorf("%s: %v", label, err)
		}
	}
	one, err := admin.CreateToken(testContext(t), &clusterpb.CreateTokenRequest{Role: uint32(registry.RoleVoter)})
	if err != nil {
		t.Fatal(err)
	}
	two, err := admin.CreateToken(testContext(t), &clusterpb.CreateTokenRequest{Role: uint32(registry.RoleVoter)})
	if err != nil || one.Token == two.Token || len(one.Token) != 52 {
		t.Errorf("tokens %q and %q, %v", one.GetToken(), two.GetToken(), err)
	}
}

func TestRemovalIsNoticedWithoutANotice(t *testing.T) {
	for _, way := range []string{"own state", "others refuse"} {
		t.Run(way, func(t *testing.T) {
			c := startFakeCluster(t, "n1", "n1", "n2")
			n2 := c.nodes["n2"]
			watcher := *n2.server // the one that serves has longer times
			watcher.removalCheck, watcher.leaderless = 10*time.Millisecond, 50*time.Millisecond
			changed := n2
			if way == "others refuse" {
				changed = c.nodes["n1"]
				c.rafts["n2"].setBlind()
			}
			watching := background(t, "watch", func(ctx context.Context) error { watcher.watchRemoval(ctx); return nil })
			select {
			case reason := <-n2.removed:
				t.Fatalf("a member believes that it was removed: %s", reason)
			case <-time.After(150 * time.Millisecond): // longer than both times
			}
			change(t, changed, func(tx *store.Tx) { tx.DeleteNode("n2") })
			select {
			case <-n2.removed:
			case <-time.After(testWait):
				t.Error("the removal was not noticed")
			}
			watching()
		})
	}
}
