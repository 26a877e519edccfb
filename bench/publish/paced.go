package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"cadastre/bench/load"
	"cadastre/internal/devcluster"
)

const (
	// sessions is how many creates may be under way at a time.
	sessions = 32
	// followed is which part of the names is asked for at all name servers: asking for all would measure the asking.
	followed = 10
)

// paced registers names with DS records at a steady rate and measures from the acknowledgement until all name servers
// answer with the signed DS record. A create that is due while all sessions are busy counts as late.
func paced(ctx context.Context, info *devcluster.Info, creates, rate int) error {
	var (
		mu             sync.Mutex
		create, served load.Samples
		errs           []error
		late           int
		workers        sync.WaitGroup
	)
	due := make(chan int, sessions)
	for i := range sessions {
		node := info.Nodes[i%len(info.Nodes)]
		workers.Go(func() {
			session := load.NewSession(info, info.Registrars[0], node.EPP)
			defer session.Close()
			for number := range due {
				name := fmt.Sprintf("paced-%d.%s", number, info.TLDs[0])
				digest := sha256.Sum256([]byte(name))
				started := time.Now()
				err := session.CreateSecure(ctx, name, load.HostName, digest[:])
				acknowledged := time.Now()
				mu.Lock()
				create = append(create, acknowledged.Sub(started))
				errs = append(errs, err)
				mu.Unlock()
				if err != nil || number%followed != 0 {
					continue
				}
				workers.Go(func() {
					slowest, err := servedByAll(ctx, info, name, acknowledged, load.WaitSigned)
					mu.Lock()
					defer mu.Unlock()
					served, errs = append(served, slowest), append(errs, err)
				})
			}
		})
	}
	ticker := time.NewTicker(time.Second / time.Duration(rate))
	defer ticker.Stop()
	began := time.Now()
	for number := range creates {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		select {
		case due <- number:
		default:
			late++
			due <- number
		}
	}
	close(due)
	workers.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Printf("%d creates with a DS record at %.0f a second (%d came late to a session)\n", creates, float64(creates)/time.Since(began).Seconds(), late)
	fmt.Printf("create, sent to acknowledged:                           %v\n", create)
	fmt.Printf("acknowledged to signed and served by all %d nodes (%d):  %v\n", len(info.Nodes), len(served), served)
	return nil
}
