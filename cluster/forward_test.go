package cluster

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
)

func registrarCommand() *fsmpb.Command {
	return &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: "reg-a"},
		Body:  &fsmpb.Command_DomainDelete{DomainDelete: &fsmpb.DomainDelete{Name: "a.example"}},
	}
}

// proposeOne asks a node to commit one command.
func proposeOne(t *testing.T, peers *Peers, nodeID string, command *fsmpb.Command) (*fsmpb.Result, error) {
	t.Helper()
	outcomes, err := peers.Propose(testContext(t), nodeID, []*fsmpb.Command{command})
	if err != nil {
		return nil, err
	}
	return outcomes[0].result, outcomes[0].err
}

func TestProposeFromFollowerReachesLeader(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	for _, id := range []string{"n1", "n2"} {
		result, err := c.nodes[id].forwarder.Propose(testContext(t), registrarCommand())
		if err != nil || result.Index == 0 {
			t.Errorf("from %s: %v, %v", id, result, err)
		}
	}
	if len(c.group.applied) != 2 {
		t.Errorf("applied %v", c.group.applied)
	}
}

func TestProposeRetriesWithTheSameRequestID(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	c.group.loseNext, c.group.busyNext = 3, 2
	command := registrarCommand()
	if _, err := c.nodes["n2"].forwarder.Propose(testContext(t), command); err != nil {
		t.Fatal(err)
	}
	if len(c.group.applied) != 1 {
		t.Fatalf("several request ids: %v", c.group.applied)
	}
	for key, times := range c.group.applied {
		if times != 4 {
			t.Errorf("%s was proposed %d times, want 3 lost answers and 1 that arrived", key, times)
		}
	}
	if command.RequestId.OriginNode != "n2" || command.RequestId.Counter == 0 {
		t.Errorf("request id %v", command.RequestId)
	}
}

func TestOverloadIsFinalUnlessAnAttemptMayHaveBeenApplied(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	for _, id := range []string{"n1", "n2"} {
		c.group.overloaded = 1
		start := time.Now()
		_, err := c.nodes[id].forwarder.Propose(testContext(t), registrarCommand())
		if !errors.Is(err, registry.CodeOverloaded) || !strings.Contains(err.Error(), "full") {
			t.Errorf("from %s: %v", id, err)
		}
		if took := time.Since(start); took > time.Second || len(c.group.applied) > 0 {
			t.Errorf("from %s: the refusal took %s, applied %v", id, took, c.group.applied)
		}
		// The first answer is lost, the next ones refuse: what became of it is still found out.
		c.group.loseNext, c.group.overloaded = 1, 3
		if _, err := c.nodes[id].forwarder.Propose(testContext(t), registrarCommand()); err != nil {
			t.Errorf("from %s after a lost answer: %v", id, err)
		}
		for key, times := range c.group.applied {
			if times != 2 {
				t.Errorf("from %s: %s was proposed %d times", id, key, times)
			}
		}
		clear(c.group.applied)
	}
}

func TestProposeKeepsAGivenRequestID(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1")
	command := registrarCommand()
	command.RequestId = &fsmpb.RequestID{OriginNode: "n9", BootEpoch: 5, Counter: 6}
	if _, err := c.nodes["n1"].forwarder.Propose(testContext(t), command); err != nil {
		t.Fatal(err)
	}
	if c.group.applied["n9/5/6"] != 1 {
		t.Errorf("applied %v", c.group.applied)
	}
}

func TestProposeHoldsWhileThereIsNoLeader(t *testing.T) {
	c := startFakeCluster(t, "", "n1", "n2")
	done := make(chan error, 1)
	go func() {
		_, err := c.nodes["n2"].forwarder.Propose(testContext(t), registrarCommand())
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("ended without a leader: %v", err)
	case <-time.After(100 * time.Millisecond): // it is to be seen waiting
	}
	c.group.setLeader("n1")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestProposeGivesUpWithTheRightCode(t *testing.T) {
	c := startFakeCluster(t, "", "n1", "n2")
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	_, err := c.nodes["n2"].forwarder.Propose(short(), registrarCommand())
	if !errors.Is(err, registry.CodeUnavailable) {
		t.Errorf("no leader: %v", err)
	}
	c.group.setLeader("n1")
	c.group.loseNext = 1_000_000
	_, err = c.nodes["n2"].forwarder.Propose(short(), registrarCommand())
	if !errors.Is(err, registry.CodeOutcomeUnknown) {
		t.Errorf("lost answers: %v", err)
	}
	c.group.setLeader("n3") // which is nowhere
	_, err = c.nodes["n2"].forwarder.Propose(short(), registrarCommand())
	if !errors.Is(err, registry.CodeUnavailable) {
		t.Errorf("leader of unknown address: %v", err)
	}
	if _, err = c.nodes["n2"].forwarder.ReadIndex(short()); !errors.Is(err, registry.CodeUnavailable) {
		t.Errorf("read index: %v", err)
	}
}

func TestCallToAHungLeaderEndsWhenAnotherIsElected(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2", "n3")
	c.rafts["n1"].hang = make(chan struct{})
	defer close(c.rafts["n1"].hang)
	done := make(chan error, 1)
	start := time.Now()
	go func() {
		_, err := c.nodes["n2"].forwarder.Propose(testContext(t), registrarCommand())
		done <- err
	}()
	eventually(t, "the call is under way", func() bool {
		c.nodes["n2"].peers.mu.Lock()
		defer c.nodes["n2"].peers.mu.Unlock()
		return len(c.nodes["n2"].peers.conns) == 1
	})
	c.group.setLeader("n3")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > proposeAttemptTimeout/2 {
		t.Errorf("it took %s to leave the hung leader", took)
	}
}

func TestForwardedCallGoesOneHopOnly(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2", "n3")
	command := registrarCommand()
	command.RequestId = &fsmpb.RequestID{OriginNode: "n3", BootEpoch: 1, Counter: 1}
	_, err := proposeOne(t, c.nodes["n3"].peers, "n2", command)
	nl, ok := errors.AsType[*raftnode.NotLeaderError](err)
	if !ok || nl.LeaderID != "n1" {
		t.Errorf("a follower answered %v", err)
	}
}

func TestNodesMayNotProposeWhatIsTheLeadersOwn(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	system := &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "publisher"}
	id := &fsmpb.RequestID{OriginNode: "n2", BootEpoch: 1, Counter: 1}
	for label, command := range map[string]*fsmpb.Command{
		"publication":   {Actor: system, RequestId: id, Body: &fsmpb.Command_ZonePublish{ZonePublish: &fsmpb.ZonePublish{}}},
		"tick":          {Actor: system, RequestId: id, Body: &fsmpb.Command_Tick{Tick: &fsmpb.Tick{}}},
		"init":          {Actor: system, RequestId: id, Body: &fsmpb.Command_ClusterInit{ClusterInit: &fsmpb.ClusterInit{}}},
		"no actor":      {RequestId: id, Body: registrarCommand().Body},
		"nothing":       {RequestId: id},
		"no request id": registrarCommand(),
	} {
		if _, err := proposeOne(t, c.nodes["n2"].peers, "n1", command); err == nil {
			t.Errorf("%s: accepted", label)
		}
	}
	if len(c.group.applied) != 0 {
		t.Errorf("applied %v", c.group.applied)
	}
}

