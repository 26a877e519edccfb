package raftnode

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// countingMachine counts the entries and commands that reach the state machine.
type countingMachine struct {
	inner StateMachine
	delay atomic.Int64

	mu       sync.Mutex
	low      uint64
	entries  int
	commands int
}

func (m *countingMachine) Apply(entries []fsm.Entry) ([][]*fsmpb.Result, fsm.Effects) {
	if d := m.delay.Load(); d > 0 {
		time.Sleep(time.Duration(d)) // a slow disk
	}
	m.mu.Lock()
	for _, e := range entries {
		if m.low == 0 || e.Index < m.low {
			m.low = e.Index
		}
		var envelope fsmpb.Envelope
		if e.Configuration == nil && proto.Unmarshal(e.Data, &envelope) == nil && len(envelope.GetCommands()) > 0 {
			m.entries++
			m.commands += len(envelope.GetCommands())
		}
	}
	m.mu.Unlock()
	return m.inner.Apply(entries)
}

func (m *countingMachine) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.low, m.entries, m.commands = 0, 0, 0
}

func (m *countingMachine) lowest() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.low
}

func TestBatcherPacksConcurrentCommands(t *testing.T) {
	counting := &countingMachine{}
	stamp := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	c := newCluster(t, func(cfg *Config) {
		counting.inner = cfg.Machine
		cfg.Machine = counting
		cfg.Now = func() time.Time { return stamp }
	})
	c.voters(1)
	n := c.nodes["n1"]
	result := n.propose(t, clusterInit())
	counting.reset()
	counting.delay.Store(int64(5 * time.Millisecond))
	const callers = 400
	var wg sync.WaitGroup
	var mu sync.Mutex
	places := make(map[string]bool)
	for i := range callers {
		wg.Go(func() {
			r, err := n.node.Propose(testContext(t), registrarCreate(i))
			if err != nil || registry.Code(r.GetCode()) != registry.CodeOK {
				t.Errorf("registrar %d: %v, %v", i, r, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			places[fmt.Sprintf("%d/%d", r.GetIndex(), r.GetPosition())] = true
			if r.GetTimeMs() != stamp.UnixMilli() {
				t.Errorf("stamped %d, want %d", r.GetTimeMs(), stamp.UnixMilli())
			}
		})
	}
	wg.Wait()
	if len(places) != callers {
		t.Errorf("%d distinct places for %d commands", len(places), callers)
	}
	if counting.commands != callers || counting.entries > callers/4 {
		t.Errorf("%d commands in %d entries", counting.commands, counting.entries)
	}
	t.Logf("%d commands in %d entries", counting.commands, counting.entries)
	if result.GetIndex() == 0 || result.GetTerm() == 0 {
		t.Errorf("result without place: %v", result)
	}
	refused, err := n.node.Propose(testContext(t), registrarCreate(0))
	if err != nil || registry.Code(refused.GetCode()) != registry.CodeObjectExists {
		t.Errorf("a refusal by the rules: %v, %v", refused, err)
	}
	huge := registrarCreate(1)
	huge.Reason = string(make([]byte, maxCommandBytes))
	if _, err := n.node.Propose(testContext(t), huge); !errors.Is(err, registry.CodeParameterRange) {
		t.Errorf("a huge command: %v", err)
	}
}

// A leader that loses its majority cannot know what becomes of what it has taken.
func TestOutcomeUnknownWithoutMajority(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(2)
	leader := c.leader()
	leader.propose(t, clusterInit())
	other := "n2"
	if leader.id == "n2" {
		other = "n1"
	}
	c.net.partition(leader.id, other)
	_, err := leader.node.Propose(testContext(t), registrarCreate(1))
	if !errors.Is(err, registry.CodeOutcomeUnknown) {
		t.Fatalf("without a majority: %v", err)
	}
	c.net.heal()
	next := c.leader()
	result, err := next.node.Propose(testContext(t), registrarCreate(1))
	if err != nil {
		t.Fatal(err)
	}
	if code := registry.Code(result.GetCode()); code != registry.CodeOK && code != registry.CodeObjectExists {
		t.Errorf("asked again: %v", result)
	}
	c.agree("n1", "n2")
}

// countingCluster runs one node with a machine that counts.
func countingCluster(t *testing.T) (*cluster, *countingMachine) {
	t.Helper()
	counting := &countingMachine{}
	c := newCluster(t, func(cfg *Config) {
		counting.inner = cfg.Machine
		cfg.Machine = counting
	})
	c.voters(1)
	return c, counting
}

func TestProposeDeadline(t *testing.T) {
	c, counting := countingCluster(t)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	counting.delay.Store(int64(300 * time.Millisecond))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := n.node.Propose(ctx, registrarCreate(1))
	if !errors.Is(err, registry.CodeOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("past its deadline: %v", err)
	}
	counting.delay.Store(0)
	eventually(t, "the command lands all the same", func() error {
		return errUnless(n.hasRegistrar(t, registrarID(1)), "not yet")
	})
}

// stuckApplier never answers.
type stuckApplier struct{ entries atomic.Int64 }

func (s *stuckApplier) Apply([]byte, time.Duration) raft.ApplyFuture {
	s.entries.Add(1)
	return stuckFuture{}
}

type stuckFuture struct{ raft.ApplyFuture }

func (stuckFuture) Error() error { time.Sleep(50 * time.Millisecond); return raft.ErrLeadershipLost }

func (b *batcher) propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	p, err := b.submit(command)
	if err != nil {
		return nil, err
	}
	return b.await(ctx, p)
}

func TestBatcherBoundsItsQueue(t *testing.T) {
	stopping := make(chan struct{})
	b := newBatcher(time.Now, func(err error) error { return outcomeUnknown(err) }, stopping)
	// Nothing takes from the queue, as when every slot is in flight.
	var wg sync.WaitGroup
	var full, abandoned atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	for range maxQueuedCommands + 100 {
		wg.Go(func() {
			_, err := b.propose(ctx, tick())
			switch {
			case errors.Is(err, registry.CodeOverloaded):
				full.Add(1)
			case errors.Is(err, registry.CodeUnavailable) && errors.Is(err, context.Canceled):
				abandoned.Add(1)
			default:
				t.Errorf("a waiting command: %v", err)
			}
		})
	}
	eventually(t, "a full queue", func() error { return errUnless(full.Load() == 100, fmt.Sprint(full.Load())) })
	cancel()
	wg.Wait()
	if abandoned.Load() != maxQueuedCommands {
		t.Errorf("%d gave up in the queue", abandoned.Load())
	}
	// What was abandoned is never proposed.
	target := &stuckApplier{}
	var runner sync.WaitGroup
	runner.Go(func() { b.run(target) })
	_, err := b.propose(testContext(t), tick())
	for errors.Is(err, registry.CodeOverloaded) { // the queue is still being emptied
		_, err = b.propose(testContext(t), tick())
	}
	if !errors.Is(err, registry.CodeOutcomeUnknown) || !errors.Is(err, raft.ErrLeadershipLost) {
		t.Errorf("a lost leadership: %v", err)
	}
	if target.entries.Load() != 1 {
		t.Errorf("%d entries", target.entries.Load())
	}
	close(stopping)
	runner.Wait()
	b.drain(drainTimeout)
	if b.held != maxEntriesInFlight {
		t.Errorf("%d slots came back", b.held)
	}
}

// Commands that are submitted before any is waited for are committed, each with its result in
// its place, also where one of them is refused at once.
func TestSubmitManyAndWait(t *testing.T) {
	c := newCluster(t, nil)
	c.voters(1)
	n := c.nodes["n1"]
	n.propose(t, clusterInit())
	huge := registrarCreate(99)
	huge.Reason = string(make([]byte, maxCommandBytes))
	var waits []func(context.Context) (*fsmpb.Result, error)
	for i := range 50 {
		waits = append(waits, n.node.Submit(registrarCreate(i)))
	}
	waits = append(waits, n.node.Submit(huge), n.node.Submit(registrarCreate(7)))
	for i, wait := range waits {
		r, err := wait(testContext(t))
		switch {
		case i == 50:
			if !errors.Is(err, registry.CodeParameterRange) {
				t.Errorf("a huge command: %v", err)
			}
		case err != nil, (registry.Code(r.GetCode()) == registry.CodeOK) != (i < 50):
			t.Errorf("registrar %d: %v, %v", i, r, err)
		}
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := n.node.Submit(registrarCreate(100))(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who does not wait: %v", err)
	}
}
