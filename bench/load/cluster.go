package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"cadastre/internal/devcluster"
)

// HostName is the external host to which every domain of the load is delegated.
const HostName = "ns.load.test"

// Main runs a benchmark until it ends or is interrupted, and returns the exit status.
func Main(name string, run func(ctx context.Context) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "%s: %v\n", name, err) // the exit status says it too
		return 1
	}
	return 0
}

// WithCluster runs fn on a fresh three-node cluster in a temporary folder, where HostName
// exists, and removes both afterwards. When fn fails, the ends of the logs go to standard
// error.
func WithCluster(ctx context.Context, bin string, fn func(ctx context.Context, c *devcluster.Cluster, info *devcluster.Info) error) (err error) {
	dir, err := os.MkdirTemp("", "cadastre-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	base, err := devcluster.FreeBasePort()
	if err != nil {
		return err
	}
	c, err := devcluster.Start(ctx, devcluster.Config{Binary: bin, Dir: dir, BasePort: base})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = fmt.Fprint(os.Stderr, c.Logs()) // the error itself follows
		}
		err = errors.Join(err, c.Stop())
	}()
	info, err := c.Info()
	if err != nil {
		return err
	}
	setup := NewSession(info, info.Registrars[0], info.Nodes[0].EPP)
	err = setup.CreateHost(ctx, HostName)
	setup.Close()
	if err != nil {
		return err
	}
	return fn(ctx, c, info)
}

// members is what `cadastre cluster members --json` says of the nodes.
type members struct {
	LeaderID string `json:"leader"`
	Members  []struct {
		ID           string `json:"id"`
		Reachable    bool   `json:"reachable"`
		AppliedIndex uint64 `json:"applied_index"`
		StateHash    string `json:"state_hash"`
	} `json:"members"`
}

func askMembers(ctx context.Context, c *devcluster.Cluster) (*members, error) {
	out, err := c.Run(ctx, "cluster", "members", "--dev", c.Dir(), "--json")
	if err != nil {
		return nil, err
	}
	var m members
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		return nil, fmt.Errorf("parse the list of members: %w", err)
	}
	return &m, nil
}

// Leader returns the id of the node that leads, waiting for one if need be.
func Leader(ctx context.Context, c *devcluster.Cluster) (string, error) {
	var leader string
	err := poll(ctx, "there is no leader", func() (bool, error) {
		m, err := askMembers(ctx, c)
		if err != nil {
			return false, err
		}
		leader = m.LeaderID
		return leader != "", nil
	})
	return leader, err
}

// EqualHashes waits until all nodes have applied the same index and returns an error if
// their state hashes differ then.
func EqualHashes(ctx context.Context, c *devcluster.Cluster, nodes int) error {
	return poll(ctx, "the nodes do not come to the same applied index", func() (bool, error) {
		m, err := askMembers(ctx, c)
		if err != nil {
			return false, err
		}
		if len(m.Members) != nodes {
			return false, fmt.Errorf("%d members, not %d", len(m.Members), nodes)
		}
		first := m.Members[0]
		for _, n := range m.Members {
			if !n.Reachable || n.StateHash == "" || n.AppliedIndex != first.AppliedIndex {
				return false, fmt.Errorf("node %s is reachable: %v, at index %d", n.ID, n.Reachable, n.AppliedIndex)
			}
			if n.StateHash != first.StateHash {
				return false, &fatalError{fmt.Errorf("at index %d node %s has state hash %s, node %s %s", n.AppliedIndex, n.ID, n.StateHash, first.ID, first.StateHash)}
			}
		}
		return true, nil
	})
}
