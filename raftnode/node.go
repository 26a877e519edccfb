package raftnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// raftStopTimeout bounds waiting for raft's goroutines when the node stops; past it a disk
// hangs and the process is about to end anyway.
const raftStopTimeout = 15 * time.Second

// Node is one member of the cluster. Methods may be called from any goroutine, once Run is
// under way; before and after they return errors that match registry.CodeUnavailable.
type Node struct {
	cfg         Config
	bridge      *logBridge
	dog         *watchdog
	log         *logStore
	stream      *tlsStream
	adapter     *stateAdapter
	snapshots   *snapshotStore
	checkpoints *checkpointer
	holder      *holder
	holds       logHolds
	// settingsMu is held while raft's settings are read, changed and set again.
	settingsMu sync.Mutex
	batcher    *batcher
	applied    *appliedIndex
	signals    *subscribers
	leadership *leadership
	reads      readRounds
	disk       *diskSpace
	admission  *admission
	levels     *levelGate
	stats      *nodeStats
	clock      *leaderClock

	started   atomic.Bool
	raft      atomic.Pointer[raft.Raft]
	transport atomic.Pointer[peerTransport]

	// failed is closed when the node can no longer be trusted; failure says why.
	failed   chan struct{}
	failOnce sync.Once
	failure  error

	// stopping is closed when the node begins to stop, for whatever reason.
	stopping     chan struct{}
	stopOnce     sync.Once
	stopBackward context.CancelFunc
}

// Open prepares a node: it opens the log, makes it agree with the state and binds the
// address. Nothing runs before Run. A node that is never run must be closed.
func Open(cfg Config) (*Node, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	background, cancel := context.WithCancel(context.Background())
	n := &Node{
		cfg:          cfg,
		bridge:       newLogBridge(cfg.Logger),
		applied:      &appliedIndex{},
		stats:        newNodeStats(),
		signals:      newSubscribers(),
		leadership:   newLeadership(),
		reads:        readRounds{wake: make(chan struct{}, 1)},
		failed:       make(chan struct{}),
		stopping:     make(chan struct{}),
		stopBackward: cancel,
	}
	n.dog = &watchdog{fatal: n.fail}
	n.disk = &diskSpace{dir: cfg.Dir, lowWater: cfg.LowWaterBytes, logger: cfg.Logger, measure: measureDisk}
	n.admission = &admission{disk: n.disk, maxLag: maxAppliedLagEntries, applied: n.applied.get}
	if err := n.openParts(background); err != nil {
		cancel()
		if n.log != nil {
			err = errors.Join(err, n.log.Close())
		}
		return nil, fmt.Errorf("open raft node %s: %w", cfg.NodeID, err)
	}
	return n, nil
}

func (n *Node) openParts(background context.Context) (err error) {
	segmented, err := wantsSegments(n.cfg.Store, n.cfg.logPath())
	if err != nil {
		return err
	}
	if n.log, err = openLogStore(n.cfg.logPath(), n.dog, segmented); err != nil {
		return err
	}
	n.log.stats = n.stats
	if n.levels, err = newLevelGate(n.cfg.Store); err != nil {
		return err
	}
	at, err := readPosition(n.cfg.Store)
	if err != nil {
		return err
	}
	if _, err := n.log.reconcile(at); err != nil {
		return err
	}
	if err := n.log.verify(); err != nil {
		return err
	}
	n.disk.sample()
	n.applied.advance(at.index)
	if err := recreateDir(n.cfg.outgoingDir()); err != nil {
		return err
	}
	n.adapter = &stateAdapter{
		store: n.cfg.Store, machine: n.cfg.Machine, dog: n.dog, applied: n.applied,
		signals: n.signals, log: n.log, stopping: n.stopping, stats: n.stats,
	}
	n.checkpoints = &checkpointer{store: n.cfg.Store, dir: n.cfg.outgoingDir(), background: background}
	n.holder = newHolder(n.checkpoints)
	if n.snapshots, err = openSnapshotStore(&n.cfg, n.checkpoints, n.dog); err != nil {
		return err
	}
	n.snapshots.fetcher = openFetcher(background, n.cfg.Fetch, n.cfg.fetchedDir(), n.cfg.Logger)
	if n.cfg.Fetch != nil {
		n.snapshots.openHeld = n.openHeld
	}
	n.adapter.installs, n.snapshots.stats = n.snapshots, n.stats
	n.clock = newLeaderClock(n.cfg.Now, n.cfg.Logger)
	n.batcher = newBatcher(n.clock.stamp, n.classify, n.stopping)
	n.batcher.stats = n.stats
	n.stream, err = listenTLS(&n.cfg)
	return err
}

// Address returns the address that peers reach this node at.
func (n *Node) Address() string { return n.stream.Addr().String() }

// Close releases a node that was never run.
func (n *Node) Close() error {
	if !n.started.CompareAndSwap(false, true) {
		return nil
	}
	n.beginStop()
	return errors.Join(n.stream.Close(), n.log.Close())
}

