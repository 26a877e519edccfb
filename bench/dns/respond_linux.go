package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"cadastre/dnsedge"
)

// respond measures the responder alone, without sockets: the processor time of one answer, on the questions of the benchmark.
// It tells changes of a few percent apart on a machine that is busy with other things.
func respond(ctx context.Context, rounds int, source *benchSource, delegations int, profile string) error {
	zone, err := dnsedge.BuildZone(apex, func(add func(dnsedge.Owner) error) error {
		_, err := source.Load(ctx, apex, add)
		return err
	})
	if err != nil {
		return err
	}
	queries, err := packQueries(delegations)
	if err != nil {
		return err
	}
	runtime.GC()
	view, reply := dnsedge.NewView(zone), make([]byte, 0, 4096)
	var responder dnsedge.Responder
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
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
	for range rounds {
		begun, octets := threadTime(), 0
		for _, q := range queries {
			octets += len(responder.Respond(reply, q, view, dnsedge.Client{}))
		}
		took := threadTime() - begun
		fmt.Printf("%d ns an answer, %d octets\n", int(took)/len(queries), octets/len(queries))
	}
	return ctx.Err()
}

// packQueries makes the messages that dnsperf would send.
func packQueries(delegations int) (queries [][]byte, err error) {
	var text bytes.Buffer
	if err := writeQueries(&text, delegations); err != nil {
		return nil, err
	}
	for line := range strings.Lines(text.String()) {
		name, rrtype, _ := strings.Cut(strings.TrimSpace(line), " ")
		m := new(dns.Msg).SetQuestion(name+".", dns.StringToType[rrtype]).SetEdns0(4096, true)
		m.RecursionDesired = false
		packed, err := m.Pack()
		if err != nil {
			return nil, err
		}
		queries = append(queries, packed)
	}
	return queries, nil
}

// threadTime is the processor time of this thread.
func threadTime() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) // known since Linux 2.6.12
	return time.Duration(ts.Nano())
}
