package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"cadastre/internal/devcluster"
	"cadastre/internal/pause"
)

// retryPause is how long a creator waits after an error before it tries the next name.
const retryPause = 20 * time.Millisecond

// Created is an acknowledged registration.
type Created struct {
	Name string
	At   time.Time
}

// Creator creates domains on one node after the other answer, without pause, until its
// context is done.
type Creator struct {
	session *Session
	prefix  string

	// mu guards what follows.
	mu           sync.Mutex
	acknowledged []Created
	failures     int
	lastError    error
}

// NewCreator returns a creator of domains named prefix-N on the node at the EPP address.
func NewCreator(info *devcluster.Info, address, prefix string) *Creator {
	return &Creator{session: NewSession(info, info.Registrars[0], address), prefix: prefix}
}

// Run creates until ctx is done.
func (c *Creator) Run(ctx context.Context, tld string) {
	defer c.session.Close()
	for i := 0; ctx.Err() == nil; i++ {
		name := fmt.Sprintf("%s-%d.%s", c.prefix, i, tld)
		acknowledged, err := c.session.Create(ctx, name, HostName)
		c.mu.Lock()
		if acknowledged {
			c.acknowledged = append(c.acknowledged, Created{Name: name, At: time.Now()})
		} else if ctx.Err() == nil {
			c.failures++
			c.lastError = err
		}
		c.mu.Unlock()
		if err != nil {
			Pause(ctx, retryPause)
		}
	}
}

// Acknowledged returns what was acknowledged so far, oldest first.
func (c *Creator) Acknowledged() []Created {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Created(nil), c.acknowledged...)
}

// Failures returns how many creates were refused or broke off, and the last reason.
func (c *Creator) Failures() (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures, c.lastError
}

// Pause waits for d or until ctx is done.
func Pause(ctx context.Context, d time.Duration) { _ = pause.For(ctx, d) } // callers look at ctx