// Run takes part in the cluster until ctx is done, then stops in order: no new commands,
// those in flight land, leadership goes to another voter, raft stops, the log is closed.
// All of its goroutines are joined. After a fatal error it returns that error at once,
// without the polite part. The store stays open; it is the caller's.
func (n *Node) Run(ctx context.Context) error {
	if !n.started.CompareAndSwap(false, true) {
		return errors.New("run raft node: it was started or closed before")
	}
	var workers sync.WaitGroup
	workers.Go(n.stream.serve)
	workers.Go(n.stream.recheck)
	transport := newPeerTransport(n.stream, n.bridge, n.stopping)
	transport.stats = n.stats
	r, err := raft.NewRaft(n.cfg.raftConfig(n.bridge), n.adapter, n.log, n.log, n.snapshots, transport)
	if err != nil {
		n.beginStop()
		err = errors.Join(fmt.Errorf("start raft: %w", err), transport.Close())
		workers.Wait()
		return errors.Join(err, n.log.Close())
	}
	n.transport.Store(transport)
	n.raft.Store(r)
	workers.Go(func() { n.runLeadership(r) })
	workers.Go(func() { n.batcher.run(r) })
	workers.Go(func() { n.runReads(r) })
	workers.Go(func() { n.watchContact(r) })
	workers.Go(n.sampleDisk)
	workers.Go(func() { n.boundLog(r) })
	select {
	case <-ctx.Done():
		n.handOver(r)
	case <-n.failed:
	}
	return n.stop(r, transport, &workers)
}

// handOver lets what is in flight land and gives leadership away, if this node has it and
// another voter can take it.
func (n *Node) handOver(r *raft.Raft) {
	n.batcher.drain(drainTimeout)
	if r.State() != raft.Leader {
		return
	}
	future := r.GetConfiguration()
	if future.Error() != nil {
		return
	}
	for _, s := range future.Configuration().Servers {
		if s.Suffrage != raft.Voter || s.ID == raft.ServerID(n.cfg.NodeID) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*n.cfg.Timeouts.Election)
		defer cancel()
		if err := n.await(ctx, r.LeadershipTransfer()); err != nil {
			n.cfg.Logger.Warn("leadership was not handed over; the others elect a leader after a timeout", "error", err)
		}
		return
	}
}

func (n *Node) stop(r *raft.Raft, transport *peerTransport, workers *sync.WaitGroup) error {
	n.beginStop()
	n.batcher.drain(drainTimeout)
	shutdown := r.Shutdown()
	err := transport.Close() // cuts exchanges short that raft would wait for
	transport.CloseStreams()
	done := make(chan error, 1)
	go func() { done <- shutdown.Error() }()
	select {
	case shutdownErr := <-done:
		err = errors.Join(err, shutdownErr)
	case <-time.After(raftStopTimeout):
		// The log stays open: something still uses it.
		return errors.Join(n.failureOf(), err, fmt.Errorf("raft did not stop within %s", raftStopTimeout))
	}
	workers.Wait()
	n.snapshots.fetcher.workers.Wait()
	transport.CloseStreams()
	n.batcher.drain(drainTimeout)
	return errors.Join(n.failureOf(), err, n.holder.expire(true), n.log.Close())
}

func (n *Node) beginStop() {
	n.stopOnce.Do(func() {
		close(n.stopping)
		n.stopBackward()
	})
}

// fail ends the node: the first failure counts.
func (n *Node) fail(err error) {
	n.failOnce.Do(func() {
		n.failure = err
		n.cfg.Logger.Error("raft node fails", "node_id", n.cfg.NodeID, "error", err)
		close(n.failed)
		n.cfg.Fatal(err)
	})
}

func (n *Node) failureOf() error {
	select {
	case <-n.failed:
		return fmt.Errorf("raft node %s failed: %w", n.cfg.NodeID, n.failure)
	default:
		return nil
	}
}

// running returns raft while the node runs.
func (n *Node) running() (*raft.Raft, error) {
	select {
	case <-n.stopping:
		return nil, unavailable("the node is stopping", ErrNotRunning)
	default:
	}
	if r := n.raft.Load(); r != nil {
		return r, nil
	}
	return nil, unavailable("the node is not started", ErrNotRunning)
}

// Subscribe returns signals about what is applied on this node; Close it when done.
func (n *Node) Subscribe() *Subscription { return n.signals.subscribe() }

// WriteCheckpoint writes the node's whole state to w as a stream that UnpackCheckpoint
// reads, and returns the index that it is at. It needs no leader and no running node.
func (n *Node) WriteCheckpoint(ctx context.Context, w io.Writer) (index uint64, err error) {
	return n.checkpoints.writeTo(ctx, w)
}

// openHeld opens the checkpoint that is held for peers behind the log and keeps the log
// after it. raft calls it again and again for as long as such a peer is there.
func (n *Node) openHeld(ctx context.Context) (*raft.SnapshotMeta, *heldStream, error) {
	meta, stream, err := n.holder.openHeld(ctx, n.cfg.NodeID, n.catchUpFrom())
	if err != nil {
		return nil, nil, err
	}
	if _, err := n.HoldLog("install", meta.Index, fetchHoldFor); err != nil {
		return nil, nil, errors.Join(err, stream.Close())
	}
	return meta, stream, nil
}
