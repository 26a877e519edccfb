package raftnode

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"cadastre/store"
)

// fakeClocks are a clock that can be set and one that cannot.
type fakeClocks struct {
	wall    time.Time
	elapsed time.Duration
}

func (f *fakeClocks) pass(d time.Duration) { f.wall, f.elapsed = f.wall.Add(d), f.elapsed+d }

func TestLeaderClock(t *testing.T) {
	begun := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	f := &fakeClocks{wall: begun}
	c := newLeaderClock(func() time.Time { return f.wall }, slog.New(slog.DiscardHandler))
	c.elapsed = func() time.Duration { return f.elapsed }
	expect := func(what string, want time.Time, step time.Duration) {
		t.Helper()
		if got := c.stamp(); !got.Equal(want) || c.ahead() != step {
			t.Errorf("%s: stamped %s with the clock %s ahead, not %s and %s", what, got, c.ahead(), want, step)
		}
	}
	expect("at first", begun, 0)
	f.pass(time.Hour)
	expect("after an hour", begun.Add(time.Hour), 0)
	f.wall = f.wall.Add(20 * time.Second)
	expect("a small correction", begun.Add(time.Hour+20*time.Second), 0)
	f.wall = f.wall.AddDate(10, 0, 0)
	decade := f.wall.Sub(begun.Add(time.Hour + 20*time.Second))
	expect("ten years ahead", begun.Add(time.Hour+20*time.Second), decade)
	f.pass(time.Minute)
	expect("a minute later", begun.Add(time.Hour+80*time.Second), decade)
	f.wall = f.wall.AddDate(-20, 0, 0)
	f.pass(time.Minute)
	if got, want := c.stamp(), begun.Add(time.Hour+140*time.Second); !got.Equal(want) {
		t.Errorf("ten years behind: stamped %s, not %s", got, want)
	}
	f.wall = begun.Add(time.Hour + 141*time.Second)
	expect("right again", begun.Add(time.Hour+141*time.Second), 0)
	c.begin(begun, 2*time.Second)
	expect("wrong when it begins to lead", begun.Add(2*time.Second), time.Hour+139*time.Second)
	c.begin(begun.Add(time.Hour+140*time.Second), time.Second)
	expect("right when it begins to lead", begun.Add(time.Hour+141*time.Second), 0)
}

// TestClockJumpsAreBounded has the clock of a leader jump ten years ahead, and then a node
// lead whose clock was ten years behind from the start: the cluster's time follows neither.
func TestClockJumpsAreBounded(t *testing.T) {
	var ahead, behind atomic.Int64
	c := newCluster(t, func(cfg *Config) {
		id := cfg.NodeID
		cfg.Now = func() time.Time {
			if id == "n1" {
				return time.Now().Add(time.Duration(ahead.Load()))
			}
			return time.Now().Add(-time.Duration(behind.Load()))
		}
	})
	const decade = 10 * 365 * 24 * time.Hour
	behind.Store(int64(decade))
	c.voters(3)
	first := c.nodes["n1"]
	first.propose(t, clusterInit())
	stamped := func(n *testNode) (at time.Time) {
		if err := n.store.View(func(tx *store.ReadTx) error { at = tx.LeaderNow(); return nil }); err != nil {
			t.Fatal(err)
		}
		return at
	}
	bounded := func(n *testNode, what string) {
		t.Helper()
		off := time.Until(stamped(n))
		if off.Abs() > maxClockStep {
			t.Errorf("%s: the cluster's time is off by %s", what, off)
		}
		t.Logf("proved: %s, the cluster's time is off by %s", what, off.Round(time.Millisecond))
	}
	ahead.Store(int64(decade))
	first.propose(t, registrarCreate(1))
	bounded(first, "the leader's clock jumped ten years ahead")
	if first.node.ClockStep() < decade/2 {
		t.Errorf("the step is given as %s", first.node.ClockStep())
	}
	c.agree("n1", "n2", "n3")
	before := stamped(first)
	if err := first.stop(t); err != nil {
		t.Error(err)
	}
	next := c.leader()
	next.propose(t, registrarCreate(2))
	bounded(next, next.id+" leads, whose clock is ten years behind")
	if !stamped(next).After(before) {
		t.Error("the cluster's time stands still")
	}
}