func TestConfirmTermOnlyForOneself(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	if err := c.nodes["n1"].peers.ConfirmTerm(testContext(t), "n2", "n1", 3); err != nil {
		t.Error(err)
	}
	if err := c.nodes["n1"].peers.ConfirmTerm(testContext(t), "n2", "n3", 3); !errors.Is(err, registry.CodeAuthorization) {
		t.Errorf("asked for another node: %v", err)
	}
}

func TestConcurrentReadersShareRounds(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	c.rafts["n1"].hang = make(chan struct{})
	const readers = 200
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			if err := c.nodes["n2"].forwarder.Linearizable(testContext(t)); err != nil {
				t.Error(err)
			}
		})
	}
	close(c.rafts["n1"].hang)
	wg.Wait()
	c.group.mu.Lock()
	defer c.group.mu.Unlock()
	if c.group.reads > readers/2 {
		t.Errorf("%d readers took %d rounds", readers, c.group.reads)
	}
}

func TestReaderNeverJoinsAStartedRound(t *testing.T) {
	rs := rounds{wake: make(chan struct{}, readRoundWorkers)}
	first, err := rs.join()
	if err != nil {
		t.Fatal(err)
	}
	if same, _ := rs.join(); same != first {
		t.Error("two readers before the start do not share")
	}
	if started := rs.take(); started != first {
		t.Fatal("the waiting round is not the one taken")
	}
	second, _ := rs.join()
	if second == first {
		t.Error("a reader joined a round that had started")
	}
	rs.close()
	select {
	case <-second.done:
	default:
		t.Error("closing left a reader waiting")
	}
	if _, err := rs.join(); !errors.Is(err, registry.CodeUnavailable) {
		t.Errorf("join after close: %v", err)
	}
}

func TestErrorsSurviveTheWire(t *testing.T) {
	tests := []*registry.Error{
		{Code: registry.CodeBilling, Field: "registrar", Value: "reg-a", Reason: "no credit"},
		{Code: registry.CodeUnavailable},
		{Code: registry.CodeOutcomeUnknown, Reason: "lost"},
	}
	for _, want := range tests {
		got := ErrorFromStatus(StatusFromError(want))
		if got.Error() != want.Error() || !errors.Is(got, want.Code) {
			t.Errorf("sent %v, received %v", want, got)
		}
	}
	nl, ok := errors.AsType[*raftnode.NotLeaderError](ErrorFromStatus(StatusFromError(&raftnode.NotLeaderError{LeaderID: "n2", LeaderAddress: "a:1"})))
	if !ok || nl.LeaderID != "n2" || nl.LeaderAddress != "a:1" {
		t.Errorf("not-leader arrived as %v", nl)
	}
	hidden := &registry.Error{Code: registry.CodeInternal, Err: errors.New("/var/secret path")}
	if got := StatusFromError(hidden).Error(); got == "" || strings.Contains(got, "secret") {
		t.Errorf("the cause leaked: %s", got)
	}
	if got := StatusFromError(errors.New("/var/secret path")).Error(); strings.Contains(got, "secret") {
		t.Errorf("the cause leaked: %s", got)
	}
	if StatusFromError(nil) != nil || ErrorFromStatus(nil) != nil {
		t.Error("nil is not nil")
	}
}

func TestStatusCall(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1", "n2")
	got, err := c.nodes["n2"].peers.Status(testContext(t), "n1")
	if err != nil || got.NodeId != "n1" || !got.IsLeader || len(got.StateHash) == 0 {
		t.Errorf("status %v, %v", got, err)
	}
}
