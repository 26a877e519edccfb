package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// stage is a group of parts that stop together.
type stage struct {
	name   string
	ctx    context.Context
	cancel context.CancelFunc
	failed chan<- error
	wg     sync.WaitGroup

	mu   sync.Mutex
	errs []error
}

func newStage(name string, failed chan<- error) *stage {
	ctx, cancel := context.WithCancel(context.Background())
	return &stage{name: name, ctx: ctx, cancel: cancel, failed: failed}
}

// start runs a part until the stage stops. A part that ends before is a failure of the node.
func (s *stage) start(part func(ctx context.Context) error) {
	s.wg.Go(func() {
		err := part(s.ctx)
		if s.ctx.Err() == nil {
			if err == nil {
				err = fmt.Errorf("a part of %s ended by itself", s.name)
			}
			select {
			case s.failed <- err:
			default: // another failure came first
			}
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.errs = append(s.errs, err)
	})
}

func (s *stage) stop() error {
	s.cancel()
	s.wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}
