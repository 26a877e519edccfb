package raftnode

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cadastre/store"
)

// stopped opens the store of a node that does not run, for the offline functions.
func stopped(t *testing.T, n *testNode, use func(dir string, st *store.Store)) {
	t.Helper()
	st, err := store.Open(filepath.Join(n.dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	use(filepath.Join(n.dir, "raft"), st)
}

// TestSoleVoterKeepsWhatItsLogHolds loses two of three voters, one of which had entries
// that nobody else has: what the survivor's log holds is there afterwards, committed or not.
func TestSoleVoterKeepsWhatItsLogHolds(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(3)
	leader := c.leader()
	leader.propose(t, clusterInit())
	c.register(1, 10)
	c.agree("n1", "n2", "n3")
	for id, n := range c.nodes {
		if id != leader.id {
			n.kill(t)
		}
	}
	// This one is in the leader's log only and never committed.
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := leader.node.Propose(ctx, registrarCreate(99)); err == nil {
		t.Fatal("a command was committed without a majority")
	}
	leader.kill(t)

	var before LocalState
	stopped(t, leader, func(dir string, st *store.Store) {
		var err error
		if before, err = InspectLocal(dir, st); err != nil {
			t.Fatal(err)
		}
		if before.FirstLogIndex != 1 || before.LastLogIndex <= before.AppliedIndex || before.CurrentTerm < before.LastLogTerm {
			t.Errorf("before: %+v", before)
		}
		if diff := cmp.Diff([]string{"n1", "n2", "n3"}, before.Voters()); diff != "" {
			t.Error(diff)
		}
		// Twice, as after an interruption.
		for range 2 {
			if err := MakeSoleVoter(dir, st, leader.id, leader.address); err != nil {
				t.Fatal(err)
			}
		}
		after, err := InspectLocal(dir, st)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Server{{ID: leader.id, Address: leader.address, Suffrage: Voter}}, after.Servers); diff != "" {
			t.Error(diff)
		}
		if after.LastLogIndex != before.LastLogIndex+2 || after.CurrentTerm != before.CurrentTerm+2 {
			t.Errorf("after: %+v, before: %+v", after, before)
		}
	})

	leader.start(t)
	eventually(t, "the sole voter leads", func() error { return errUnless(leader.node.IsLeader(), "not yet") })
	for _, number := range []int{1, 9, 99} {
		if !leader.hasRegistrar(t, registrarID(number)) {
			t.Errorf("registrar %d is lost", number)
		}
	}
	leader.propose(t, registrarCreate(100))
	// The recovered node takes others in again.
	fresh := c.add("n4")
	fresh.start(t)
	if err := leader.node.AddVoter(testContext(t), "n4", fresh.address); err != nil {
		t.Fatal(err)
	}
	c.agree(leader.id, "n4")
}

// TestSoleVoterFromAStateAlone is what a restore does: there is a state and no log.
func TestSoleVoterFromAStateAlone(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(3)
	first := c.leader()
	first.propose(t, clusterInit())
	c.register(1, 5)
	index, _ := first.stateHash(t)
	copied := c.add("n9")
	if err := first.store.Checkpoint(filepath.Join(copied.dir, "checkpoint")); err != nil {
		t.Fatal(err)
	}
	stopped(t, copied, func(dir string, st *store.Store) {
		if err := MakeSoleVoter(dir, st, "n9", copied.address); err == nil {
			t.Error("a node without a state becomes a voter")
		}
		if err := st.Restore(filepath.Join(copied.dir, "checkpoint")); err != nil {
			t.Fatal(err)
		}
		if err := MakeSoleVoter(dir, st, "n9", copied.address); err != nil {
			t.Fatal(err)
		}
		local, err := InspectLocal(dir, st)
		if err != nil || local.FirstLogIndex != index+1 || local.LastLogIndex != index+1 {
			t.Errorf("%+v, %v; the state is at %d", local, err, index)
		}
	})
	copied.start(t)
	eventually(t, "the copy leads alone", func() error { return errUnless(copied.node.IsLeader(), "not yet") })
	for number := 1; number < 5; number++ {
		if !copied.hasRegistrar(t, registrarID(number)) {
			t.Errorf("registrar %d is lost", number)
		}
	}
	copied.propose(t, registrarCreate(6))

	// A damaged entry is found without a running node.
	copied.kill(t)
	rewriteEntry(t, filepath.Join(copied.dir, "raft"), index+1, func(value []byte) []byte {
		value[len(value)/2] ^= 4
		return value
	})
	stopped(t, copied, func(dir string, st *store.Store) {
		if _, err := InspectLocal(dir, st); !errors.Is(err, errDamagedEntry) {
			t.Errorf("a flipped bit in the log: %v", err)
		}
	})
}
