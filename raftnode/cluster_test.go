package raftnode

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"

	"cadastre/registry"
	"cadastre/store"
)

func TestThreeVotersSurviveTheLossOfTheLeader(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(3)
	c.nodes["n1"].propose(t, clusterInit())
	c.nodes["n1"].propose(t, tldPut("example"))
	c.register(0, 10)
	c.agree("n1", "n2", "n3")

	old := c.leader()
	old.kill(t)
	c.register(10, 20)
	old.start(t)
	c.register(20, 21)
	c.agree("n1", "n2", "n3")
	for i := range 21 {
		for id, n := range c.nodes {
			if !n.hasRegistrar(t, registrarID(i)) {
				t.Errorf("node %s lacks registrar %d", id, i)
			}
		}
	}
}

func TestOrderlyStopHandsLeadershipOver(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(3)
	c.nodes["n1"].propose(t, clusterInit())
	c.agree("n1", "n2", "n3")
	stopped := c.leader()
	if err := stopped.stop(t); err != nil {
		t.Fatalf("Run returned %v", err)
	}
	at := time.Now()
	eventually(t, "another leader", func() error {
		for id, n := range c.nodes {
			if id != stopped.id && n.node.raft.Load().State() == raft.Leader {
				return nil
			}
		}
		return errors.New("none yet")
	})
	if took := time.Since(at); took >= testTimeouts.Heartbeat {
		t.Errorf("a new leader only came after %s, as after a crash", took)
	}
	c.register(0, 1)
}

func TestLaggingFollowerGetsACheckpoint(t *testing.T) {
	c := newCluster(t, func(cfg *Config) { cfg.TrailingEntries = 1 })
	c.voters(3)
	c.nodes["n1"].propose(t, clusterInit())
	c.register(0, 3)
	c.agree("n1", "n2", "n3")
	lagging := c.nodes["n3"]
	if c.leader() == lagging {
		if err := lagging.node.TransferLeadership(testContext(t), ""); err != nil {
			t.Fatal(err)
		}
		c.leader()
	}
	before, _ := lagging.stateHash(t)
	lagging.kill(t)
	c.register(3, 30)
	c.nodes["n1"].snapshot(t)
	c.nodes["n2"].snapshot(t)
	first, err := c.nodes["n1"].node.log.FirstIndex()
	if err != nil || first <= before+1 {
		t.Fatalf("the log still begins at %d (%v), the follower is at %d", first, err, before)
	}

	lagging.open(t)
	signals := lagging.node.Subscribe()
	defer signals.Close()
	lagging.run(t)
	c.agree("n1", "n2", "n3")
	select {
	case <-signals.Published:
	case <-time.After(patience):
		t.Error("subscribers were not told of the installed state")
	}
	// It now follows the log, and so it does after a restart.
	c.register(30, 33)
	lagging.kill(t)
	lagging.start(t)
	c.register(33, 34)
	c.agree("n1", "n2", "n3")
}

func TestSeededNonvoterCatchesUpFromTheLog(t *testing.T) {
	c := newCluster(t, func(cfg *Config) { cfg.TrailingEntries = 1 })
	c.voters(1)
	source := c.nodes["n1"]
	source.propose(t, clusterInit())
	c.register(0, 20)
	source.snapshot(t) // the log no longer begins at 1

	joining := c.add("n2")
	at := seed(t, source, joining)
	c.register(20, 25)
	joining.start(t)
	if got := joining.node.AppliedIndex(); got != at {
		t.Fatalf("the seeded node starts at index %d, its state is at %d", got, at)
	}
	if has, err := joining.node.HasState(); err != nil || !has {
		t.Fatalf("HasState of a seeded node: %v, %v", has, err)
	}
	installed := false
	joining.node.snapshots.mu.Lock()
	installed = len(joining.node.snapshots.repeats.at) > 0
	joining.node.snapshots.mu.Unlock()
	if err := source.node.AddNonvoter(testContext(t), joining.id, joining.address); err != nil {
		t.Fatal(err)
	}
	c.register(25, 30)
	c.agree("n1", "n2")
	joining.node.snapshots.mu.Lock()
	installed = installed || len(joining.node.snapshots.repeats.at) > 0
	joining.node.snapshots.mu.Unlock()
	if installed {
		t.Error("the seeded node was sent a checkpoint, though the log had all that it lacked")
	}
	servers, err := joining.node.Servers()
	if err != nil {
		t.Fatal(err)
	}
	want := []Server{{ID: "n1", Address: source.address, Suffrage: Voter}, {ID: "n2", Address: joining.address, Suffrage: Nonvoter}}
	if diff := cmp.Diff(want, servers); diff != "" {
		t.Errorf("servers (-want +got):\n%s", diff)
	}
	joining.kill(t)
	joining.start(t)
	c.register(30, 31)
	c.agree("n1", "n2")
}

// seed fills the data of a node that is not open with a checkpoint of another.
func seed(t *testing.T, source, target *testNode) uint64 {
	t.Helper()
	st, err := store.Open(target.dir + "/store")
	if err != nil {
		t.Fatal(err)
	}
	index := pipeCheckpoint(t, source.node, target.dir+"/seed")
	if err := errors.Join(st.Restore(target.dir+"/seed"), st.Close()); err != nil {
		t.Fatal(err)
	}
	return index
}

