// Command soakfaults mixes faults of processes, networks and disks at random under load, on
// real processes in network namespaces, and checks that nothing acknowledged is lost.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"cadastre/bench/faults"
	"cadastre/bench/load"
)

func main() { os.Exit(load.Main("soakfaults", run)) }

func run(ctx context.Context) (err error) {
	bin := flag.String("bin", "bin/cadastre", "the program")
	duration := flag.Duration("time", 10*time.Minute, "how long faults are injected")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the choice of faults")
	flag.Parse()
	binary, err := filepath.Abs(*bin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cadastre-soak-")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			err = os.RemoveAll(dir)
		} else {
			_, _ = fmt.Fprintf(os.Stderr, "the logs are kept in %s\n", dir)
		}
	}()
	const diskBytes = 768 << 20
	c, err := faults.Start(ctx, faults.Config{Binary: binary, Dir: dir, Voters: 3, Replicas: 1, DiskBytes: diskBytes})
	if errors.Is(err, faults.ErrNoMeans) {
		fmt.Printf("SKIPPED: %v\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	fmt.Printf("seed %d\n", *seed)
	soak := &faults.Soak{Cluster: c, Duration: *duration, Seed: *seed, Out: os.Stdout}
	return soak.Run(ctx)
}
