package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"

	"cadastre/internal/pause"
)

const (
	// recoverTimeout is within which a cluster must work again after every fault is over.
	recoverTimeout = 2 * time.Minute
	// endTimeout is within which a node with a broken disk must have ended.
	endTimeout = 90 * time.Second
	// powerCutEvery is in how many rounds every node is killed at once, on average.
	powerCutEvery = 12
	// soakPace keeps the load moderate: what is proved needs faults more than commands.
	soakPace = 15 * time.Millisecond
)

// Soak mixes all faults at random for the duration, under load, and reports to out. The seed
// decides which faults come, in which order and for how long.
type Soak struct {
	Cluster  *Cluster
	Duration time.Duration
	Seed     uint64
	Out      io.Writer

	registrar *Registrar
	random    *rand.Rand
	counts    map[string]int
	hurt      map[string]bool // nodes that the present round has chosen
	slowest   time.Duration   // from the end of the faults to a working cluster
}

// fault begins and returns what ends it, which is called after a while.
type fault struct {
	name  string
	begin func(ctx context.Context, id string) (end func(ctx context.Context) error, err error)
	hold  time.Duration // the longest time that it lasts
	// rank orders the ends: what needs a working majority to end comes after the rest, and
	// there is one such fault in a round, because two could take the majority's data away.
	rank int
}

func (s *Soak) faults() []fault {
	c := s.Cluster
	heal := func(context.Context) error { return c.Heal() }
	return []fault{
		{"kill", s.kill, 2 * time.Second, 0},
		{"pause", s.stop, 6 * time.Second, 0},
		{"cut off from voters", func(_ context.Context, id string) (func(context.Context) error, error) {
			return heal, c.CutBoth(id, c.Others(id, false)...)
		}, 5 * time.Second, 0},
		{"cut off from all", func(_ context.Context, id string) (func(context.Context) error, error) {
			return heal, c.CutBoth(id, c.Others(id, true)...)
		}, 5 * time.Second, 0},
		{"deaf", func(_ context.Context, id string) (func(context.Context) error, error) {
			return heal, s.eachOther(id, func(other string) error { return c.Cut(other, id) })
		}, 5 * time.Second, 0},
		{"mute", func(_ context.Context, id string) (func(context.Context) error, error) {
			return heal, s.eachOther(id, func(other string) error { return c.Cut(id, other) })
		}, 5 * time.Second, 0},
		{"flapping link", s.flap, time.Second, 0},
		{"disk hangs for a moment", s.freezeBriefly, 4 * time.Second, 0},
		{"disk hangs", s.freezeForGood, time.Second, 1},
		{"disk fails", s.breakDisk, time.Second, 1},
	}
}

func (s *Soak) eachOther(id string, do func(other string) error) error {
	var errs []error
	for _, other := range s.Cluster.Others(id, true) {
		errs = append(errs, do(other))
	}
	return errors.Join(errs...)
}

// Run does the soak; an error is a broken promise or a cluster that is stuck.
func (s *Soak) Run(ctx context.Context) error {
	s.random, s.counts = rand.New(rand.NewPCG(s.Seed, 3)), make(map[string]int)
	s.registrar = NewRegistrar(s.Cluster.Info())
	s.registrar.Pace = soakPace
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var workers sync.WaitGroup
	for i, n := range s.Cluster.Info().Nodes {
		workers.Go(func() { s.registrar.Create(working, "soak-"+n.ID, i) })
	}
	for i := range 2 {
		workers.Go(func() { s.registrar.Read(working, s.Seed+uint64(i)) })
	}
	err := s.rounds(ctx)
	stop()
	workers.Wait()
	if err != nil {
		return err
	}
	v, err := s.Cluster.Verify(ctx, s.registrar, recoverTimeout)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, `faults: %s
%d acknowledged registrations are on all %d nodes; %d charges, one for each registration, the account exact
state hash %s on every node at index %d
%d attempts without an answer, each settled by asking again elsewhere: %d of them had been done
%d linearizable reads, none stale; longest wait for a definite answer %s; longest recovery %s
`, s.summary(), v.Acknowledged, len(s.Cluster.Info().Nodes), v.Charged, v.StateHash, v.AppliedIndex,
		s.registrar.Unknown.Load(), s.registrar.DoneInSilence.Load(), s.registrar.Reads.Load(),
		s.registrar.Slowest().Round(time.Millisecond), s.slowest.Round(time.Millisecond))
	return err
}