func TestStateSurvivesRestartWithoutReplay(t *testing.T) {
	c, counting := countingCluster(t)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	c.register(0, 10)
	applied, hash := n.stateHash(t)
	if err := n.stop(t); err != nil {
		t.Fatal(err)
	}
	counting.reset()
	n.start(t)
	eventually(t, "leading again", func() error { return errUnless(n.node.IsLeader(), "not yet") })
	if low := counting.lowest(); low <= applied {
		t.Errorf("entry %d was given to the state machine again, applied was %d", low, applied)
	}
	if _, got := n.stateHash(t); got == "" || len(got) != len(hash) {
		t.Errorf("state hash %q", got)
	}
	if !n.hasRegistrar(t, registrarID(9)) {
		t.Error("a registrar is gone after the restart")
	}
	if err := n.stop(t); err != nil {
		t.Fatal(err)
	}
	n.open(t)
	if err := n.node.Bootstrap(); err == nil {
		t.Error("bootstrap over existing state was not refused")
	}
	n.run(t)
}

func TestNotLeader(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(2)
	leader := c.leader()
	follower := c.nodes["n2"]
	if leader == follower {
		follower = c.nodes["n1"]
	}
	eventually(t, "the follower knows the leader", func() error {
		id, _ := follower.node.Leader()
		return errUnless(id == leader.id, "it knows "+id)
	})
	for what, call := range map[string]func() error{
		"Propose":     func() error { _, err := follower.node.Propose(testContext(t), tick()); return err },
		"ReadIndex":   func() error { _, err := follower.node.ReadIndex(testContext(t)); return err },
		"AddNonvoter": func() error { return follower.node.AddNonvoter(testContext(t), "x", "127.0.0.1:1") },
		"Transfer":    func() error { return follower.node.TransferLeadership(testContext(t), "") },
	} {
		err := call()
		var not *NotLeaderError
		if !errors.As(err, &not) || not.LeaderID != leader.id || not.LeaderAddress != leader.address {
			t.Errorf("%s on a follower: %v", what, err)
		}
		if !errors.Is(err, registry.CodeUnavailable) {
			t.Errorf("%s: %v does not match CodeUnavailable", what, err)
		}
	}
}

func TestMembership(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	leader := c.nodes["n1"]
	leader.propose(t, clusterInit())
	ctx := testContext(t)
	if err := leader.node.RemoveServer(ctx, "n1"); err == nil || errors.Is(err, registry.CodeOutcomeUnknown) {
		t.Errorf("removing the last voter: %v", err)
	}
	n2 := c.add("n2")
	n2.start(t)
	if err := leader.node.AddNonvoter(ctx, "n2", n2.address); err != nil {
		t.Fatal(err)
	}
	if err := leader.node.TransferLeadership(ctx, "n2"); err == nil {
		t.Error("leadership went to a non-voter")
	}
	if err := leader.node.AddVoter(ctx, "n2", n2.address); err != nil {
		t.Fatal(err)
	}
	c.agree("n1", "n2")
	if err := leader.node.TransferLeadership(ctx, "n2"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "n2 leads", func() error { return errUnless(n2.node.IsLeader(), "not yet") })
	if err := n2.node.DemoteVoter(ctx, "n1"); err != nil {
		t.Fatal(err)
	}
	if err := n2.node.RemoveServer(ctx, "n1"); err != nil {
		t.Fatal(err)
	}
	n2.propose(t, tick())
	status, err := n2.node.Status()
	if err != nil || !status.IsMember || !status.IsServing || status.State != "Leader" || len(status.Peers) != 0 || status.AppliedIndex == 0 {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestRunLeaderEndsWithLeadership(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(2)
	type event struct {
		node string
		runs bool
	}
	var mu sync.Mutex
	var events []event
	running := 0
	ctx, cancel := context.WithCancel(context.Background())
	var helpers sync.WaitGroup
	for id, n := range c.nodes {
		node := n.node
		helpers.Go(func() {
			node.RunLeader(ctx, func(ctx context.Context) {
				mu.Lock()
				events = append(events, event{id, true})
				running++
				mu.Unlock()
				<-ctx.Done()
				mu.Lock()
				running--
				events = append(events, event{id, false})
				mu.Unlock()
			})
		})
	}
	runsOn := func(id string) func() error {
		return func() error {
			mu.Lock()
			defer mu.Unlock()
			for i := len(events) - 1; i >= 0; i-- {
				if events[i].node == id {
					return errUnless(events[i].runs && running == 1, fmt.Sprintf("%v", events))
				}
			}
			return errors.New("no event")
		}
	}
	from := c.leader()
	eventually(t, "work on the leader", runsOn(from.id))
	if err := from.node.TransferLeadership(testContext(t), ""); err != nil {
		t.Fatal(err)
	}
	to := c.leader()
	if to == from {
		t.Fatal("leadership did not move")
	}
	eventually(t, "work on the new leader only", runsOn(to.id))
	cancel()
	helpers.Wait()
	if running != 0 {
		t.Errorf("%d still running", running)
	}
}
