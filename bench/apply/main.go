// Command apply measures what applying a domain create costs one node, without network and
// log: CPU time for each create at several sizes of the registry, with the publications that
// follow from them, the flushes and compactions of the state and the garbage collection. At
// the largest size it also takes checkpoints and reports how long a batch had to wait.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"cadastre/bench/load"
	"cadastre/internal/gcpace"
	"cadastre/publisher"
	"cadastre/store"
)

const (
	// commandsPerEntry and entriesPerBatch are about what a busy leader makes.
	commandsPerEntry = 32
	entriesPerBatch  = 2
	// checkpoints is how many are taken at the largest size.
	checkpoints = 3
)

func main() { os.Exit(load.Main("apply", run)) }

func run(ctx context.Context) (err error) {
	sizes := flag.String("sizes", "10000,1000000", "domains that are there when the measurement begins, a growing list")
	measured := flag.Int("creates", 100_000, "how many creates are measured at each size")
	publishes := flag.Bool("publish", true, "publish the names as a leader does; without it only what applying costs is measured")
	profile := flag.String("cpuprofile", "", "a file for the CPU profile of the last measurement")
	flag.Parse()
	dir, err := os.MkdirTemp("", "cadastre-apply-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st, err := store.Open(filepath.Join(dir, "state"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	n := newNode(st)
	n.setUp()
	publishing, stop := context.WithCancel(ctx)
	var workers sync.WaitGroup
	if *publishes {
		workers.Go(func() {
			_ = publisher.New(n, st, publisher.Unsigned{}, slog.New(slog.DiscardHandler)).Run(publishing, n.dirty)
		}) // ends with its context only
	}
	defer workers.Wait()
	defer stop()
	workers.Go(func() { _ = st.FillFilter(publishing) }) // ends with its context only
	workers.Go(func() { _ = gcpace.Run(publishing) })    // as a node does
	whole := cpuTime()
	fmt.Println("   present    creates/s of CPU   CPU µs each   creates/s by the clock   slowest batch    RSS MiB")
	list := strings.Split(*sizes, ",")
	for i, text := range list {
		size, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-sizes %q: want numbers with commas between them", *sizes)
		}
		n.fill(ctx, size)
		if i == len(list)-1 && *profile != "" {
			f, err := os.Create(*profile)
			if err != nil {
				return err
			}
			if err := pprof.StartCPUProfile(f); err != nil {
				return err
			}
		}
		if err := n.measure(ctx, *measured); err != nil {
			return err
		}
	}
	pprof.StopCPUProfile()
	if n.created > 0 { // merges of tables come seldom and are large: only a long run has its share of them
		fmt.Printf("all %d creates, from an empty state on: %.1f µs of CPU each\n", n.created, float64((cpuTime()-whole).Microseconds())/float64(n.created))
	}
	return n.checkpoint(ctx, dir)
}

// fill creates domains until there are as many.
func (n *node) fill(ctx context.Context, size int) {
	for n.created < size && ctx.Err() == nil {
		n.applyCreates()
	}
}

// measure applies creates and prints a line.
func (n *node) measure(ctx context.Context, creates int) error {
	present := n.created
	runtime.GC()
	n.slowest = 0
	cpu, began := cpuTime(), time.Now()
	for n.created < present+creates && ctx.Err() == nil {
		n.applyCreates()
	}
	used, took := cpuTime()-cpu, time.Since(began)
	done := float64(n.created - present)
	resident, err := residentBytes()
	if err != nil {
		return err
	}
	fmt.Printf("%10d %18.0f %13.1f %24.0f %15s %10d\n", present, done/used.Seconds(),
		float64(used.Microseconds())/done, done/took.Seconds(), n.slowest.Round(100*time.Microsecond), resident>>20)
	return ctx.Err()
}

// checkpoint takes checkpoints under load and prints how long they took and what they held up.
func (n *node) checkpoint(ctx context.Context, dir string) error {
	for i := range checkpoints {
		n.slowest = 0
		done := make(chan error, 1)
		began := time.Now()
		go func() { done <- n.store.Checkpoint(filepath.Join(dir, "checkpoint"+strconv.Itoa(i))) }()
		for finished := false; !finished && ctx.Err() == nil; {
			n.applyCreates()
			select {
			case err := <-done:
				if err != nil {
					return err
				}
				finished = true
			default:
			}
		}
		fmt.Printf("checkpoint %d of %d domains took %s; the slowest batch of %d commands meanwhile took %s\n",
			i+1, n.created, time.Since(began).Round(time.Millisecond), commandsPerEntry*entriesPerBatch, n.slowest.Round(100*time.Microsecond))
	}
	return ctx.Err()
}

// cpuTime returns the CPU time of this process, in user and kernel.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // cannot fail for oneself
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// residentBytes returns the memory that this process has now.
func residentBytes() (int64, error) {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0, errors.New("/proc/self/statm has too few fields")
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
