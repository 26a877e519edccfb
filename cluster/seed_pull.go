package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/cluster/clusterpb"
	"cadastre/internal/pause"
	"cadastre/raftnode"
)

const (
	// maxPullDuration bounds a pull: a large state over a slow line.
	maxPullDuration = 24 * time.Hour
	// maxIdleRounds is after how many rounds over all nodes without an octet a pull gives up.
	maxIdleRounds = 8
	// minRoundPause and maxRoundPause are the pauses between rounds.
	minRoundPause = 200 * time.Millisecond
	maxRoundPause = 10 * time.Second
	// rttSamples is how often each node is asked to learn how near it is; the first answer
	// includes making the connection and does not count.
	rttSamples = 3
	// sourceTimeout bounds asking a node that may be far away or gone.
	sourceTimeout = 3 * time.Second
	// manifestTimeout bounds making and hashing a checkpoint, of hundreds of gigabytes.
	manifestTimeout = 30 * time.Minute
	// holdRenewal is how often the log is kept anew while a pull goes on.
	holdRenewal = seedLogHold / 4
	// progressInterval is how often a pull says in the log how far it is.
	progressInterval = 10 * time.Second
)

// errBadSource is the cause of a pull that ended because of what a node sent: it is asked
// again only when all others have failed.
var errBadSource = errors.New("the node sends what does not match its checksums")

// PullProgress is how far a pull is.
type PullProgress struct {
	// Source is the node that is read from.
	Source string
	// FetchedBytes of TotalBytes are here; WireBytes came over the network, compressed, in all
	// attempts of this process together.
	FetchedBytes, TotalBytes, WireBytes int64
}

// pullSource is a node to pull from.
type pullSource struct {
	nodeID string
	client clusterpb.PeerClient
	rtt    time.Duration
}

// PullConfig says what to pull and how.
type PullConfig struct {
	// NodeID is this node, ClusterID the cluster that the state must be of.
	NodeID, ClusterID string
	// Dir is for files under way and, at the end, the folder "state". What an earlier attempt
	// left there is used.
	Dir string
	// MinIndex is the lowest index that will do.
	MinIndex uint64
	// BytesPerSecond bounds what is received; 0: no bound.
	BytesPerSecond int64
	// Progress is called now and then, from any goroutine; nil is allowed.
	Progress func(PullProgress)
	Log      *slog.Logger
}

// puller pulls a checkpoint from whichever node is near and sound.
type puller struct {
	cfg PullConfig
	// sources lists the nodes that may have it and are connected.
	sources func(ctx context.Context) ([]*pullSource, error)
	pace    *pacer

	wire atomic.Int64
	// fetched and total are of the manifest under way, source its node.
	fetched, total atomic.Int64
	source         atomic.Pointer[string]
}

func newPuller(cfg PullConfig, sources func(ctx context.Context) ([]*pullSource, error)) *puller {
	return &puller{cfg: cfg, sources: sources, pace: &pacer{bytesPerSecond: cfg.BytesPerSecond}}
}

func (p *puller) progress() PullProgress {
	out := PullProgress{FetchedBytes: p.fetched.Load(), TotalBytes: p.total.Load(), WireBytes: p.wire.Load()}
	if id := p.source.Load(); id != nil {
		out.Source = *id
	}
	return out
}

func (p *puller) tell() {
	if p.cfg.Progress != nil {
		p.cfg.Progress(p.progress())
	}
}

// pull fetches a state into the folder "state" of Dir and returns what is in it.
func (p *puller) pull(ctx context.Context) (*raftnode.HeldCheckpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, maxPullDuration)
	defer cancel()
	bad := map[string]bool{}
	wait := minRoundPause
	idle := 0
	var lastErr error
	for {
		before := p.wire.Load()
		held, err := p.round(ctx, bad)
		if err == nil {
			return held, nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(lastErr, err, context.Cause(ctx))
		}
		lastErr = err
		if idle++; p.wire.Load() > before {
			idle, wait = 0, minRoundPause
		}
		if idle >= maxIdleRounds {
			return nil, fmt.Errorf("no node gives its state: %w", err)
		}
		p.cfg.Log.Warn("the state is not here yet, trying again", "error", err)
		if err := pause.For(ctx, wait); err != nil {
			return nil, errors.Join(lastErr, err)
		}
		wait = min(2*wait, maxRoundPause)
	}
}

// round tries every node once, the nearest first and those that sent rubbish last.
func (p *puller) round(ctx context.Context, bad map[string]bool) (*raftnode.HeldCheckpoint, error) {
	sources, err := p.sources(ctx)
	if err != nil {
		return nil, err
	}
	near := nearest(ctx, sources)
	if len(near) == 0 {
		return nil, fmt.Errorf("none of %d nodes can be reached", len(sources))
	}
	slices.SortStableFunc(near, func(a, b *pullSource) int {
		if bad[a.nodeID] != bad[b.nodeID] {
			if bad[a.nodeID] {
				return 1
			}
			return -1
		}
		return 0
	})
	var errs []error
	for _, s := range near {
		held, err := p.pullFrom(ctx, s, near)
		if err == nil {
			return held, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		if errors.Is(err, errBadSource) {
			bad[s.nodeID] = true
			p.cfg.Log.Error("a node sends a state that is damaged; another one is asked", "node", s.nodeID, "error", err)
		} else {
			p.cfg.Log.Warn("a node does not give its state; another one is asked", "node", s.nodeID, "error", err)
		}
		errs = append(errs, fmt.Errorf("node %s: %w", s.nodeID, err))
	}
	return nil, errors.Join(errs...)
}

// nearest returns the sources that answer, the one with the shortest round trip first.
func nearest(ctx context.Context, sources []*pullSource) []*pullSource {
	var (
		group errgroup.Group
		mu    sync.Mutex
		near  []*pullSource
	)
	group.SetLimit(maxStatusCalls)
	for _, s := range sources {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
			defer cancel()
			for i := range rttSamples {
				started := time.Now()
				if _, err := s.client.Status(ctx, &clusterpb.StatusRequest{}); err != nil {
					return nil // it is not among those that answer
				}
				if took := time.Since(started); i > 0 && (s.rtt == 0 || took < s.rtt) {
					s.rtt = took
				}
			}
			mu.Lock()
			defer mu.Unlock()
			near = append(near, s)
			return nil
		})
	}
	_ = group.Wait() // no error is ever returned
	slices.SortFunc(near, func(a, b *pullSource) int { return int(a.rtt - b.rtt) })
	return near
}

