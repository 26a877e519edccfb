// Command etcdload puts values into an etcd cluster with etcd's Go client and says how many
// puts were answered in a second and how fast. It is a module of its own, so that the
// program it is compared with does not depend on that client.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// readyTimeout bounds the wait for a fresh cluster to elect a leader.
	readyTimeout = 30 * time.Second
	putTimeout   = 45 * time.Second
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "etcdload: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	endpoints := flag.String("endpoints", "", "client URLs, with commas between them")
	concurrency := flag.Int("concurrency", 1, "how many callers at a time")
	connections := flag.Int("connections", 1, "how many clients share the callers, each with a connection to every node")
	octets := flag.Int("octets", 512, "length of a value")
	warmUp := flag.Duration("warmup", 2*time.Second, "how long the load runs before it is measured")
	measured := flag.Duration("measured", 10*time.Second, "how long it is measured")
	flag.Parse()
	clients := make([]*clientv3.Client, *connections)
	for i := range clients {
		client, err := clientv3.New(clientv3.Config{Endpoints: strings.Split(*endpoints, ","), DialTimeout: readyTimeout})
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		defer func() { _ = client.Close() }() // nothing is pending
		clients[i] = client
	}
	value := make([]byte, *octets)
	_, _ = rand.Read(value) // never fails: crypto/rand ends the process instead
	ready, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if _, err := clients[0].Put(ready, "ready", string(value)); err != nil {
		return fmt.Errorf("first put: %w", err)
	}
	var counter atomic.Int64
	put := func(caller int) error {
		ctx, cancel := context.WithTimeout(context.Background(), putTimeout)
		defer cancel()
		_, err := clients[caller%len(clients)].Put(ctx, fmt.Sprintf("load-%09d.example", counter.Add(1)), string(value))
		return err
	}
	return measure(*concurrency, *warmUp, *measured, put)
}

// measure runs the callers in a loop each, prints a line when the window that counts begins
// and when it ends, and then the figures.
func measure(callers int, warmUp, measured time.Duration, call func(caller int) error) error {
	var sampling, done atomic.Bool
	samples := make([][]time.Duration, callers)
	errs := make([]error, callers)
	var running sync.WaitGroup
	for i := range callers {
		running.Go(func() {
			for !done.Load() && errs[i] == nil {
				started := time.Now()
				errs[i] = call(i)
				if sampling.Load() {
					samples[i] = append(samples[i], time.Since(started))
				}
			}
		})
	}
	time.Sleep(warmUp)
	fmt.Println("begin")
	began := time.Now()
	sampling.Store(true)
	time.Sleep(measured)
	sampling.Store(false)
	took := time.Since(began)
	fmt.Println("end")
	done.Store(true)
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	all := slices.Concat(samples...)
	if len(all) == 0 {
		return errors.New("no put was answered")
	}
	slices.Sort(all)
	at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Nanoseconds()) / 1e3 }
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"operations": len(all), "seconds": took.Seconds(), "p50_us": at(0.5), "p99_us": at(0.99),
	})
}
