package epp

import (
	"context"
	"fmt"
	"sync"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/internal/pause"
	"cadastre/registry"
)

const (
	// defaultQueryRate and defaultTransformRate bound the commands a second of one registrar
	// on one node, over all of its sessions: a fraction of what a node can do, so that one
	// registrar does not take it from the others, and several times what the busiest need.
	defaultQueryRate     = 1000
	defaultTransformRate = 200
	// burstSeconds is for how long a registrar that was quiet may go at twice the rate.
	burstSeconds = 2
	// maxRateDelay is how long a command over the rate waits before it is refused instead:
	// clients that are a little too fast are slowed down and need not know.
	maxRateDelay = 2 * time.Second
)

// rateKind tells the two allowances of a registrar apart: transforms go through the log of
// the whole cluster, queries stay on the node.
type rateKind uint8

const (
	rateQueries rateKind = iota
	rateTransforms
)

// String returns the kind as reasons name it.
func (k rateKind) String() string {
	if k == rateTransforms {
		return "transform"
	}
	return "query"
}

// rateKindOf says which allowance a command counts against. Acknowledging a message writes.
func rateKindOf(body eppxml.Body) rateKind {
	switch b := body.(type) {
	case *eppxml.Poll:
		if b.Op == eppxml.PollAck {
			return rateTransforms
		}
		return rateQueries
	case *eppxml.DomainTransfer:
		if b.Op == eppxml.TransferQuery {
			return rateQueries
		}
	case *eppxml.ContactTransfer:
		if b.Op == eppxml.TransferQuery {
			return rateQueries
		}
	}
	if isTransform(body.Verb()) {
		return rateTransforms
	}
	return rateQueries
}

// rates holds a token bucket for each registrar and kind. Only registrars that logged in
// have one, so that there are at most as many as registrars in the registry.
type rates struct {
	mu      sync.Mutex
	buckets map[rateKey]*bucket // guarded by mu
}

type rateKey struct {
	registrar registry.RegistrarID
	kind      rateKind
}

// bucket holds what may be spent at once; below zero, commands are waiting for it.
type bucket struct {
	tokens float64
	at     time.Time // when tokens was right
}

func newRates() *rates { return &rates{buckets: map[rateKey]*bucket{}} }

// take spends a token and returns how long the command must wait for it, or false if that
// would be longer than maxRateDelay: then nothing is spent.
func (r *rates) take(now time.Time, key rateKey, perSecond uint32) (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rate, most := float64(perSecond), float64(perSecond)*burstSeconds
	b := r.buckets[key]
	if b == nil {
		b = &bucket{tokens: most, at: now}
		r.buckets[key] = b
	}
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens, b.at = min(most, b.tokens+passed*rate), now
	}
	wait := time.Duration(max(0, 1-b.tokens) / rate * float64(time.Second))
	if wait > maxRateDelay {
		return 0, false
	}
	b.tokens--
	return wait, true
}

// rateOf returns how many commands of the kind the registrar may send a second from this
// client, 0 for any number. On loopback only what the record says counts.
func (s *session) rateOf(registrar *registry.Registrar, kind rateKind) uint32 {
	own, fallback := registrar.QueryRate, s.server.cfg.Limits.QueryRate
	if kind == rateTransforms {
		own, fallback = registrar.TransformRate, s.server.cfg.Limits.TransformRate
	}
	switch {
	case own != 0:
		return own
	case s.client.IsLoopback():
		return 0
	default:
		return uint32(fallback)
	}
}

// slowDown makes a command that comes too fast wait, and answers in its place if it would
// have to wait too long. The session goes on: the client did nothing that closing it mends.
func (s *session) slowDown(ctx context.Context, c *call, body eppxml.Body) (*answer, error) {
	kind := rateKindOf(body)
	perSecond := s.rateOf(s.record, kind)
	if perSecond == 0 {
		return nil, nil
	}
	wait, admitted := s.server.rates.take(time.Now(), rateKey{s.registrar, kind}, perSecond)
	if !admitted {
		s.server.rateRefused.Add(1)
		a := c.refused(codeCommandFailed, c.key(), fmt.Sprintf("more than %d %s commands a second, the registrar's limit on this server; nothing was done, send it again later", perSecond, kind))
		a.overRate = true
		return a, nil
	}
	if wait == 0 {
		return nil, nil
	}
	if err := pause.For(ctx, wait); err != nil {
		return nil, fmt.Errorf("wait for the command's turn: %w", err)
	}
	return nil, nil
}
