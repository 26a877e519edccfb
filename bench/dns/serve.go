package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"

	"cadastre/dnsedge"
	"cadastre/zone"
)

// benchSource has the zone of the benchmark in a file and, if asked to, publishes registrations all the time, twenty times a second.
type benchSource struct {
	file      string
	perSecond int

	mu     sync.Mutex
	serial uint32
}

const (
	publicationsPerSecond = 20
	maxOwnerOctets        = 1 << 16
)

func (s *benchSource) Zones(context.Context) ([]dnsedge.ZoneState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []dnsedge.ZoneState{{TLD: apex, Serial: s.serial}}, nil
}

// Load reads the owners as writeOwners wrote them. It is called once: later serials come as changes.
func (s *benchSource) Load(_ context.Context, _ string, fn func(dnsedge.Owner) error) (uint32, error) {
	f, err := os.Open(s.file)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	r := bufio.NewReaderSize(f, 1<<20)
	var head [7]byte
	var body []byte
	for {
		if _, err := io.ReadFull(r, head[:]); err == io.EOF {
			return 1, nil
		} else if err != nil {
			return 0, err
		}
		name, rrs := int(binary.BigEndian.Uint16(head[1:])), int(binary.BigEndian.Uint32(head[3:]))
		if name+rrs > maxOwnerOctets {
			return 0, fmt.Errorf("%s has an owner of %d octets", s.file, name+rrs)
		}
		body = slices.Grow(body[:0], name+rrs)[:name+rrs]
		if _, err := io.ReadFull(r, body); err != nil {
			return 0, err
		}
		if err := fn(dnsedge.Owner{Name: string(body[:name]), RRs: body[name:], NSEC3: head[0] == 1}); err != nil {
			return 0, err
		}
	}
}

// writeOwners writes each owner as a flag, two lengths, its name and its records.
func writeOwners(w io.Writer, delegations int) error {
	b := bufio.NewWriterSize(w, 1<<20)
	err := eachOwner(delegations, func(owner string, isNSEC3 bool, rrs []dns.RR) error {
		packed, err := zone.Pack(rrs)
		if err != nil {
			return err
		}
		head := []byte{0}
		if isNSEC3 {
			head[0] = 1
		}
		head = binary.BigEndian.AppendUint16(head, uint16(len(owner)))
		head = append(binary.BigEndian.AppendUint32(head, uint32(len(packed))), owner...)
		_, err = b.Write(append(head, packed...))
		return err
	})
	return errors.Join(err, b.Flush())
}

// Changes makes the registrations of one publication: new delegations, one in twenty with a DS and its proof, and the SOA.
func (s *benchSource) Changes(_ context.Context, _ string, from uint32) (out []dnsedge.Publication, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for serial := from + 1; serial <= s.serial; serial++ {
		p := dnsedge.Publication{Serial: serial}
		chain := map[string][]uint16{}
		add := func(owner string, isNSEC3 bool, rrs []dns.RR) error {
			packed, err := zone.Pack(rrs)
			p.Owners = append(p.Owners, dnsedge.Owner{Name: owner, RRs: packed, NSEC3: isNSEC3})
			return err
		}
		emit := func(owner string, rrs []dns.RR) error {
			if rrs[len(rrs)-1].Header().Rrtype == dns.TypeDS {
				chain[owner] = []uint16{dns.TypeNS, dns.TypeDS, dns.TypeRRSIG}
				rrs = append(rrs, signature(owner, dns.TypeDS, 3600))
			}
			return add(owner, false, rrs)
		}
		err := eachApex(serial, func(owner string, rrs []dns.RR) error { return add(owner, false, withSignatures(owner, rrs)) })
		for i := range s.perSecond / publicationsPerSecond {
			err = errors.Join(err, eachDelegation(1<<28+int(serial)*1000+i, emit, add))
		}
		if err = errors.Join(err, eachHash(chain, add)); err != nil {
			return nil, false, err
		}
		out = append(out, p)
	}
	return out, true, nil
}

// publish makes a new serial at a steady rate until the context ends.
func (s *benchSource) publish(ctx context.Context, published chan<- struct{}) {
	ticker := time.NewTicker(time.Second / publicationsPerSecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		s.serial++
		s.mu.Unlock()
		select {
		case published <- struct{}{}:
		default:
		}
	}
}

// serve runs the name server alone, with one worker, on the zone of the benchmark.
func serve(ctx context.Context, listen string, source *benchSource, delegations int, profile string) error {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	published := make(chan struct{}, 1)
	server, err := dnsedge.New(dnsedge.Config{Listen: []string{listen}, Workers: 1, Source: source, Published: published,
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
	if source.perSecond > 0 {
		publishing, stop := context.WithCancel(ctx)
		var group sync.WaitGroup
		group.Go(func() { source.publish(publishing, published) })
		defer group.Wait()
		defer stop()
	}
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