// pullFrom fetches from one node what is not here yet.
func (p *puller) pullFrom(ctx context.Context, s *pullSource, all []*pullSource) (*raftnode.HeldCheckpoint, error) {
	p.source.Store(&s.nodeID)
	held, err := p.manifest(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := secondOpinion(ctx, s, all, held); err != nil {
		return nil, err
	}
	stop := p.keepLog(ctx, all, held.Index)
	defer stop()
	p.cfg.Log.Info("fetching the state", "node", s.nodeID, "rtt", s.rtt, "applied_index", held.Index, "files", len(held.Files), "bytes", held.Bytes())
	p.total.Store(held.Bytes())
	p.fetched.Store(0)
	if err := p.fetchFiles(ctx, s, held); err != nil {
		return nil, err
	}
	if err := p.assemble(held); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	_, _ = s.client.SeedRelease(ctx, &clusterpb.SeedReleaseRequest{CheckpointId: held.ID}) // it is released by itself a little later
	return held, nil
}

// manifest asks the node for a checkpoint.
func (p *puller) manifest(ctx context.Context, s *pullSource) (*raftnode.HeldCheckpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, manifestTimeout)
	defer cancel()
	stream, err := s.client.SeedManifest(ctx, &clusterpb.SeedManifestRequest{MinIndex: p.cfg.MinIndex})
	if err != nil {
		return nil, ErrorFromStatus(err)
	}
	held := &raftnode.HeldCheckpoint{}
	for {
		part, err := stream.Recv()
		if err != nil {
			return nil, fmt.Errorf("receive the list of files: %w", ErrorFromStatus(err))
		}
		for _, f := range part.GetFiles() {
			held.Files = append(held.Files, raftnode.CheckpointFile{Name: f.GetName(), Bytes: f.GetBytes(), SHA256: f.GetSha256()})
		}
		if part.GetDone() {
			held.ID, held.Index, held.Term, held.StateHash = part.GetCheckpointId(), part.GetIndex(), part.GetTerm(), part.GetStateHash()
			break
		}
		if len(held.Files) > maxPulledFiles {
			return nil, fmt.Errorf("%w: more than %d files", errBadSource, maxPulledFiles)
		}
	}
	if err := held.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadSource, err)
	}
	if held.Index < p.cfg.MinIndex {
		return nil, fmt.Errorf("%w: its checkpoint is of index %d, before %d", errBadSource, held.Index, p.cfg.MinIndex)
	}
	return held, nil
}

// secondOpinion compares the hash that a node gives for its checkpoint with what the others
// know of that index. A node alone is believed: its rows are checked against the hash later.
func secondOpinion(ctx context.Context, s *pullSource, all []*pullSource, held *raftnode.HeldCheckpoint) error {
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	for _, other := range all {
		if other == s {
			continue
		}
		resp, err := other.client.SeedHash(ctx, &clusterpb.SeedHashRequest{Index: held.Index})
		if err != nil || len(resp.GetHash()) == 0 {
			continue // it cannot tell
		}
		if !slices.Equal(resp.GetHash(), held.StateHash) {
			return fmt.Errorf("%w: at index %d node %s has another state hash", errBadSource, held.Index, other.nodeID)
		}
		return nil
	}
	return nil
}

// keepLog has the nodes keep their logs after index until the returned function is called,
// and for a while longer.
func (p *puller) keepLog(ctx context.Context, all []*pullSource, index uint64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var worker sync.WaitGroup
	keep := func() {
		var group errgroup.Group
		group.SetLimit(maxStatusCalls)
		for _, s := range all {
			group.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
				defer cancel()
				_, err := s.client.SeedHold(ctx, &clusterpb.SeedHoldRequest{NodeId: p.cfg.NodeID, Index: index})
				if err != nil && ctx.Err() == nil {
					p.cfg.Log.Debug("a node does not keep its log", "node", s.nodeID, "error", err)
				}
				return nil
			})
		}
		_ = group.Wait() // no error is ever returned
	}
	keep()
	worker.Go(func() {
		ticker := time.NewTicker(holdRenewal)
		defer ticker.Stop()
		said := time.NewTicker(progressInterval)
		defer said.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				keep()
			case <-said.C:
				at := p.progress()
				p.cfg.Log.Info("fetching the state", "node", at.Source, "fetched_bytes", at.FetchedBytes, "total_bytes", at.TotalBytes, "wire_bytes", at.WireBytes)
			}
		}
	})
	return func() {
		cancel()
		worker.Wait()
	}
}
