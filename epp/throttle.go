package epp

import (
	"sync"
	"time"
)

const (
	// throttleFailures is how many failed logins within throttleWindow close the door: a
	// registrar's own mistakes stay below it, guessing passwords does not.
	throttleFailures = 20
	throttleWindow   = 5 * time.Minute
	// throttleEntries bounds the memory; the entry that gives way is an arbitrary one.
	throttleEntries = 10_000
)

// throttle counts failed logins by certificate identity and by address. A failure counts
// against the certificate, never against the registrar that the client claimed to be, so
// that nobody can lock another registrar out.
type throttle struct {
	mu       sync.Mutex
	failures map[string]failures // guarded by mu
}

type failures struct {
	count int
	since time.Time
}

func newThrottle() *throttle { return &throttle{failures: map[string]failures{}} }

// closed says whether any of the keys has failed too often.
func (t *throttle) closed(now time.Time, keys ...string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		if f := t.failures[key]; f.count >= throttleFailures && now.Sub(f.since) < throttleWindow {
			return true
		}
	}
	return false
}

// failed notes a failed login.
func (t *throttle) failed(now time.Time, keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		f, found := t.failures[key]
		if !found && len(t.failures) >= throttleEntries {
			t.makeRoom(now)
		}
		if now.Sub(f.since) >= throttleWindow {
			f = failures{since: now}
		}
		f.count++
		t.failures[key] = f
	}
}

// makeRoom drops what has run out, or one entry if nothing has.
func (t *throttle) makeRoom(now time.Time) {
	var some string
	for key, f := range t.failures {
		some = key
		if now.Sub(f.since) >= throttleWindow {
			delete(t.failures, key)
		}
	}
	if len(t.failures) >= throttleEntries {
		delete(t.failures, some)
	}
}
