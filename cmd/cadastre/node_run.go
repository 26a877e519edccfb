package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"cadastre/cluster"
	"cadastre/internal/gcpace"
	"cadastre/publisher"
)

// stopTimeout bounds a graceful stop: past it something hangs, and ending the process is
// what the other nodes are prepared for.
const stopTimeout = 40 * time.Second

// run starts everything and waits for the end, whatever brings it.
func (n *node) run(ctx context.Context) error {
	failed := make(chan error, 1)
	raft, base, inbound := newStage("raft", failed), newStage("cluster", failed), newStage("grpc", failed)
	lead, edges := newStage("leader", failed), newStage("edges", failed)

	raft.start(n.raft.Run)
	base.start(n.forwarder.Run)
	base.start(n.store.FillFilter)
	if n.gossip != nil {
		base.start(n.gossip.Run)
	}
	n.server = cluster.NewServer(cluster.ServerConfig{
		NodeID: n.cfg.NodeID, Credentials: n.creds, Raft: n.raft, Store: n.store, Forwarder: n.forwarder,
		Peers: n.peers, Hints: n.hints(), Removed: n.markRemoved, Log: n.logger.With("service", "grpc"),
		Version: buildVersion(), Gossip: n.gossip, Custodian: n.custodian, Secondaries: n.secondaries,
		Seed: cluster.SeedConfig{Holder: n.raft, Refuse: n.refuseToSeed, BytesPerSecond: n.cfg.Seed.sendBytes()},
	})
	base.start(n.custodian.Run)
	inbound.start(func(ctx context.Context) error { return n.server.Serve(ctx, n.grpc) })
	base.start(n.server.FollowGossipKeys)
	base.start(func(ctx context.Context) error { return cluster.FollowTrust(ctx, n.store, n.creds) })
	base.start(func(ctx context.Context) error {
		err := n.server.AnnounceAddresses(ctx, n.cfg.advertisedRaft(), n.cfg.advertisedGRPC())
		<-ctx.Done() // a part lasts as long as its stage
		return err
	})
	lead.start(n.lead)
	n.startEdges(edges)
	if os.Getenv("GOGC") == "" {
		base.start(gcpace.Run)
	}
	if n.metrics != nil {
		base.start(n.serveMetrics)
	}
	n.logger.Info("node started", "cluster", n.creds.ClusterID(), "applied_index", n.raft.AppliedIndex(), "version", buildVersion())

	end := n.waitForEnd(ctx, failed)
	if end.atOnce {
		return end.err
	}
	// The order of stopping: the edges accept nothing new and drain, then the calls of other
	// nodes and operators do; then this node gives up what it does as a leader, hands
	// leadership over and leaves raft; then what that needed stops; last the state closes.
	return errors.Join(end.err, n.stop(edges, inbound, lead, raft, base))
}

// startEdges starts the services for the world.
func (n *node) startEdges(edges *stage) {
	if n.epp != nil {
		edges.start(n.epp.Run)
	}
	if n.whois != nil {
		edges.start(n.whois.Run)
	}
	if n.rdap != nil {
		edges.start(n.rdap.Run)
	}
	if n.dns != nil {
		edges.start(n.dns.Run)
	}
}

// stop stops the stages one after the other and closes what they used. It gives up after
// stopTimeout.
func (n *node) stop(stages ...*stage) error {
	stopped := make(chan error, 1)
	go func() {
		var errs []error
		for _, s := range stages {
			errs = append(errs, s.stop())
		}
		if n.published != nil {
			n.published.Close()
		}
		stopped <- errors.Join(append(errs, n.peers.Close(), n.store.Close())...)
	}()
	select {
	case err := <-stopped:
		n.logger.Info("node stopped")
		return err
	case err := <-n.fatal:
		return fmt.Errorf("storage failed while stopping: %w", err)
	case <-time.After(stopTimeout):
		return fmt.Errorf("the node did not stop within %s", stopTimeout)
	}
}

// ending says why a node ends, and whether at once: with a failed disk nothing can be
// relied on any more, so nothing is waited for.
type ending struct {
	err    error
	atOnce bool
}

func (n *node) waitForEnd(ctx context.Context, failed <-chan error) ending {
	select {
	case <-ctx.Done():
		n.logger.Info("node stops", "cause", "signal")
		return ending{}
	case reason := <-n.removed:
		n.logger.Warn("node stops: it was removed from the cluster", "reason", reason)
		return ending{}
	case err := <-n.fatal:
		return ending{err: fmt.Errorf("node %s cannot go on: %w", n.cfg.NodeID, err), atOnce: true}
	case err := <-failed:
		select {
		case fatal := <-n.fatal: // the cause rather than the consequence
			return ending{err: fmt.Errorf("node %s cannot go on: %w", n.cfg.NodeID, fatal), atOnce: true}
		default:
			return ending{err: err}
		}
	}
}

// lead does the leader's work whenever this node leads.
func (n *node) lead(ctx context.Context) error {
	signals := n.raft.Subscribe()
	defer signals.Close()
	n.raft.RunLeader(ctx, func(ctx context.Context) {
		n.logger.Info("this node leads")
		var work sync.WaitGroup
		work.Go(func() {
			p := publisher.New(n.raft, n.store, publisher.NewKeyring(n.keys), n.logger.With("part", "publisher"))
			p.ReportTo(&n.alarms)
			_ = p.Run(ctx, signals.Dirty) // ends with ctx only
		})
		work.Go(func() { _ = n.newKeeper().Run(ctx) }) // ends with ctx only
		work.Go(func() {
			_ = publisher.NewTicker(n.raft, n.store, time.Now, n.logger.With("part", "ticker")).Run(ctx) // ends with ctx only
		})
		work.Go(func() {
			autopilot := cluster.NewAutopilot(cluster.AutopilotConfig{
				NodeID: n.cfg.NodeID, Raft: n.raft, Store: n.store, Peers: n.peers,
				StableFor: time.Duration(n.cfg.Autopilot.StableFor), Interval: time.Duration(n.cfg.Autopilot.Interval),
				Log: n.logger.With("part", "autopilot"),
			})
			_ = autopilot.Run(ctx) // ends with ctx only
		})
		work.Wait()
		n.logger.Info("this node leads no more")
	})
	return nil
}
