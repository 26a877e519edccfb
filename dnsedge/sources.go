package dnsedge

import (
	"hash/maphash"
	"math"
	"math/bits"
	"net/netip"
	"sync/atomic"
)

const (
	// sketchBits choose the register of an address: 4096 of them estimate within 1.6 % (standard error).
	sketchBits  = 12
	secondsADay = 86400
)

// sketch estimates how many different addresses were noted (HyperLogLog).
type sketch [1 << sketchBits]atomic.Uint32

// note is for one writer at a time; readers may come in between.
func (s *sketch) note(hash uint64) {
	rank := uint32(bits.LeadingZeros64(hash<<sketchBits|1<<(sketchBits-1))) + 1
	if register := &s[hash>>(64-sketchBits)]; register.Load() < rank {
		register.Store(rank)
	}
}

// sourceDay has the sources of one UTC day.
type sourceDay struct {
	day              atomic.Uint32 // since 1970
	ipv4, ipv6, nets sketch
}

// sources notes who asked one socket, today and on the day before. RSSAC002 counts IPv4 and IPv6 addresses and IPv6 /64 networks of a
// UTC day.
type sources struct{ days [2]sourceDay }

// note takes note of a client. It is called by one goroutine at a time.
func (s *sources) note(seed maphash.Seed, addr netip.Addr, now uint32) {
	day := now / secondsADay
	d := &s.days[day&1]
	if d.day.Load() != day {
		for _, sk := range []*sketch{&d.ipv4, &d.ipv6, &d.nets} {
			for i := range sk {
				sk[i].Store(0)
			}
		}
		d.day.Store(day)
	}
	b := addr.As16()
	hash := maphash.Bytes(seed, b[:])
	if addr.Is4() {
		d.ipv4.note(hash)
		return
	}
	d.ipv6.note(hash)
	d.nets.note(maphash.Bytes(seed, b[:8]))
}

// SourceStats are estimates of how many different clients asked over one UTC day.
type SourceStats struct{ IPv4, IPv6, IPv6Networks uint64 }

// countSources merges what the sockets noted on a day.
func countSources(all []*sources, day uint32) SourceStats {
	var registers [3][1 << sketchBits]uint32
	for _, s := range all {
		d := &s.days[day&1]
		if d.day.Load() != day {
			continue
		}
		for k, sk := range []*sketch{&d.ipv4, &d.ipv6, &d.nets} {
			for i := range sk {
				registers[k][i] = max(registers[k][i], sk[i].Load())
			}
		}
	}
	return SourceStats{IPv4: estimate(&registers[0]), IPv6: estimate(&registers[1]), IPv6Networks: estimate(&registers[2])}
}

// estimate is that of Flajolet et al. (2007), with linear counting for few.
func estimate(registers *[1 << sketchBits]uint32) uint64 {
	const m = float64(len(registers))
	sum, empty := 0.0, 0
	for _, r := range registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			empty++
		}
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && empty > 0 {
		e = m * math.Log(m/float64(empty))
	}
	return uint64(e + 0.5)
}
