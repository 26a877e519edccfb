// Command soakkill kills random nodes with SIGKILL, sometimes all of them at once, and
// brings them back, under load, and then checks that nothing acknowledged is lost and that
// all nodes hold the same state.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"cadastre/bench/load"
	"cadastre/internal/devcluster"
)

const (
	// allAtOnceEvery is how often every node is killed in the same round.
	allAtOnceEvery = 20
	// verifyEvery is how often the state is checked on the way.
	verifyEvery = 50
	settle      = 2 * time.Minute
)

func main() { os.Exit(load.Main("soakkill", run)) }

func run(ctx context.Context) error {
	bin := flag.String("bin", "bin/cadastre", "the program")
	rounds := flag.Int("rounds", 200, "rounds of kill and restart")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the choice of nodes and pauses")
	budget := flag.Duration("budget", 20*time.Minute, "longest run")
	flag.Parse()
	fmt.Printf("seed %d\n", *seed)
	ctx, cancel := context.WithTimeout(ctx, *budget)
	defer cancel()
	random := rand.New(rand.NewPCG(*seed, 1))
	return load.WithCluster(ctx, *bin, func(ctx context.Context, c *devcluster.Cluster, info *devcluster.Info) error {
		s := &soak{cluster: c, info: info, random: random, started: time.Now()}
		return s.run(ctx, *rounds)
	})
}

type soak struct {
	cluster  *devcluster.Cluster
	info     *devcluster.Info
	random   *rand.Rand
	started  time.Time
	creators []*load.Creator
	kills    int
}

func (s *soak) run(ctx context.Context, rounds int) error {
	for done := 0; done < rounds; {
		n := min(verifyEvery, rounds-done)
		if err := s.stretch(ctx, done, n); err != nil {
			return err
		}
		done += n
		total, err := s.verify(ctx)
		if err != nil {
			return fmt.Errorf("after %d rounds: %w", done, err)
		}
		fmt.Printf("%3d rounds, %d kills, %d acknowledged creates on all nodes, state hashes equal, %v\n",
			done, s.kills, total, time.Since(s.started).Round(time.Second))
	}
	return nil
}

// stretch does n rounds under load through every node.
func (s *soak) stretch(ctx context.Context, first, n int) error {
	loadCtx, stopLoad := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stopLoad()
	for _, node := range s.info.Nodes {
		creator := load.NewCreator(s.info, node.EPP, fmt.Sprintf("s%d-%s", first, node.ID))
		s.creators = append(s.creators, creator)
		running.Go(func() { creator.Run(loadCtx, s.info.TLDs[0]) })
	}
	for round := first; round < first+n; round++ {
		if err := s.round(ctx, round); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	return nil
}

// round kills one node, or all, and brings back what it killed.
func (s *soak) round(ctx context.Context, round int) error {
	victims := []string{s.info.Nodes[s.random.IntN(len(s.info.Nodes))].ID}
	if round%allAtOnceEvery == allAtOnceEvery-1 {
		victims = nil
		for _, node := range s.info.Nodes {
			victims = append(victims, node.ID)
		}
	}
	load.Pause(ctx, time.Duration(s.random.IntN(1500))*time.Millisecond)
	errs := make([]error, len(victims))
	var killing sync.WaitGroup
	for i, id := range victims {
		killing.Go(func() { errs[i] = s.cluster.KillNode(ctx, id) })
	}
	killing.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.kills += len(victims)
	load.Pause(ctx, time.Duration(s.random.IntN(1000))*time.Millisecond)
	errs = nil
	for _, id := range victims {
		errs = append(errs, s.cluster.StartNode(ctx, id))
	}
	return errors.Join(errs...)
}

func (s *soak) verify(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	if err := load.EqualHashes(ctx, s.cluster, len(s.info.Nodes)); err != nil {
		return 0, err
	}
	return load.VerifyAll(ctx, s.info, s.creators)
}
