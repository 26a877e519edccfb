package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// faultReporter tells the owner of the store about failures wherever they are met: by a
// reader, by Pebble's own goroutines, or in files that it checks.
type faultReporter struct{ report atomic.Pointer[func(error)] }

// OnFault has fn called with each storage failure, from any goroutine; fn must return. The
// process must then end: Pebble goes on after a failed flush as if it had not been.
func (s *Store) OnFault(fn func(error)) { s.faults.report.Store(&fn) }

// noted reports err if it is a failure of the storage, and returns it.
func (r *faultReporter) noted(err error) error {
	if f, ok := errors.AsType[*Fault](err); ok && !errors.Is(f, errClosed) {
		if report := r.report.Load(); report != nil {
			(*report)(f)
		}
	}
	return err
}

// listener hears what Pebble otherwise only logs.
func (r *faultReporter) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if errors.Is(err, context.Canceled) || errors.Is(err, pebble.ErrCancelledCompaction) || errors.Is(err, pebble.ErrClosed) {
				return // it is being closed
			}
			_ = r.noted(fault("write in the background", err)) // reported
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			_ = r.noted(fault("read "+info.Path, info.Details)) // reported
		},
	}
}

// quietLogger drops Pebble's narration; its errors come back from the calls.
type quietLogger struct{ faults *faultReporter }

func (quietLogger) Infof(string, ...any)  {}
func (quietLogger) Errorf(string, ...any) {}

// Fatalf is called by Pebble when it cannot go on, such as after a failed WAL write. It may
// not return.
func (l quietLogger) Fatalf(format string, args ...any) {
	err := fault("pebble", fmt.Errorf(format, args...))
	_ = l.faults.noted(err) // reported
	if l.faults.report.Load() != nil {
		select {} // the owner ends the process, with a message and in order
	}
	panic(err)
}
