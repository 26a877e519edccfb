// Command failover kills the leader with SIGKILL under a steady load of creates through
// the other nodes and measures the time to the next acknowledged create.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"cadastre/bench/load"
	"cadastre/internal/devcluster"
)

const (
	// limit is the time within which the next create must succeed.
	limit = 3 * time.Second
	// warmUp lets the load run before each kill, settle bounds the checks after it.
	warmUp = 2 * time.Second
	settle = 2 * time.Minute
)

func main() { os.Exit(load.Main("failover", run)) }

func run(ctx context.Context) error {
	bin := flag.String("bin", "bin/cadastre", "the program")
	tries := flag.Int("n", 10, "how many times the leader is killed")
	flag.Parse()
	return load.WithCluster(ctx, *bin, func(ctx context.Context, c *devcluster.Cluster, info *devcluster.Info) error {
		var took load.Samples
		var all []*load.Creator
		for try := range *tries {
			next, creators, err := killLeader(ctx, c, info, try)
			if err != nil {
				return fmt.Errorf("try %d: %w", try+1, err)
			}
			fmt.Printf("try %2d: next create acknowledged after %dms\n", try+1, next.Milliseconds())
			took, all = append(took, next), append(all, creators...)
		}
		total, err := load.VerifyAll(ctx, info, all)
		if err != nil {
			return err
		}
		fmt.Printf("kill to next acknowledged create: %v\n", took)
		fmt.Printf("%d acknowledged creates are on all %d nodes; state hashes equal\n", total, len(info.Nodes))
		if slowest := took.Quantile(1); slowest > limit {
			return fmt.Errorf("a create took %v after the kill, more than %v", slowest, limit)
		}
		return nil
	})
}

// killLeader loads the followers, kills the leader, and brings it back when a create has
// succeeded.
func killLeader(ctx context.Context, c *devcluster.Cluster, info *devcluster.Info, try int) (time.Duration, []*load.Creator, error) {
	leader, err := load.Leader(ctx, c)
	if err != nil {
		return 0, nil, err
	}
	loadCtx, stopLoad := context.WithCancel(ctx)
	defer stopLoad()
	var creators []*load.Creator
	var running sync.WaitGroup
	for _, node := range info.Nodes {
		if node.ID == leader {
			continue
		}
		creator := load.NewCreator(info, node.EPP, fmt.Sprintf("t%d-%s", try, node.ID))
		creators = append(creators, creator)
		running.Go(func() { creator.Run(loadCtx, info.TLDs[0]) })
	}
	load.Pause(ctx, warmUp)
	killed := time.Now()
	if err := c.KillNode(ctx, leader); err != nil {
		return 0, nil, err
	}
	next, err := firstAfter(ctx, creators, killed)
	if err == nil {
		load.Pause(ctx, warmUp)
	}
	err = errors.Join(err, c.StartNode(ctx, leader))
	stopLoad()
	running.Wait()
	if err != nil {
		return 0, nil, err
	}
	settleCtx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	return next, creators, load.EqualHashes(settleCtx, c, len(info.Nodes))
}

// firstAfter waits for the first create acknowledged after the kill. Answers that were on
// their way when the leader died do not count.
func firstAfter(ctx context.Context, creators []*load.Creator, killed time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	// inFlight is how long an answer that the dead leader had committed may still take.
	const inFlight = 100 * time.Millisecond
	for {
		var first time.Time
		for _, c := range creators {
			for _, a := range c.Acknowledged() {
				if a.At.After(killed.Add(inFlight)) && (first.IsZero() || a.At.Before(first)) {
					first = a.At
				}
			}
		}
		if !first.IsZero() {
			return first.Sub(killed), nil
		}
		if ctx.Err() != nil {
			failures, last := creators[0].Failures()
			return 0, fmt.Errorf("no create succeeded after the kill, %d failed: %w", failures, errors.Join(ctx.Err(), last))
		}
		load.Pause(ctx, 5*time.Millisecond)
	}
}
