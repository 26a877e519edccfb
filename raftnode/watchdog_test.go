package raftnode

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestCountdownRunsForItsBound: it ends after the whole bound, not before and not when stopped.
func TestCountdownRunsForItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bound = 10 * time.Second
		began := time.Now()
		done := make(chan time.Duration, 2)
		startCountdown(bound, func() { done <- time.Since(began) })
		stopped := startCountdown(2*bound, func() { t.Error("a stopped countdown ended") })
		if took := <-done; took != bound {
			t.Errorf("a countdown of %s took %s", bound, took)
		}
		stopped.stop()
		select {
		case <-done:
			t.Error("a countdown ended twice")
		case <-time.After(2 * bound):
		}
	})
}

// TestCountdownTakesAPauseForOneSlice: a timer that is late, as after a pause of the process,
// uses up one slice and no more.
func TestCountdownTakesAPauseForOneSlice(t *testing.T) {
	c := startCountdown(time.Hour, func() { t.Error("the bound is over after one slice") })
	defer c.stop()
	if c.step(time.Hour) || c.left != countdownSlices-1 {
		t.Errorf("after one late slice %d are left", c.left)
	}
}
