package load

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	pollInterval = 50 * time.Millisecond
	// pollTimeout bounds every wait, far above what a healthy cluster needs.
	pollTimeout = 2 * time.Minute
)

// fatalError is returned by a condition that waiting will not mend.
type fatalError struct{ err error }

func (e *fatalError) Error() string { return e.err.Error() }

// poll waits until condition holds; its errors but fatal ones only mean: not yet.
func poll(ctx context.Context, complaint string, condition func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		holds, err := condition()
		if holds {
			return nil
		}
		var fatal *fatalError
		if errors.As(err, &fatal) {
			return fatal.err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", complaint, errors.Join(ctx.Err(), err))
		case <-ticker.C:
		}
	}
}
