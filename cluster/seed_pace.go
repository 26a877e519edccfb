package cluster

import (
	"context"
	"sync"
	"time"

	"cadastre/internal/pause"
)

// pacer spreads octets over time; those who share one share its rate.
type pacer struct {
	bytesPerSecond int64 // 0: as fast as it goes

	mu   sync.Mutex
	next time.Time // when the line is free again
}

// wait returns when n octets may go, or with the cause that ended ctx.
func (p *pacer) wait(ctx context.Context, n int) error {
	if p == nil || p.bytesPerSecond <= 0 {
		return ctx.Err()
	}
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	until := p.next
	p.next = p.next.Add(time.Duration(float64(n) / float64(p.bytesPerSecond) * float64(time.Second)))
	p.mu.Unlock()
	if delay := until.Sub(now); delay > 0 {
		return pause.For(ctx, delay)
	}
	return ctx.Err()
}
