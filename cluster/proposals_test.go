package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func TestProposalsShareCalls(t *testing.T) {
	ps := &proposals{wake: make(chan struct{}, proposeWorkers)}
	gate := make(chan struct{})
	var mu sync.Mutex
	var sizes []int
	send := func(_ context.Context, leaderID string, commands []*fsmpb.Command) []outcomeOf {
		mu.Lock()
		sizes = append(sizes, len(commands))
		mu.Unlock()
		<-gate
		outcomes := make([]outcomeOf, len(commands))
		for i, c := range commands {
			outcomes[i] = outcomeOf{result: &fsmpb.Result{Index: c.GetRequestId().GetCounter()}}
			if leaderID != "n1" {
				outcomes[i] = outcomeOf{err: fmt.Errorf("sent to %s", leaderID)}
			}
		}
		return outcomes
	}
	var workers sync.WaitGroup
	ctx, cancel := context.WithCancel(testContext(t))
	for range proposeWorkers {
		workers.Go(func() { ps.work(ctx, send) })
	}
	const count = 100
	var callers sync.WaitGroup
	propose := func(from, to int) {
		for i := from; i < to; i++ {
			callers.Go(func() {
				result, err := ps.propose(ctx, "n1", &fsmpb.Command{RequestId: &fsmpb.RequestID{Counter: uint64(i)}})
				if err != nil || result.GetIndex() != uint64(i) {
					t.Errorf("command %d: %v, %v", i, result, err)
				}
			})
		}
	}
	calls := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(sizes)
	}
	for i := range proposeWorkers { // one at a time, so that each worker has one
		propose(i, i+1)
		eventually(t, "the call is under way", func() bool { return calls() == i+1 })
	}
	propose(proposeWorkers, count)
	eventually(t, "the others wait", func() bool {
		ps.mu.Lock()
		defer ps.mu.Unlock()
		return len(ps.waiting) == count-proposeWorkers
	})
	close(gate)
	callers.Wait()
	cancel()
	workers.Wait()
	if want := append(slices.Repeat([]int{1}, proposeWorkers), count-proposeWorkers); !slices.Equal(sizes, want) {
		t.Errorf("commands per call %v, want %v", sizes, want)
	}
}

func TestProposalsTakeWhatFitsAndHasOneLeader(t *testing.T) {
	ps := &proposals{wake: make(chan struct{}, proposeWorkers)}
	for _, p := range []*forwarded{
		{leaderID: "n1", bytes: maxForwardedBytes - 1}, {leaderID: "n1", bytes: 1}, {leaderID: "n1", bytes: 1},
		{leaderID: "n2", bytes: 2 * maxForwardedBytes}, {leaderID: "n2", bytes: 1},
	} {
		if err := ps.add(p); err != nil {
			t.Fatal(err)
		}
	}
	for range maxForwardedCommands {
		if err := ps.add(&forwarded{leaderID: "n2", bytes: 1}); err != nil {
			t.Fatal(err)
		}
	}
	var sizes []int
	for batch := ps.take(); len(batch) > 0; batch = ps.take() {
		sizes = append(sizes, len(batch))
	}
	if want := []int{2, 1, 1, maxForwardedCommands, 1}; !slices.Equal(sizes, want) {
		t.Errorf("commands per call %v, want %v", sizes, want)
	}
}

func TestProposalsTellUnsentFromSent(t *testing.T) {
	ps := &proposals{wake: make(chan struct{}, proposeWorkers)}
	ended, cancel := context.WithCancel(testContext(t))
	cancel()
	if _, err := ps.propose(ended, "n1", &fsmpb.Command{}); !errors.Is(err, registry.CodeUnavailable) {
		t.Errorf("not sent: %v", err)
	}
	ctx, cancel := context.WithCancel(testContext(t))
	done := make(chan error, 1)
	go func() {
		_, err := ps.propose(ctx, "n1", &fsmpb.Command{})
		done <- err
	}()
	var batch []*forwarded
	eventually(t, "it waits", func() bool { batch = ps.take(); return len(batch) == 1 })
	cancel()
	if err := <-done; classify(err) != outcomeMaybe {
		t.Errorf("sent: %v", err)
	}
	ps.close()
	if _, err := ps.propose(testContext(t), "n1", &fsmpb.Command{}); !errors.Is(err, registry.CodeUnavailable) {
		t.Errorf("closed: %v", err)
	}
}
