// Package prefixlimit bounds how often the clients of a network may ask, with a fixed amount of
// memory however many networks there are.
package prefixlimit

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Sizes of the table: so many networks are told apart, in so many parts with a lock each.
const (
	shards        = 64
	setsPerShard  = 256
	waysPerSet    = 4
	bitsIPv4      = 32
	bitsIPv6      = 64
	wideBitsIPv4  = 24
	wideBitsIPv6  = 48
	wideMultiple  = 8 // what a wider network may do, in multiples of a client's share
	maxWaitSecond = 3600
)

// Config says what a client may do. A client is an IPv4 address or an IPv6 /64.
type Config struct {
	// PerSecond is the lasting rate; 0 or less: no limit.
	PerSecond float64
	// Burst is how much may be asked at once after a rest, at least 1.
	Burst float64
	// Exempt has networks that are not limited.
	Exempt []netip.Prefix
}

// Limiter counts. Make one with New.
type Limiter struct {
	cfg  Config
	seed maphash.Seed
	part [shards]part
}

type part struct {
	mu   sync.Mutex
	sets [setsPerShard][waysPerSet]bucket
}

// bucket is what one network has left, as of a time.
type bucket struct {
	tag  uint64
	left float64
	at   int64 // Unix nanoseconds
}

// New returns a limiter.
func New(cfg Config) *Limiter {
	cfg.Burst = max(cfg.Burst, 1)
	return &Limiter{cfg: cfg, seed: maphash.MakeSeed()}
}

// Allow takes cost from what the client has left and says whether there was enough; if not, how long
// to wait. The networks around the client have a share of their own.
func (l *Limiter) Allow(client netip.Addr, cost float64, now time.Time) (ok bool, retryAfter time.Duration) {
	client = client.Unmap()
	if l.cfg.PerSecond <= 0 || l.isExempt(client) {
		return true, 0
	}
	narrow, wide := bitsIPv4, wideBitsIPv4
	if client.Is6() {
		narrow, wide = bitsIPv6, wideBitsIPv6
	}
	if ok, retryAfter = l.take(client, narrow, 1, cost, now); !ok {
		return false, retryAfter
	}
	return l.take(client, wide, wideMultiple, cost, now)
}

func (l *Limiter) isExempt(client netip.Addr) bool {
	return slices.ContainsFunc(l.cfg.Exempt, func(p netip.Prefix) bool { return p.Contains(client) })
}

func (l *Limiter) take(client netip.Addr, bits int, multiple, cost float64, now time.Time) (bool, time.Duration) {
	prefix, err := client.WithZone("").Prefix(bits)
	if err != nil {
		return false, time.Second // no address at all
	}
	tag := maphash.Comparable(l.seed, prefix) | 1 // never 0, which is of an empty place
	p := &l.part[tag>>8%shards]
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.find(tag, l.cfg.Burst*multiple, now.UnixNano())
	rate := l.cfg.PerSecond * multiple
	if passed := float64(now.UnixNano()-b.at) / 1e9; passed > 0 {
		b.left, b.at = min(b.left+passed*rate, l.cfg.Burst*multiple), now.UnixNano()
	}
	if cost = min(cost, l.cfg.Burst*multiple); b.left < cost {
		return false, time.Duration(min((cost-b.left)/rate, maxWaitSecond) * float64(time.Second))
	}
	b.left -= cost
	return true, 0
}

// find returns the bucket of the network, which takes the place of the one that was idle for longest
// if it is new.
func (p *part) find(tag uint64, burst float64, now int64) *bucket {
	set := &p.sets[tag>>16%setsPerShard]
	oldest := 0
	for i := range set {
		if set[i].tag == tag {
			return &set[i]
		}
		if set[i].at < set[oldest].at {
			oldest = i
		}
	}
	set[oldest] = bucket{tag: tag, left: burst, at: now}
	return &set[oldest]
}
