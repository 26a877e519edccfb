package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"cadastre/bench/load"
)

// result is one load that was measured.
type result struct {
	System      string `json:"system"`
	Operation   string `json:"operation"`
	Concurrency int    `json:"concurrency"`
	// PerSecond are the operations answered in a second.
	PerSecond float64 `json:"per_second"`
	P50Micros float64 `json:"p50_us"`
	P99Micros float64 `json:"p99_us"`
	// NodesCPUMicros and LoadCPUMicros are the CPU time of all nodes and of the load
	// generator for each operation.
	NodesCPUMicros float64 `json:"nodes_cpu_us_per_op"`
	LoadCPUMicros  float64 `json:"load_cpu_us_per_op"`
}

// window is what CPU was used while something was measured.
type window struct {
	nodes, load []int // process ids
	from        [2]time.Duration
	used        [2]time.Duration
}

func (w *window) read() (at [2]time.Duration, err error) {
	for i, pids := range [][]int{w.nodes, w.load} {
		if at[i], err = load.CPUTime(pids...); err != nil {
			return at, err
		}
	}
	return at, nil
}

func (w *window) begin() (err error) {
	w.from, err = w.read()
	return err
}

func (w *window) end() error {
	to, err := w.read()
	for i := range to {
		w.used[i] = to[i] - w.from[i]
	}
	return err
}

// fill sets the CPU time for each of the operations.
func (w *window) fill(r *result, operations int) {
	perOp := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(max(operations, 1)) }
	r.NodesCPUMicros, r.LoadCPUMicros = perOp(w.used[0]), perOp(w.used[1])
}

// measure runs every caller in a loop, each call after the answer to the one before, and
// samples those answered within the measured time.
func measure(ctx context.Context, name string, callers []func() error, nodes []int, o *options) (r result, err error) {
	w := &window{nodes: nodes, load: []int{os.Getpid()}}
	var sampling, done atomic.Bool
	samples := make([]load.Samples, len(callers))
	errs := make([]error, len(callers))
	var running sync.WaitGroup
	for i, call := range callers {
		running.Go(func() {
			for !done.Load() && errs[i] == nil {
				started := time.Now()
				errs[i] = call()
				if sampling.Load() {
					samples[i] = append(samples[i], time.Since(started))
				}
			}
		})
	}
	load.Pause(ctx, warmUp)
	stopProfile, err := o.profile.start(fmt.Sprintf("%s-%d", name, len(callers)), nodes)
	if err != nil {
		stopProfile = func() error { return nil }
	}
	err = errors.Join(err, w.begin())
	began := time.Now()
	sampling.Store(true)
	load.Pause(ctx, o.measured)
	sampling.Store(false)
	took := time.Since(began)
	err = errors.Join(err, w.end(), stopProfile(), ctx.Err())
	done.Store(true)
	running.Wait()
	if err := errors.Join(append(errs, err)...); err != nil {
		return r, err
	}
	var all load.Samples
	for _, s := range samples {
		all = append(all, s...)
	}
	r = result{
		System: systemCadastre, Operation: name,
		Concurrency: len(callers), PerSecond: float64(len(all)) / took.Seconds(),
		P50Micros: micros(all.Quantile(0.5)), P99Micros: micros(all.Quantile(0.99)),
	}
	w.fill(&r, len(all))
	return r, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
