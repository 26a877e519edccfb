package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cadastre/epp/eppxml"
)

// namesPerCheck is how many names one check command asks for.
const namesPerCheck = 20

// Verdict is what the final checks found.
type Verdict struct {
	Acknowledged, Charged int
	AppliedIndex          uint64
	StateHash             string
}

// Verify waits until the nodes agree and checks what was promised: equal state hashes, every
// acknowledged name on every node, one charge for each registration and none besides, and an
// account that is the sum of its rows.
func (c *Cluster) Verify(ctx context.Context, r *Registrar, within time.Duration) (v Verdict, err error) {
	if err := r.Violations(); err != nil {
		return v, err
	}
	if v.AppliedIndex, v.StateHash, err = c.EqualHashes(ctx, within); err != nil {
		return v, err
	}
	names := r.Acknowledged()
	v.Acknowledged = len(names)
	for _, n := range c.info.Nodes {
		if err := c.verifyNames(ctx, r, n.ID, names); err != nil {
			return v, fmt.Errorf("node %s: %w", n.ID, err)
		}
		if v.Charged, err = c.verifyAccount(ctx, n.ID, names); err != nil {
			return v, fmt.Errorf("node %s: %w", n.ID, err)
		}
	}
	return v, nil
}

// verifyNames asks the node about every name.
func (c *Cluster) verifyNames(ctx context.Context, r *Registrar, id string, names []string) error {
	node, err := c.info.Node(id)
	if err != nil {
		return err
	}
	client, err := r.session(ctx, node)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // nothing is pending
	for len(names) > 0 {
		n := min(namesPerCheck, len(names))
		response, err := client.Do(ctx, &eppxml.DomainCheck{Names: names[:n]}, "verify-1")
		if err != nil {
			return err
		}
		data := response.Data(eppxml.NSDomain, "chkData")
		if data == nil || len(data.Children) != n {
			return fmt.Errorf("a check is answered with code %d", response.Code())
		}
		for _, child := range data.Children {
			name := child.Child("name")
			if available, _ := name.Attr("avail"); available != "0" && available != "false" {
				return fmt.Errorf("%s was acknowledged and is lost", name.Text)
			}
		}
		names = names[n:]
	}
	return nil
}

// verifyAccount reads the registrar's account: one charge for each acknowledged name, none
// twice, and each balance that of the row before less the amount.
func (c *Cluster) verifyAccount(ctx context.Context, id string, names []string) (charged int, err error) {
	out, err := c.Run(ctx, "registrar", "ledger", registrarID, "--json", "--dev", c.cfg.Dir, "--node", id)
	if err != nil {
		return 0, err
	}
	var statement struct {
		Opening string `json:"opening_balance"`
		Closing string `json:"closing_balance"`
		Balance string `json:"balance_now"`
		Entries []struct {
			Kind    string `json:"kind"`
			Object  string `json:"object"`
			Amount  string `json:"amount"`
			Balance string `json:"balance"`
		} `json:"entries"`
	}
	if err := json.Unmarshal([]byte(out), &statement); err != nil {
		return 0, fmt.Errorf("read the account: %w", err)
	}
	balance, rows := minor(statement.Opening), make(map[string]int)
	for _, e := range statement.Entries {
		balance += minor(e.Amount)
		if balance != minor(e.Balance) {
			return 0, fmt.Errorf("the account says %s after %s of %s, the rows give %d minor units", e.Balance, e.Kind, e.Object, balance)
		}
		if e.Kind != "create" {
			continue
		}
		if minor(e.Amount) != -createPrice {
			return 0, fmt.Errorf("the charge for %s is %s", e.Object, e.Amount)
		}
		if rows[e.Object]++; rows[e.Object] > 1 {
			return 0, fmt.Errorf("%s is charged for twice", e.Object)
		}
	}
	for _, name := range names {
		if rows[name] != 1 {
			return 0, fmt.Errorf("%s is not charged for", name)
		}
	}
	want := minor(openingDeposit) - int64(len(rows))*createPrice
	if balance != want || minor(statement.Closing) != want || minor(statement.Balance) != want {
		return 0, fmt.Errorf("%d registrations leave %s, not %d minor units", len(rows), statement.Balance, want)
	}
	return len(rows), nil
}

// minor reads a decimal amount of two places.
func minor(amount string) int64 {
	n, err := strconv.ParseInt(strings.Replace(amount, ".", "", 1), 10, 64)
	if err != nil {
		return 0 // a comparison fails
	}
	return n
}