func (s *Soak) summary() string {
	var parts []string
	for name, n := range s.counts {
		parts = append(parts, fmt.Sprintf("%s %d", name, n))
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}

func (s *Soak) rounds(ctx context.Context) error {
	deadline := time.Now().Add(s.Duration)
	for round := 1; time.Now().Before(deadline); round++ {
		if err := s.round(ctx, round); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		if err := s.registrar.Violations(); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	return nil
}

// round injects one fault, half of the time a second one on another node beside it, ends them
// and waits until the cluster works.
func (s *Soak) round(ctx context.Context, round int) error {
	s.hurt = make(map[string]bool)
	var names []string
	var err error
	if s.random.IntN(powerCutEvery) == 0 {
		names = []string{"power cut everywhere"}
		s.counts[names[0]]++
		err = s.powerCut(ctx)
	} else {
		names, err = s.mix(ctx)
	}
	if err != nil {
		return fmt.Errorf("%q: %w", names, err)
	}
	took, err := s.recovered(ctx)
	if err != nil {
		return fmt.Errorf("after %q: %w\n%s", names, err, s.Cluster.Logs())
	}
	_, _ = fmt.Fprintf(s.Out, "round %3d: %s; works %s after the end; %d registrations\n",
		round, strings.Join(names, " + "), took.Round(10*time.Millisecond), s.registrar.Count()) // only a report
	return ctx.Err()
}

// mix begins one fault or two and ends them.
func (s *Soak) mix(ctx context.Context) (names []string, err error) {
	var ends [2][]func(context.Context) error
	for range 1 + s.random.IntN(2) {
		id := s.victim(ctx)
		list := s.faults()
		f := list[s.random.IntN(len(list))]
		for f.rank > 0 && ends[f.rank] != nil {
			f = list[s.random.IntN(len(list))]
		}
		names = append(names, f.name+" "+id)
		s.counts[f.name]++
		end, err := f.begin(ctx, id)
		if err != nil {
			return names, err
		}
		ends[f.rank] = append(ends[f.rank], end)
		_ = pause.For(ctx, time.Duration(s.random.Int64N(int64(f.hold)))) // the caller looks at ctx
	}
	for _, end := range append(ends[0], ends[1]...) {
		if err := end(ctx); err != nil {
			return names, err
		}
	}
	return names, nil
}

// powerCut kills every node at once and starts them again.
func (s *Soak) powerCut(ctx context.Context) error {
	var errs []error
	for _, n := range s.Cluster.Info().Nodes {
		errs = append(errs, s.Cluster.Signal(n.ID, syscall.SIGKILL))
	}
	for _, n := range s.Cluster.Info().Nodes {
		errs = append(errs, s.Cluster.Kill(n.ID), s.Cluster.StartNode(n.ID))
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// flap cuts and mends the links of a node several times.
func (s *Soak) flap(ctx context.Context, id string) (func(context.Context) error, error) {
	const flaps, half = 8, 150 * time.Millisecond
	for range flaps {
		if err := s.Cluster.CutBoth(id, s.Cluster.Others(id, true)...); err != nil {
			return nil, err
		}
		_ = pause.For(ctx, half) // the caller looks at ctx
		if err := s.Cluster.Heal(); err != nil {
			return nil, err
		}
		_ = pause.For(ctx, half) // the caller looks at ctx
	}
	return func(context.Context) error { return nil }, nil
}

// victim chooses a node that the round has not chosen yet, often the leader.
func (s *Soak) victim(ctx context.Context) string {
	nodes := s.Cluster.Info().Nodes
	if s.random.IntN(3) == 0 {
		id, err := s.Cluster.Leader(ctx, time.Second, "")
		if err == nil && !s.hurt[id] {
			s.hurt[id] = true
			return id
		}
	}
	for {
		id := nodes[s.random.IntN(len(nodes))].ID
		if !s.hurt[id] {
			s.hurt[id] = true
			return id
		}
	}
}

// recovered waits until every node is ready and registrations go on.
func (s *Soak) recovered(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, recoverTimeout)
	defer cancel()
	for _, n := range s.Cluster.Info().Nodes {
		if s.Cluster.IsDown(n.ID) {
			return 0, fmt.Errorf("node %s has ended by itself", n.ID)
		}
		if err := s.Cluster.WaitReady(ctx, n.ID); err != nil {
			return 0, err
		}
	}
	// A rebuilt node joins without a vote: without it the next fault could take the majority.
	if err := s.Cluster.waitVotes(ctx); err != nil {
		return 0, err
	}
	want := s.registrar.Count() + 20
	err := eventually(ctx, recoverTimeout, "registrations go on", func(context.Context) error {
		if s.registrar.Count() < want {
			return errors.New("too few")
		}
		return nil
	})
	took := time.Since(began)
	s.slowest = max(s.slowest, took)
	return took, err
}

func (s *Soak) kill(_ context.Context, id string) (func(context.Context) error, error) {
	return func(context.Context) error { return s.Cluster.StartNode(id) }, s.Cluster.Kill(id)
}

func (s *Soak) stop(_ context.Context, id string) (func(context.Context) error, error) {
	return func(context.Context) error { return s.Cluster.Signal(id, syscall.SIGCONT) }, s.Cluster.Signal(id, syscall.SIGSTOP)
}

func (s *Soak) freezeBriefly(_ context.Context, id string) (func(context.Context) error, error) {
	return func(context.Context) error { return s.Cluster.Thaw(id) }, s.Cluster.Freeze(id)
}

// freezeForGood lets a disk hang until the node's watchdog has given up, or for as long as
// that may take if the node has nothing to write.
func (s *Soak) freezeForGood(_ context.Context, id string) (func(context.Context) error, error) {
	err := s.Cluster.Freeze(id)
	return func(ctx context.Context) error {
		gaveUp := eventually(ctx, endTimeout, "the watchdog of "+id, func(context.Context) error {
			if !strings.Contains(s.Cluster.PresentLog(id), "the disk hangs") && !s.Cluster.IsDown(id) {
				return errors.New("the node goes on")
			}
			return nil
		})
		if err := errors.Join(gaveUp, s.Cluster.Thaw(id)); err != nil {
			return err
		}
		if err := s.Cluster.AwaitEnd(id, endTimeout); err != nil {
			return err
		}
		return s.Cluster.StartNode(id)
	}, err
}

// breakDisk makes writes fail; the node must end, and is rebuilt from the others.
func (s *Soak) breakDisk(_ context.Context, id string) (func(context.Context) error, error) {
	err := s.Cluster.BreakDisk(id)
	return func(ctx context.Context) error {
		if err := s.Cluster.AwaitEnd(id, endTimeout); err != nil {
			return err
		}
		leader, err := s.Cluster.Leader(ctx, recoverTimeout, id)
		if err != nil {
			return err
		}
		return s.Cluster.Rebuild(ctx, id, leader)
	}, err
}
