package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// scrapeTimeout bounds one look at a node, so that a stopped one does not hold up the rest.
const scrapeTimeout = 3 * time.Second

func (c *Cluster) fetch(ctx context.Context, id, path string) (status int, body string, err error) {
	node, err := c.info.Node(id)
	if err != nil {
		return 0, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(node.Metrics, "/metrics")+path, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }() // read below
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

// Metric returns a metric without labels of the node.
func (c *Cluster) Metric(ctx context.Context, id, name string) (float64, error) {
	_, body, err := c.fetch(ctx, id, "/metrics")
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(strings.NewReader(body))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("node %s exports no %s", id, name)
}

// WaitReady waits until the node says that it is ready.
func (c *Cluster) WaitReady(ctx context.Context, id string) error {
	return eventually(ctx, readyTimeout, "node "+id+" is ready", func(ctx context.Context) error {
		if c.IsDown(id) {
			return errors.New("its process has ended")
		}
		status, body, err := c.fetch(ctx, id, "/readyz")
		if err == nil && status != http.StatusOK {
			err = errors.New(strings.TrimSpace(body))
		}
		return err
	})
}

// Leader waits for a node, other than the one excepted, that leads.
func (c *Cluster) Leader(ctx context.Context, within time.Duration, except string) (leader string, err error) {
	err = eventually(ctx, within, "a leader", func(ctx context.Context) error {
		for _, n := range c.info.Nodes {
			if n.ID == except || c.IsDown(n.ID) {
				continue
			}
			if leads, err := c.Metric(ctx, n.ID, "cadastre_raft_is_leader"); err == nil && leads == 1 {
				leader = n.ID
				return nil
			}
		}
		return errors.New("none leads")
	})
	return leader, err
}

// waitVotes waits until autopilot has given all voters their votes.
func (c *Cluster) waitVotes(ctx context.Context) error {
	return eventually(ctx, readyTimeout, "the votes", func(ctx context.Context) error {
		leader, err := c.Leader(ctx, readyTimeout, "")
		if err != nil {
			return err
		}
		_, body, err := c.fetch(ctx, leader, "/metrics")
		if want := fmt.Sprintf(`cadastre_raft_members{suffrage="voter"} %d`, c.cfg.Voters); err == nil && !strings.Contains(body, want) {
			err = errors.New("not " + want)
		}
		return err
	})
}

// member is what `cadastre cluster members --json` says of a node.
type member struct {
	ID           string `json:"id"`
	Reachable    bool   `json:"reachable"`
	AppliedIndex uint64 `json:"applied_index"`
	StateHash    string `json:"state_hash"`
}

// EqualHashes waits until all nodes are at one applied index and returns an error if their
// state hashes differ there.
func (c *Cluster) EqualHashes(ctx context.Context, within time.Duration) (index uint64, hash string, err error) {
	var differ error
	err = eventually(ctx, within, "all nodes at one index", func(ctx context.Context) error {
		out, err := c.Run(ctx, "cluster", "members", "--json", "--dev", c.cfg.Dir)
		if err != nil {
			return err
		}
		var answer struct {
			Members []member `json:"members"`
		}
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			return fmt.Errorf("read the members: %w", err)
		}
		if len(answer.Members) != len(c.info.Nodes) {
			return fmt.Errorf("%d members, not %d", len(answer.Members), len(c.info.Nodes))
		}
		first := answer.Members[0]
		for _, m := range answer.Members {
			if !m.Reachable || m.StateHash == "" || m.AppliedIndex != first.AppliedIndex {
				return fmt.Errorf("%s reachable %v at %d, %s at %d", m.ID, m.Reachable, m.AppliedIndex, first.ID, first.AppliedIndex)
			}
			if m.StateHash != first.StateHash {
				differ = fmt.Errorf("at index %d node %s has state hash %s, node %s %s", m.AppliedIndex, m.ID, m.StateHash, first.ID, first.StateHash)
				return nil
			}
		}
		index, hash = first.AppliedIndex, first.StateHash
		return nil
	})
	return index, hash, errors.Join(err, differ)
}
