// Command publish measures how long it takes from the acknowledgement of a create on one
// node until every node's name server answers with the referral.
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

const servedTimeout = 10 * time.Second

func main() { os.Exit(load.Main("publish", run)) }

func run(ctx context.Context) error {
	bin := flag.String("bin", "bin/cadastre", "the program")
	creates := flag.Int("n", 500, "how many creates, one after the other, or with -rate in all")
	rate := flag.Int("rate", 0, "creates with a DS record a second, whatever they take; 0: one after the other, without")
	flag.Parse()
	if *rate > 0 {
		return load.WithCluster(ctx, *bin, func(ctx context.Context, _ *devcluster.Cluster, info *devcluster.Info) error {
			return paced(ctx, info, *creates, *rate)
		})
	}
	return load.WithCluster(ctx, *bin, func(ctx context.Context, _ *devcluster.Cluster, info *devcluster.Info) error {
		session := load.NewSession(info, info.Registrars[0], info.Nodes[0].EPP)
		defer session.Close()
		var create, served load.Samples
		for i := range *creates {
			name := fmt.Sprintf("publish-%d.%s", i, info.TLDs[0])
			started := time.Now()
			if _, err := session.Create(ctx, name, load.HostName); err != nil {
				return err
			}
			acknowledged := time.Now()
			create = append(create, acknowledged.Sub(started))
			slowest, err := servedByAll(ctx, info, name, acknowledged, load.WaitServed)
			if err != nil {
				return err
			}
			served = append(served, slowest)
		}
		fmt.Printf("create, sent to acknowledged:            %v\n", create)
		fmt.Printf("acknowledged to served by all %d nodes:   %v\n", len(info.Nodes), served)
		return nil
	})
}

// waiter waits until a name server has a name.
type waiter func(ctx context.Context, server, name string, since time.Time) (time.Duration, error)

// servedByAll returns how long after the acknowledgement the last name server knew name.
func servedByAll(ctx context.Context, info *devcluster.Info, name string, acknowledged time.Time, wait waiter) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, servedTimeout)
	defer cancel()
	took := make([]time.Duration, len(info.Nodes))
	errs := make([]error, len(info.Nodes))
	var all sync.WaitGroup
	for i, node := range info.Nodes {
		all.Go(func() { took[i], errs[i] = wait(ctx, node.DNS, name, acknowledged) })
	}
	all.Wait()
	var slowest time.Duration
	for _, d := range took {
		slowest = max(slowest, d)
	}
	return slowest, errors.Join(errs...)
}
