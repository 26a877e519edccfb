package cluster

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

func TestParseFreshness(t *testing.T) {
	for text, want := range map[string]store.Freshness{
		"linearizable": {Level: store.Linearizable}, "stale": {Level: store.Stale},
		"stale=250ms": {Level: store.Stale, MaxStale: 250 * time.Millisecond}, "session=17": {Level: store.Session, Index: 17},
	} {
		got, err := store.ParseFreshness(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if back, err := freshnessOf(ReadConsistencyOf(got)); err != nil || back != want {
			t.Errorf("%s over the wire: %+v, %v", text, back, err)
		}
	}
	for _, text := range []string{"", "fresh", "session", "session=0", "session=-1", "stale=", "stale=-1s", "stale=25h", "linearizable=1"} {
		if got, err := store.ParseFreshness(text); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
	for label, c := range map[string]*clusterpb.ReadConsistency{
		"both": {SessionIndex: 1, Stale: true}, "negative": {Stale: true, MaxStaleMs: -1}, "a year": {Stale: true, MaxStaleMs: 1 << 40},
	} {
		if _, err := freshnessOf(c); err == nil {
			t.Errorf("%s is taken", label)
		}
	}
}

func TestKnownFresh(t *testing.T) {
	k := knownFresh{start: time.Now()}
	if k.within(time.Hour) {
		t.Error("fresh before anything is known")
	}
	k.note(time.Now().Add(-time.Minute))
	k.note(time.Now().Add(-time.Hour)) // an older word changes nothing
	k.start = k.start.Add(-2 * time.Hour)
	k.at.Store(int64(time.Since(k.start) - time.Minute))
	if k.within(30*time.Second) || !k.within(2*time.Minute) {
		t.Error("a minute is more than half of one and less than two")
	}
}

// A node that is cut off from the leader answers sessions that it has applied and stale reads,
// but nothing that it cannot vouch for.
func TestReadsOfARealReplicaWithoutVoters(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes; not in -short")
	}
	c := startRealCluster(t)
	c.join(t, "n4", "n1", registry.RoleReplica)
	tld := &fsmpb.Command{Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: "example", Roid: "T1", Policy: &fsmpb.TLDPolicy{
		RoidSuffix: "EX", Currency: "EUR", MinPeriodYears: 1, MaxPeriodYears: 10, MaxNameServers: 13,
		ApexServers: []*fsmpb.ApexServer{{Name: "ns.host.test"}}, SoaMname: "ns.host.test", SoaRname: "h.host.test",
		SoaRefreshSeconds: 1, SoaRetrySeconds: 1, SoaExpireSeconds: 1, SoaMinimumSeconds: 1, ApexTtlSeconds: 1, DelegationTtlSeconds: 1,
	}}}}
	resp, err := c.admin(t, "n1").Execute(testContext(t), &clusterpb.ExecuteRequest{Command: tld})
	if err == nil {
		err = ResultError(resp.GetResult())
	}
	if err != nil {
		t.Fatal(err)
	}
	token := resp.GetResult().GetIndex()
	read := func(id string, want *clusterpb.ReadConsistency, timeout time.Duration) error {
		ctx, cancel := context.WithTimeout(testContext(t), timeout)
		defer cancel()
		got, err := c.admin(t, id).ReadObject(ctx, &clusterpb.ReadObjectRequest{Kind: uint32(registry.KindDomain), Name: "none.example", Consistency: want})
		if err = ErrorFromStatus(err); errors.Is(err, registry.CodeObjectDoesNotExist) {
			return nil // it was read, and there is none
		}
		if err == nil {
			t.Errorf("there is %v", got)
		}
		return err
	}
	kinds := map[string]*clusterpb.ReadConsistency{
		"linearizable": nil, "session": {SessionIndex: token}, "stale": {Stale: true}, "bounded": {Stale: true, MaxStaleMs: 60_000},
	}
	for label, want := range kinds {
		if err := read("n4", want, testWait); err != nil {
			t.Errorf("%s while all is well: %v", label, err)
		}
	}
	// The leader still sees the replica, and the replica the leader, but the other voters are
	// frozen: nobody confirms the leader.
	leader := c.leader(t, "n1")
	for _, id := range []string{"n1", "n2", "n3"} {
		if id == leader {
			continue
		}
		if err := c.children[id].cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{leader, "n4"} {
		if err := read(id, nil, 2*time.Second); err == nil {
			t.Errorf("%s answered a linearizable read while no other voter confirmed the leader", id)
		}
		if err := read(id, kinds["session"], time.Second); err != nil {
			t.Errorf("a session on %s that has applied its index: %v", id, err)
		}
	}
	for _, id := range []string{"n1", "n2", "n3"} {
		_ = c.children[id].cmd.Process.Signal(syscall.SIGCONT) // it may not be frozen
		c.children[id].kill(t)
	}
	for label, want := range kinds {
		err := read("n4", want, time.Second)
		if wantErr := label == "linearizable"; (err != nil) != wantErr {
			t.Errorf("%s without voters: %v", label, err)
		}
	}
	if err := read("n4", &clusterpb.ReadConsistency{Stale: true, MaxStaleMs: 1}, time.Second); err == nil {
		t.Error("a read that may be one millisecond stale was answered without voters")
	}
	if err := read("n4", &clusterpb.ReadConsistency{SessionIndex: token + 1000}, time.Second); err == nil {
		t.Error("a session from the future was answered")
	}
}
