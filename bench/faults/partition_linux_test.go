package faults

import (
	"context"
	"sync"
	"testing"
	"time"

	"cadastre/epp/eppclient"
	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
)

// TestPartitions cuts links between real processes, each in its own network namespace.
func TestPartitions(t *testing.T) {
	c := startCluster(t, Config{Voters: 3, Replicas: 1})
	r, stop := work(t, c)
	t.Run("a leader that only replicas see", func(t *testing.T) { leaderWithReplicasOnly(t, c, r) })
	t.Run("one-way: a leader that hears nothing", func(t *testing.T) { oneWay(t, c, r, false) })
	t.Run("one-way: a leader that nobody hears", func(t *testing.T) { oneWay(t, c, r, true) })
	t.Run("a link that flaps", func(t *testing.T) { flapping(t, c, r) })
	stop()
	verify(t, c, r)
}

// leaderWithReplicasOnly cuts the leader off from the other voters but not from the replica:
// it must answer no read that promises to be up to date and acknowledge nothing, while the
// majority goes on.
func leaderWithReplicasOnly(t *testing.T, c *Cluster, r *Registrar) {
	old, err := c.Leader(t.Context(), settleTimeout, "")
	must(t, err)
	node, err := c.Info().Node(old)
	must(t, err)
	reader, writer := openSession(t, r, node), openSession(t, r, node)
	known := r.Acknowledged()[0]
	began := time.Now()
	must(t, c.CutBoth(old, c.Others(old, false)...))
	next, err := c.Leader(t.Context(), settleTimeout, old)
	must(t, err)
	t.Logf("%s led, %s leads %s after the cut", old, next, time.Since(began).Round(10*time.Millisecond))
	more(t, r, 20, settleTimeout)
	var asking sync.WaitGroup
	asking.Go(func() { refusedWhileCutOff(t, reader, "a read", &eppxml.DomainInfo{Name: known}) })
	asking.Go(func() {
		refusedWhileCutOff(t, writer, "a write", &eppxml.DomainCreate{Name: "cut-off.example", AuthInfo: &eppxml.AuthInfo{}})
	})
	asking.Wait()
	must(t, c.Heal())
	// Whatever became of the write, asking again elsewhere settles it, once.
	s := &roaming{registrar: r, at: position(c.Info(), next)}
	defer s.close()
	r.settle(t.Context(), s, "cut-off.example")
	must(t, c.WaitReady(t.Context(), old))
	more(t, r, 10, settleTimeout)
}

func openSession(t *testing.T, r *Registrar, node devcluster.Node) *eppclient.Client {
	t.Helper()
	client, err := r.session(t.Context(), node)
	must(t, err)
	t.Cleanup(func() { _ = client.Close() }) // it may be broken
	return client
}

// refusedWhileCutOff accepts a refusal as well as no answer.
func refusedWhileCutOff(t *testing.T, client *eppclient.Client, what string, body eppxml.Body) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	response, err := client.Do(ctx, body, "cut-1")
	switch {
	case err != nil:
		t.Logf("%s through the old leader gets no answer: %v", what, err)
	case response.Code() < 2400:
		t.Errorf("%s through the old leader is answered with %d", what, response.Code())
	default:
		t.Logf("%s through the old leader is answered with %d %q", what, response.Code(), response.Results[0].Reasons)
	}
}

func position(info *devcluster.Info, id string) int {
	for i, n := range info.Nodes {
		if n.ID == id {
			return i
		}
	}
	return 0
}

// oneWay cuts one direction between the leader and the other voters.
func oneWay(t *testing.T, c *Cluster, r *Registrar, outgoing bool) {
	old, err := c.Leader(t.Context(), settleTimeout, "")
	must(t, err)
	began := time.Now()
	for _, other := range c.Others(old, false) {
		from, to := other, old
		if outgoing {
			from, to = old, other
		}
		must(t, c.Cut(from, to))
	}
	next, err := c.Leader(t.Context(), settleTimeout, old)
	must(t, err)
	more(t, r, 10, settleTimeout)
	t.Logf("%s led, %s leads; ten more registrations %s after the cut", old, next, time.Since(began).Round(10*time.Millisecond))
	must(t, c.Heal())
	must(t, c.WaitReady(t.Context(), old))
}

// flapping cuts and mends the link between two voters several times a second.
func flapping(t *testing.T, c *Cluster, r *Registrar) {
	const flaps, half = 16, 200 * time.Millisecond
	leader, err := c.Leader(t.Context(), settleTimeout, "")
	must(t, err)
	other := c.Others(leader, false)[0]
	before, err := c.Metric(t.Context(), leader, "cadastre_raft_term")
	must(t, err)
	count := r.Count()
	for range flaps {
		must(t, c.CutBoth(leader, other))
		must(t, pause.For(t.Context(), half))
		must(t, c.Heal())
		must(t, pause.For(t.Context(), half))
	}
	more(t, r, 10, settleTimeout)
	after, err := c.Metric(t.Context(), leader, "cadastre_raft_term")
	must(t, err)
	t.Logf("%d flaps between %s, the leader, and %s: %d registrations meanwhile, %g changes of term", flaps, leader, other, r.Count()-count, after-before)
	if after-before > 2 {
		t.Errorf("one flapping link of three changed the term %g times", after-before)
	}
}
