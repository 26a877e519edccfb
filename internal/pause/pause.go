// Package pause waits, but never longer than the context of whoever waits.
package pause

import (
	"context"
	"time"
)

// For waits for d. If ctx ends before, it returns at once with the cause.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
