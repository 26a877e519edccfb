package raftnode

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cadastre/registry"
)

func TestReadIndexThenWaitAppliedSeesEveryAcknowledgedWrite(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(3)
	leader := c.leader()
	leader.propose(t, clusterInit())
	for i := range 20 {
		leader.propose(t, registrarCreate(i))
		index, err := leader.node.ReadIndex(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		for id, n := range c.nodes {
			if err := n.node.WaitApplied(testContext(t), index); err != nil {
				t.Fatal(err)
			}
			if !n.hasRegistrar(t, registrarID(i)) {
				t.Fatalf("node %s applied read index %d and lacks registrar %d", id, index, i)
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := leader.node.WaitApplied(ctx, 1<<40); !errors.Is(err, registry.CodeUnavailable) {
		t.Errorf("waiting for the far future: %v", err)
	}
}

func TestReadIndexOfSingleVoterAsksNobody(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.leader()
	n2 := c.add("n2")
	n2.start(t)
	if err := n.node.AddNonvoter(testContext(t), "n2", n2.address); err != nil {
		t.Fatal(err)
	}
	if _, err := n.node.ReadIndex(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if got := n.confirms.Load(); got != 0 {
		t.Errorf("%d questions were asked", got)
	}
}

// A leader that is cut off from the other voters but still reaches a non-voter must not
// serve a linearizable read, least of all when another leader has written meanwhile.
func TestReadIndexRefusedWithoutVoters(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(3)
	n1 := c.nodes["n1"]
	if c.leader() != n1 {
		t.Skip("another node won an election on this busy machine before the test began")
	}
	n1.propose(t, clusterInit())
	replica := c.add("n4")
	replica.start(t)
	if err := n1.node.AddNonvoter(testContext(t), "n4", replica.address); err != nil {
		t.Fatal(err)
	}
	c.agree("n1", "n2", "n3", "n4")
	term := n1.node.raft.Load().CurrentTerm()
	c.net.partition("n1", "n2", "n3")
	if err := replica.node.AnswerConfirmTerm("n1", term); err != nil {
		t.Fatalf("the non-voter does not answer: %v", err)
	}
	elected := make(chan struct{})
	go func() {
		defer close(elected)
		eventually(t, "a new leader", func() error {
			return errUnless(c.nodes["n2"].node.IsLeader() || c.nodes["n3"].node.IsLeader(), "none")
		})
	}()
	refusals := 0
	for done := false; !done; {
		select {
		case <-elected:
			done = true
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		index, err := n1.node.ReadIndex(ctx)
		cancel()
		if err == nil {
			t.Fatalf("the leader without voters answered read index %d", index)
		}
		if !errors.Is(err, registry.CodeUnavailable) {
			t.Fatalf("refused with %v", err)
		}
		refusals++
	}
	if refusals == 0 {
		t.Error("nothing was tried")
	}
	c.net.heal()
	c.register(0, 1)
	c.agree("n1", "n2", "n3", "n4")
}

func TestAnswerConfirmTerm(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(2)
	leader := c.leader()
	follower := c.nodes["n2"]
	if leader == follower {
		follower = c.nodes["n1"]
	}
	term := leader.node.raft.Load().CurrentTerm()
	for _, tt := range []struct {
		name, leader string
		term         uint64
		ok           bool
	}{
		{"current", leader.id, term, true},
		{"an older term", leader.id, term - 1, false},
		{"a later term", leader.id, term + 1, false},
		{"another leader", follower.id, term, false},
	} {
		if err := follower.node.AnswerConfirmTerm(tt.leader, tt.term); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Rounds must begin after their callers arrived, and callers who arrive together share one.
func TestReadRoundsAreSharedAndFresh(t *testing.T) {
	var rounds atomic.Int64
	entered := make(chan struct{}, 16)
	release := make(chan struct{})
	var gate atomic.Bool
	c := newCluster(t, func(cfg *Config) {
		ask := cfg.ConfirmTerm
		cfg.ConfirmTerm = func(ctx context.Context, id string, term uint64) error {
			if gate.Load() {
				rounds.Add(1)
				entered <- struct{}{}
				select {
				case <-release:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return ask(ctx, id, term)
		}
	})
	c.voters(2)
	leader := c.leader()
	gate.Store(true)
	var callers sync.WaitGroup
	call := func() {
		callers.Go(func() {
			if _, err := leader.node.ReadIndex(testContext(t)); err != nil {
				t.Errorf("read index: %v", err)
			}
		})
	}
	call()
	<-entered // the first round is under way
	for range 50 {
		call()
	}
	eventually(t, "fifty waiting for the next round", func() error {
		leader.node.reads.mu.Lock()
		defer leader.node.reads.mu.Unlock()
		return errUnless(len(leader.node.reads.waiting) == 50, "not yet")
	})
	close(release)
	callers.Wait()
	if got := rounds.Load(); got != 2 {
		t.Errorf("%d rounds for one caller and fifty more, want 2", got)
	}
}

func TestErrorsOfAStoppedNode(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"].node
	if err := c.nodes["n1"].stop(t); err != nil {
		t.Fatal(err)
	}
	_, proposeErr := n.Propose(testContext(t), tick())
	_, readErr := n.ReadIndex(testContext(t))
	for _, err := range []error{proposeErr, readErr, n.AnswerConfirmTerm("n1", 1)} {
		if !errors.Is(err, ErrNotRunning) || !errors.Is(err, registry.CodeUnavailable) || !strings.Contains(err.Error(), "stopping") {
			t.Errorf("stopped node: %v", err)
		}
	}
}
