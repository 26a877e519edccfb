package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain also lets the test binary be a node of its own, which a test can kill.
func TestMain(m *testing.M) {
	if settings := os.Getenv(childEnv); settings != "" {
		os.Exit(runChild(settings))
	}
	code := m.Run()
	if code == 0 {
		if err := awaitGoroutines(); err != nil {
			fmt.Fprintf(os.Stderr, "goroutines are left behind: %v\n", err)
			code = 1
		}
	}
	os.Exit(code)
}

// awaitGoroutines returns nil when no goroutine of a test is left. memberlist does not join the
// probe that is under way when it is shut down, nor shorten it; that ends by itself after the
// probe interval of two seconds, or up to eight times that on a machine so busy that earlier
// probes failed.
func awaitGoroutines() error {
	for deadline := time.Now().Add(probeEnd); ; {
		err := goleak.Find()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// probeEnd is the longest that memberlist's last probe goes on, and as much again.
const probeEnd = 2 * 16 * time.Second

// testWait bounds every wait of the tests; a healthy run needs a small part of it.
const testWait = 20 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testWait)
	t.Cleanup(cancel)
	return ctx
}

func testLog(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.DiscardHandler)
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(testWait)
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("still not true after %s: %s", testWait, what)
		case <-ticker.C:
		}
	}
}

// background runs fn until the test ends and checks that it ends without an error.
func background(t *testing.T, what string, fn func(ctx context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s ended with: %v", what, err)
			}
		case <-time.After(testWait):
			t.Errorf("%s did not end", what)
		}
	}
	t.Cleanup(stop)
	return stop
}
