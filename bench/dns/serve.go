package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/miekg/dns"

	"cadastre/dnsedge"
	"cadastre/zone"
)

// benchSource publishes the zone of the benchmark, and again and again a new serial of it if asked to.
type benchSource struct {
	delegations int
	serial      uint32
}

func (s *benchSource) Zones(context.Context) ([]dnsedge.ZoneState, error) {
	return []dnsedge.ZoneState{{TLD: apex, Serial: s.serial}}, nil
}

func (s *benchSource) Load(_ context.Context, _ string, fn func(dnsedge.Owner) error) (uint32, error) {
	err := eachOwner(s.delegations, func(owner string, isNSEC3 bool, rrs []dns.RR) error {
		packed, err := zone.Pack(rrs)
		if err != nil {
			return err
		}
		return fn(dnsedge.Owner{Name: owner, RRs: packed, NSEC3: isNSEC3})
	})
	return 1, err
}

// Changes has none that reach back: only the first load counts here.
func (s *benchSource) Changes(context.Context, string, uint32) ([]dnsedge.Publication, bool, error) {
	return nil, false, nil
}

// serve runs the name server alone, with one worker, on the zone of the benchmark.
func serve(ctx context.Context, listen string, delegations int, profile string) error {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	source := &benchSource{delegations: delegations, serial: 1}
	server, err := dnsedge.New(dnsedge.Config{Listen: []string{listen}, Workers: 1, Source: source, Published: make(chan struct{}),
		RateLimit: dnsedge.RateLimit{PerSecond: -1}, // as the others
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	if err := server.Listen(ctx); err != nil {
		return err
	}
	done := make(chan error, 1)
	started := time.Now()
	go func() { done <- server.Run(ctx) }()
	for len(server.Stats().Zones) == 0 {
		select {
		case err := <-done:
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
	took := time.Since(started)
	runtime.GC()
	runtime.ReadMemStats(&after)
	fmt.Printf("loaded in %s; %.1f octets of heap per delegation\n", took.Round(time.Millisecond), float64(after.HeapAlloc-before.HeapAlloc)/float64(delegations))
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return <-done
}
