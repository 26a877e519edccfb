package raftnode

import (
	"container/heap"
	"context"
	"sync"

	"cadastre/fsm"
)

// appliedIndex is the highest index applied to the state, and those who wait for one.
type appliedIndex struct {
	mu      sync.Mutex
	index   uint64
	waiting appliedHeap
}

type appliedWaiter struct {
	index uint64
	place int // in the heap, -1 once left
	done  chan struct{}
}

func (a *appliedIndex) get() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.index
}

// advance records that everything up to index is applied and wakes those who waited for it.
func (a *appliedIndex) advance(index uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index = max(a.index, index)
	for len(a.waiting) > 0 && a.waiting[0].index <= a.index {
		w, _ := heap.Pop(&a.waiting).(*appliedWaiter)
		close(w.done)
	}
}

// wait returns when index is applied, or with the cause that ended ctx.
func (a *appliedIndex) wait(ctx context.Context, index uint64) error {
	a.mu.Lock()
	if a.index >= index {
		a.mu.Unlock()
		return nil
	}
	w := &appliedWaiter{index: index, done: make(chan struct{})}
	heap.Push(&a.waiting, w)
	a.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if w.place >= 0 {
		heap.Remove(&a.waiting, w.place)
	}
	return context.Cause(ctx)
}

// appliedHeap orders waiters by index, lowest first.
type appliedHeap []*appliedWaiter

func (h appliedHeap) Len() int           { return len(h) }
func (h appliedHeap) Less(i, j int) bool { return h[i].index < h[j].index }
func (h appliedHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is for container/heap.
func (h *appliedHeap) Push(x any) {
	w, _ := x.(*appliedWaiter)
	w.place = len(*h)
	*h = append(*h, w)
}

// Pop is for container/heap.
func (h *appliedHeap) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	w.place = -1
	return w
}

// Subscription tells one listener about what was applied. Signals coalesce: one that is
// not yet taken stands for all that follow.
type Subscription struct {
	// Published gets a signal after a zone publication, or a whole new state, was applied.
	Published <-chan struct{}
	// Dirty gets a signal after names became dirty, or a whole new state was applied.
	Dirty <-chan struct{}

	published, dirty chan struct{}
	owner            *subscribers
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.owner.mu.Lock()
	defer s.owner.mu.Unlock()
	delete(s.owner.all, s)
}

type subscribers struct {
	mu  sync.Mutex
	all map[*Subscription]struct{}
}

func newSubscribers() *subscribers { return &subscribers{all: make(map[*Subscription]struct{})} }

func (s *subscribers) subscribe() *Subscription {
	sub := &Subscription{published: make(chan struct{}, 1), dirty: make(chan struct{}, 1), owner: s}
	sub.Published, sub.Dirty = sub.published, sub.dirty
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[sub] = struct{}{}
	return sub
}

func (s *subscribers) notify(effects fsm.Effects) {
	if !effects.Published && !effects.Dirty {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.all {
		if effects.Published {
			signal(sub.published)
		}
		if effects.Dirty {
			signal(sub.dirty)
		}
	}
}

// signal leaves a token in a channel of capacity one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
