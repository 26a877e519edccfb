package raftnode

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// logWriteBound is how long one append, truncation or vote may take. A disk that is
	// slower is broken: a leader in that state blocks the cluster, because it goes on
	// sending heartbeats (raft#503).
	logWriteBound = 10 * time.Second
	// stateWriteBound is the same for applying one batch of up to 1024 entries and for a
	// flush of the state, which move more data.
	stateWriteBound = 60 * time.Second
	// installBound is the same for putting a checkpoint in place, which waits until the
	// longest reader of the old state has finished.
	installBound = 10 * time.Minute
)

// watchdog makes the first failed or hung storage call final. Whatever the disk did with a
// failed write is unknown, so nothing may be built on it.
type watchdog struct {
	fatal  func(error)
	failed atomic.Pointer[error]
}

// guard runs fn. If fn fails or exceeds bound, the node is ended; every later call is
// refused, also if a hung fn returns in the end.
func (w *watchdog) guard(what string, bound time.Duration, fn func() error) error {
	if err := w.err(); err != nil {
		return err
	}
	hang := startCountdown(bound, func() {
		w.fail(fmt.Errorf("%s did not finish within %s: the disk hangs", what, bound))
	})
	defer hang.stop()
	if err := fn(); err != nil {
		w.fail(fmt.Errorf("%s: %w", what, err))
	}
	return w.err()
}

// countdownSlices is in how many steps a bound is waited for. A process or machine that is
// paused finds one step over when it goes on, however long the pause was, and has the others
// left to finish what the disk did meanwhile.
const countdownSlices = 10

// countdown calls a function after a bound of time in which the process ran.
type countdown struct {
	// mu guards what follows.
	mu    sync.Mutex
	left  int
	timer *time.Timer // nil once stopped
}

func startCountdown(bound time.Duration, fn func()) *countdown {
	c := &countdown{left: countdownSlices}
	c.mu.Lock()
	defer c.mu.Unlock()
	slice := bound / countdownSlices
	c.timer = time.AfterFunc(slice, func() {
		if c.step(slice) {
			fn()
		}
	})
	return c
}

// step says whether the last slice is over.
func (c *countdown) step(slice time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer == nil {
		return false
	}
	if c.left--; c.left > 0 {
		c.timer.Reset(slice)
	}
	return c.left == 0
}

func (c *countdown) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	c.timer = nil
}

func (w *watchdog) fail(err error) {
	if w.failed.CompareAndSwap(nil, &err) {
		w.fatal(err)
	}
}

// err returns the failure that ended the node, or nil.
func (w *watchdog) err() error {
	if p := w.failed.Load(); p != nil {
		return *p
	}
	return nil
}
