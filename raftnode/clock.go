package raftnode

import (
	"log/slog"
	"sync"
	"time"
)

// maxClockStep is how far the machine's clock may be from what is expected of it and still be
// followed: more than time servers correct at a time, and far less than any period that a
// registration, a transfer or a signature depends on.
const maxClockStep = 30 * time.Second

// leaderClock stamps entries. Registry time follows the stamps and never goes back, so that a
// clock that is set years ahead by mistake would let every registration expire. A step of
// the clock beyond maxClockStep is therefore not followed: stamps go on at the pace of a
// clock that nobody sets, until the machine's is right again or the node is restarted.
type leaderClock struct {
	// now is the machine's clock, elapsed one that cannot be set and does not stop.
	now     func() time.Time
	elapsed func() time.Duration
	logger  *slog.Logger

	mu     sync.Mutex
	base   time.Time // the stamp at baseAt; zero before the first one
	baseAt time.Duration

	isWrong bool // as it was last reported
}

func newLeaderClock(now func() time.Time, logger *slog.Logger) *leaderClock {
	started := time.Now()
	return &leaderClock{now: now, elapsed: func() time.Duration { return sinceBoot(started) }, logger: logger}
}

// stamp returns the time for an entry.
func (c *leaderClock) stamp() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, at := c.now().Round(0), c.elapsed()
	if c.base.IsZero() {
		c.base, c.baseAt = wall, at
	}
	return c.follow(wall, at)
}

// follow takes the machine's clock for the stamps unless it has stepped.
func (c *leaderClock) follow(wall time.Time, at time.Duration) time.Time {
	expected := c.base.Add(at - c.baseAt)
	step := wall.Sub(expected)
	if step.Abs() <= maxClockStep {
		expected, step = wall, 0
	}
	c.base, c.baseAt = expected, at
	if isWrong := step != 0; isWrong != c.isWrong {
		c.isWrong = isWrong
		c.report(step)
	}
	return expected
}

func (c *leaderClock) report(step time.Duration) {
	if step == 0 {
		c.logger.Warn("the machine's clock is right again: entries are stamped by it")
		return
	}
	c.logger.Error("the machine's clock is wrong and not followed: correct it, or restart the node if the cluster's time is what is wrong",
		"ahead_seconds", step.Seconds())
}

// begin is called before this node leads, with the latest stamp of the leader before it and
// how long ago that was at least: a clock that was wrong already when the node started shows
// in the difference.
func (c *leaderClock) begin(agreed time.Time, since time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.elapsed()
	c.base, c.baseAt = agreed.Add(since), at
	c.follow(c.now().Round(0), at)
}

// ahead returns by how much the machine's clock is ahead of the stamps, 0 while it would be
// followed or before the first stamp.
func (c *leaderClock) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base.IsZero() {
		return 0
	}
	step := c.now().Round(0).Sub(c.base.Add(c.elapsed() - c.baseAt))
	if step.Abs() <= maxClockStep {
		return 0
	}
	return step
}

// ClockStep returns by how much this machine's clock is ahead of the time that the cluster
// goes by, as far as this node has led since it was started; 0 while it is right.
func (n *Node) ClockStep() time.Duration { return n.clock.ahead() }
