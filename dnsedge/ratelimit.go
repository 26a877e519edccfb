package dnsedge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// RateLimit bounds the replies that leave over UDP to a client's address and to the networks around it, so that the
// server is no use to those who forge addresses. The scheme is that of Knot: one rate for an address, multiples of it
// for shorter prefixes. A client that shows a cookie of ours is not limited.
type RateLimit struct {
	// PerSecond is the rate of replies to one IPv4 address or IPv6 /64; 0 means 400, less than 0 no limit.
	PerSecond int
	// Burst is how many may go out at once after a rest; 0 means two and a half seconds' worth.
	Burst int
	// Slip is how many limited replies there are to each that is sent truncated, so that a client behind the address
	// can turn to TCP: 0 means 1, that is every one; less than 0 none.
	Slip int
	// Exempt networks are not limited.
	Exempt []netip.Prefix
}

const (
	defaultRate      = 400 // a busy resolver without cookies asks less of one of several servers
	defaultSlip      = 1
	burstPerTwoRates = 5       // the default burst, in halves of the rate
	maxRate          = 1 << 20 // the clock has microseconds
	maxExempt        = 1024    // looked through for each query
	limiterSlots     = 1 << 18 // two megabytes; 4 are touched for each client
	limiterTagBits   = 16
	limiterTimeBits  = 64 - limiterTagBits // microseconds since the start: nine years
)

// limiterLevel is a prefix length with the multiple of the rate that all of the prefix may have.
type limiterLevel struct{ bits, multiple int }

// levelsOf returns the prefixes that are counted, as Knot's.
func levelsOf(addr netip.Addr) [4]limiterLevel {
	if addr.Is4() {
		return [4]limiterLevel{{32, 1}, {24, 32}, {20, 256}, {18, 768}}
	}
	return [4]limiterLevel{{64, 1}, {56, 4}, {48, 16}, {32, 256}}
}

// limiter counts by the time at which a prefix would have used up what it may send (the generic cell rate algorithm), one
// word for each. Its table is shared by all workers and forgets the less busy of those that collide.
type limiter struct {
	slots          []atomic.Uint64
	seed           maphash.Seed
	started        time.Time
	intervalMicros float64
	burstMicros    uint64
	slip           uint64
	exempt         []netip.Prefix

	limited atomic.Uint64
}

// newLimiter returns nil for no limit.
func newLimiter(cfg RateLimit, now time.Time) (*limiter, error) {
	if cfg.PerSecond < 0 {
		return nil, nil
	}
	if cfg.PerSecond == 0 {
		cfg.PerSecond = defaultRate
	}
	if cfg.Burst == 0 {
		cfg.Burst = (cfg.PerSecond*burstPerTwoRates + 1) / 2
	}
	if cfg.Slip == 0 {
		cfg.Slip = defaultSlip
	}
	switch {
	case cfg.PerSecond > maxRate || cfg.Burst < 1 || cfg.Burst > maxRate:
		return nil, fmt.Errorf("dns: a limit of %d replies a second and %d at once: want 1 to %d", cfg.PerSecond, cfg.Burst, maxRate)
	case len(cfg.Exempt) > maxExempt:
		return nil, fmt.Errorf("dns: %d networks exempt from the rate limit, want at most %d", len(cfg.Exempt), maxExempt)
	case slices.ContainsFunc(cfg.Exempt, func(p netip.Prefix) bool { return !p.IsValid() }):
		return nil, errors.New("dns: a network exempt from the rate limit is not valid")
	}
	interval := float64(time.Second/time.Microsecond) / float64(cfg.PerSecond)
	return &limiter{
		slots: make([]atomic.Uint64, limiterSlots), seed: maphash.MakeSeed(), started: now, intervalMicros: interval,
		burstMicros: uint64(interval * float64(cfg.Burst)), slip: uint64(max(cfg.Slip, 0)), exempt: cfg.Exempt,
	}, nil
}

// micros is the limiter's clock.
func (l *limiter) micros(now time.Time) uint64 { return uint64(now.Sub(l.started) / time.Microsecond) }

// allow says whether a reply may go to the address now and counts it if so.
func (l *limiter) allow(addr netip.Addr, now uint64) bool {
	for _, p := range l.exempt {
		if p.Contains(addr) {
			return true
		}
	}
	levels := levelsOf(addr)
	var slots [len(levels)]*atomic.Uint64
	var words [len(levels)]uint64
	var key [17]byte
	a16 := addr.As16()
	copy(key[:], a16[:])
	for i, level := range levels {
		keep := level.bits
		if addr.Is4() {
			keep += 96
		}
		maskBits(key[:16], keep)
		key[16] = byte(keep)
		h := maphash.Bytes(l.seed, key[:])
		slot, due := l.slot(h, now)
		due = max(due, now) + uint64(l.intervalMicros/float64(level.multiple)+0.5)
		if due-now > l.burstMicros {
			return false
		}
		slots[i], words[i] = slot, h>>limiterTimeBits<<limiterTimeBits|due
	}
	for i, slot := range slots {
		slot.Store(words[i]) // a count lost to another worker is no loss
	}
	return true
}

// maskBits clears all but the first bits.
func maskBits(b []byte, bits int) {
	for i := range b {
		switch left := bits - 8*i; {
		case left <= 0:
			b[i] = 0
		case left < 8:
			b[i] &= 0xFF << (8 - left)
		}
	}
}

// slot finds the word of a hash, or one to be taken over, and the time in it.
func (l *limiter) slot(hash, now uint64) (slot *atomic.Uint64, due uint64) {
	const timeMask = 1<<limiterTimeBits - 1
	first := int(hash & (limiterSlots - 1))
	var best uint64
	for i := range 2 {
		s := &l.slots[first^i]
		w := s.Load()
		if w>>limiterTimeBits == hash>>limiterTimeBits {
			return s, w & timeMask
		}
		if slot == nil || w&timeMask < best {
			slot, best = s, w&timeMask
		}
	}
	return slot, now
}

// limit turns a reply into what may leave: itself, a truncated one, or nothing.
func (l *limiter) limit(reply []byte, o *outcome, addr netip.Addr, now uint64) []byte {
	if len(reply) == 0 || o.cookie || l.allow(addr, now) {
		return reply
	}
	n := l.limited.Add(1)
	o.limited = true
	if l.slip == 0 || n%l.slip != 0 {
		return reply[:0]
	}
	o.truncated = true
	return truncate(reply, o)
}

// truncate leaves the question, and the fixed part of the OPT, of a reply: no more than the query had.
func truncate(reply []byte, o *outcome) []byte {
	flags := byte(0)
	if o.dnssecOK {
		flags = 1 << 7
	}
	reply = reply[:o.question]
	reply[2] |= bitTC
	clear(reply[6:headerOctets])
	if o.edns {
		reply = append(reply, 0, 0, byte(typeOPT), byte(maxUDPOctets>>8), byte(maxUDPOctets&0xFF), byte(o.rcode>>4), 0, flags, 0, 0, 0)
		binary.BigEndian.PutUint16(reply[10:], 1)
	}
	return reply
}
