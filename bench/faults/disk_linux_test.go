package faults

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"cadastre/internal/pause"
)

// testDiskBytes is enough for a few minutes of load, and for what Pebble sets aside for its log: some 70 MB
// for each of up to three files.
const testDiskBytes = 512 << 20

// TestDisksAndPauses hangs and breaks the file systems of real processes, and stops processes
// for a while, all under load.
func TestDisksAndPauses(t *testing.T) {
	c := startCluster(t, Config{Voters: 3, Replicas: 1, DiskBytes: testDiskBytes})
	r, stop := work(t, c)
	t.Run("the leader is stopped and goes on", func(t *testing.T) { pausedLeader(t, c, r) })
	t.Run("a follower is stopped and goes on", func(t *testing.T) { pausedFollower(t, c, r) })
	t.Run("the leader's disk hangs", func(t *testing.T) { hungDisk(t, c, r) })
	t.Run("the leader's disk fails", func(t *testing.T) { failingDisk(t, c, r) })
	stop()
	verify(t, c, r)
}

func pausedLeader(t *testing.T, c *Cluster, r *Registrar) {
	old, err := c.Leader(t.Context(), settleTimeout, "")
	must(t, err)
	began := time.Now()
	must(t, c.Signal(old, syscall.SIGSTOP))
	next, err := c.Leader(t.Context(), settleTimeout, old)
	must(t, err)
	more(t, r, 10, settleTimeout)
	t.Logf("%s was stopped, %s leads; ten more registrations %s later", old, next, time.Since(began).Round(10*time.Millisecond))
	must(t, c.Signal(old, syscall.SIGCONT))
	must(t, c.WaitReady(t.Context(), old))
	must(t, eventually(t.Context(), settleTimeout, "the old leader follows", func(ctx context.Context) error {
		leads, err := c.Metric(ctx, old, "cadastre_raft_is_leader")
		if err == nil && leads != 0 {
			err = errors.New("it still leads")
		}
		return err
	}))
}

func pausedFollower(t *testing.T, c *Cluster, r *Registrar) {
	leader, err := c.Leader(t.Context(), settleTimeout, "")
	must(t, err)
	victim := c.Others(leader, false)[0]
	must(t, c.Signal(victim, syscall.SIGSTOP))
	began := time.Now()
	more(t, r, 50, settleTimeout)
	t.Logf("50 registrations in %s while %s was stopped", time.Since(began).Round(10*time.Millisecond), victim)
	must(t, pause.For(t.Context(), 2*time.Second)) // long enough that it would stand for election
	must(t, c.Signal(victim, syscall.SIGCONT))
	must(t, c.WaitReady(t.Context(), victim))
	if now, err := c.Leader(t.Context(), settleTimeout, ""); err != nil || now != leader {
		t.Errorf("%s led, %s leads after %s came back (%v)", leader, now, victim, err)
	}
}

// hungDisk freezes the file system under the leader. It goes on sending heartbeats, so that
// only its own watchdog can make way for another.
func hungDisk(t *testing.T, c *Cluster, r *Registrar) {
	old, err := c.Leader(t.Context(), settleTimeout, "")
	must(t, err)
	began := time.Now()
	must(t, c.Freeze(old))
	next, err := c.Leader(t.Context(), settleTimeout, old)
	must(t, err)
	more(t, r, 10, settleTimeout)
	took := time.Since(began)
	t.Logf("the disk of %s hung, %s leads; ten more registrations %s later", old, next, took.Round(10*time.Millisecond))
	if took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	must(t, c.Thaw(old))
	must(t, c.AwaitEnd(old, settleTimeout))
	requireOneLine(t, c, old, "the disk hangs")
	must(t, c.StartNode(old))
	must(t, c.WaitReady(t.Context(), old))
}

// failingDisk has the writes of the leader fail. The process must end at the first of them;
// what the disk holds is worth nothing any more, so that the node is rebuilt.
func failingDisk(t *testing.T, c *Cluster, r *Registrar) {
	old, err := c.Leader(t.Context(), settleTimeout, "")
	must(t, err)
	began := time.Now()
	must(t, c.BreakDisk(old))
	must(t, c.AwaitEnd(old, settleTimeout))
	next, err := c.Leader(t.Context(), settleTimeout, old)
	must(t, err)
	more(t, r, 10, settleTimeout)
	t.Logf("the disk of %s failed, %s leads; ten more registrations %s later", old, next, time.Since(began).Round(10*time.Millisecond))
	requireOneLine(t, c, old, "")
	must(t, c.Rebuild(t.Context(), old, next))
	must(t, c.WaitReady(t.Context(), old))
	must(t, c.waitVotes(t.Context()))
	more(t, r, 10, settleTimeout)
}

// requireOneLine sees that the node has said once why it ended since it was started.
func requireOneLine(t *testing.T, c *Cluster, id, cause string) {
	t.Helper()
	var found []string
	for _, line := range strings.Split(c.PresentLog(id), "\n") {
		if strings.HasPrefix(line, "cadastre: ") {
			found = append(found, line)
		}
	}
	if len(found) != 1 || !strings.Contains(found[0], "node "+id+" cannot go on: ") || !strings.Contains(found[0], cause) {
		t.Errorf("node %s says why it ended in %d lines: %q", id, len(found), found)
		return
	}
	t.Logf("its last word: %s", found[0])
}
