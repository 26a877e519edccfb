// Command fill makes data folders with a registry of any size: for one store (-store), or
// for all nodes of a fresh dev cluster, which is left stopped and ready to be resumed
// (-dir; then `cadastre dev --dir DIR`).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"cadastre/bench/bulk"
	"cadastre/bench/load"
	"cadastre/internal/devcluster"
)

// progressDomains is how many domains pass between two lines of progress.
const progressDomains = 100_000

func main() { os.Exit(load.Main("fill", run)) }

func run(ctx context.Context) error {
	storeDir := flag.String("store", "", "folder of the store to fill, of a node that does not run")
	dir := flag.String("dir", "", "folder of a dev cluster to make and fill")
	bin := flag.String("bin", "bin/cadastre", "the program, for -dir")
	port := flag.Int("base-port", 7000, "where the blocks of ports begin, for -dir")
	domains := flag.Int("domains", 1_000_000, "how many domains to make")
	seed := flag.Uint64("seed", 1, "what chooses the contents")
	flag.Parse()
	cfg := bulk.Config{StoreDir: *storeDir, Domains: *domains, Seed: *seed, Progress: progress()}
	if (*storeDir == "") == (*dir == "") {
		return errors.New("want either -store or -dir")
	}
	var (
		filled *bulk.Filled
		err    error
	)
	if *storeDir != "" {
		filled, err = bulk.Fill(ctx, cfg)
	} else {
		var c *devcluster.Cluster
		c, filled, err = bulk.StartFilled(ctx, devcluster.Config{Binary: *bin, Dir: *dir, BasePort: *port}, cfg)
		if err == nil {
			err = c.Stop()
		}
	}
	if err != nil {
		return err
	}
	fmt.Printf("made %d domains, %d hosts and %d contacts of %s under .%s in %.1f s: index %d, %d publications\n",
		filled.Domains, filled.Hosts, filled.Contacts, filled.Registrar, filled.TLD, filled.Took.Seconds(), filled.Index, filled.Publications)
	return nil
}

func progress() func(domains int) {
	shown := 0
	return func(domains int) {
		if domains/progressDomains > shown {
			shown = domains / progressDomains
			fmt.Fprintf(os.Stderr, "%d domains\n", domains)
		}
	}
}
