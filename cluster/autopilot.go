package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// DefaultStableFor is how long a node must have been well before it may vote: longer
	// than a restart loop, shorter than an operator's patience.
	DefaultStableFor = 10 * time.Second
	// DefaultAutopilotInterval is how often the leader looks.
	DefaultAutopilotInterval = time.Second
	// maxVoterLag is how many entries a node may be behind the leader and still be made a
	// voter: less than a second of heavy load.
	maxVoterLag = 1000
)

// AutopilotConfig says what Autopilot works with.
type AutopilotConfig struct {
	NodeID string
	Raft   Raft
	Store  *store.Store
	Peers  *Peers
	// StableFor and Interval default to DefaultStableFor and DefaultAutopilotInterval.
	StableFor time.Duration
	Interval  time.Duration
	Log       *slog.Logger
}

// Autopilot makes voters of the nodes that joined to vote, once they are fit for it. It
// acts on the leader only, and it never takes a vote away or removes a node: that is for
// an operator.
type Autopilot struct {
	cfg AutopilotConfig
	// wellSince holds since when each candidate answers and keeps up; owned by Run.
	wellSince map[string]time.Time
}

// NewAutopilot returns an Autopilot that is not running yet.
func NewAutopilot(cfg AutopilotConfig) *Autopilot {
	if cfg.StableFor == 0 {
		cfg.StableFor = DefaultStableFor
	}
	if cfg.Interval == 0 {
		cfg.Interval = DefaultAutopilotInterval
	}
	return &Autopilot{cfg: cfg, wellSince: map[string]time.Time{}}
}

// Run looks at regular intervals while this node leads, until ctx ends.
func (a *Autopilot) Run(ctx context.Context) error {
	ticker := time.NewTicker(a.cfg.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if !a.cfg.Raft.IsLeader() {
			clear(a.wellSince) // a later term of ours judges anew
			continue
		}
		if err := a.step(ctx); err != nil && ctx.Err() == nil {
			a.cfg.Log.Warn("autopilot: trying again", "error", err)
		}
	}
}

// voterCandidate is a non-voter that the operator wishes to vote.
type voterCandidate struct {
	id      string
	address string
	// well is how long it has answered with little lag, 0 if it does not now.
	well time.Duration
}

func (a *Autopilot) step(ctx context.Context) error {
	servers, err := a.cfg.Raft.Servers()
	if err != nil {
		return fmt.Errorf("read the raft configuration: %w", err)
	}
	candidates, applied, err := a.candidates(servers)
	if err != nil {
		return err
	}
	a.observe(ctx, candidates, applied)
	for _, c := range promotions(countVoters(servers), candidates, a.cfg.StableFor) {
		if err := a.cfg.Raft.AddVoter(ctx, c.id, c.address); err != nil {
			return fmt.Errorf("make node %q a voter: %w", c.id, err)
		}
		a.cfg.Log.Info("autopilot: node votes now", "node", c.id)
	}
	return nil
}

// candidates returns the wished voters that do not vote yet, and the leader's own index.
func (a *Autopilot) candidates(servers []raftnode.Server) (list []voterCandidate, applied uint64, err error) {
	err = a.cfg.Store.View(func(tx *store.ReadTx) error {
		applied, _ = tx.Applied()
		for _, sv := range servers {
			node, ok := tx.Node(sv.ID)
			if ok && node.Role == registry.RoleVoter && !votes(sv) {
				list = append(list, voterCandidate{id: sv.ID, address: sv.Address})
			}
		}
		return nil
	})
	return list, applied, err
}

// observe asks the candidates how far they are and keeps count of their good time.
func (a *Autopilot) observe(ctx context.Context, candidates []voterCandidate, leaderApplied uint64) {
	var (
		group errgroup.Group
		mu    sync.Mutex
		fit   = map[string]bool{}
	)
	group.SetLimit(maxStatusCalls)
	for _, c := range candidates {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, statusTimeout)
			defer cancel()
			status, err := a.cfg.Peers.Status(ctx, c.id)
			mu.Lock()
			defer mu.Unlock()
			fit[c.id] = err == nil && status.AppliedIndex+maxVoterLag > leaderApplied
			return nil
		})
	}
	_ = group.Wait() // a node that does not answer is not fit, which is no error
	now := time.Now()
	for i := range candidates {
		c := &candidates[i]
		if !fit[c.id] {
			delete(a.wellSince, c.id)
			continue
		}
		if a.wellSince[c.id].IsZero() {
			a.wellSince[c.id] = now
		}
		c.well = now.Sub(a.wellSince[c.id])
	}
}

// promotions is the rule: which candidates to make voters now, in this order. A candidate
// must have been well for stableFor. The number of voters is to be odd, because an even
// number bears no more failures than one less and commits more slowly: from an odd number
// it takes two fit candidates at a time, from an even one it takes one. A single node that
// is to vote beside one, three or five others therefore waits for another; until then its
// state is a full copy all the same.
func promotions(voters int, candidates []voterCandidate, stableFor time.Duration) []voterCandidate {
	var fit []voterCandidate
	for _, c := range candidates {
		if c.well >= stableFor && c.well > 0 {
			fit = append(fit, c)
		}
	}
	// The longest fit goes first; the id breaks ties, so that the rule is a function.
	slices.SortFunc(fit, func(x, y voterCandidate) int {
		if x.well != y.well {
			return int(min(max(y.well-x.well, -1), 1))
		}
		return strings.Compare(x.id, y.id)
	})
	if (voters+len(fit))%2 == 0 && len(fit) > 0 {
		fit = fit[:len(fit)-1]
	}
	return fit
}
