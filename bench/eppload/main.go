package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"cadastre/bench/load"
)

// warmUp is how long each load runs before it is measured.
const warmUp = 2 * time.Second

// options are the flags.
type options struct {
	bin, etcd, etcdLoad string
	runs                int
	measured            time.Duration
	concurrency         []int
	reads               int
	asJSON              bool
	profile             profiler
}

func main() { os.Exit(load.Main("eppload", run)) }

func run(ctx context.Context) error {
	o, err := parseOptions()
	if err != nil {
		return err
	}
	var all []result
	for i := range o.runs {
		systems := []func(context.Context, *options) ([]result, error){loadCadastre, loadEtcd}
		if o.etcd == "" {
			systems = systems[:1]
		}
		for _, system := range systems {
			results, err := system(ctx, o)
			if err != nil {
				return fmt.Errorf("run %d: %w", i+1, err)
			}
			for _, r := range results {
				fmt.Fprintf(os.Stderr, "run %d: %s\n", i+1, r.line())
			}
			all = append(all, results...)
		}
	}
	report := summarize(all)
	if o.asJSON {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	return report.print(os.Stdout)
}

func parseOptions() (*options, error) {
	o := &options{}
	flag.StringVar(&o.bin, "bin", "bin/cadastre", "the program")
	flag.StringVar(&o.etcd, "etcd", "etcd", "the etcd server to compare with; empty: none")
	flag.StringVar(&o.etcdLoad, "etcdload", "bench/etcdload", "the folder of the load generator for etcd")
	flag.IntVar(&o.runs, "runs", 3, "how many times each is measured, in turns; medians are reported")
	flag.IntVar(&o.reads, "reads", 64, "sessions on the followers that check and ask for domains; 0: no reads")
	flag.BoolVar(&o.asJSON, "json", false, "print JSON")
	flag.StringVar(&o.profile.dir, "profile", "", "a folder for recordings of perf(1), one of the nodes for each load; empty: none")
	seconds := flag.Int("seconds", 10, "how long each load is measured")
	concurrency := flag.String("concurrency", "1,64,512", "how many callers at a time, a list; 0 leaves the writes out")
	flag.Parse()
	o.measured = time.Duration(*seconds) * time.Second
	for text := range strings.SplitSeq(*concurrency, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("-concurrency %q: want numbers with commas between them", *concurrency)
		}
		if n > 0 {
			o.concurrency = append(o.concurrency, n)
		}
	}
	if o.runs < 1 || *seconds < 1 {
		return nil, fmt.Errorf("-runs %d, -seconds %d: want at least 1", o.runs, *seconds)
	}
	return o, nil
}
