package dnsedge

import (
	"sync/atomic"
	"time"
)

const (
	// rcodeSlots counts the response codes that the responder can give, 0 to 16.
	rcodeSlots = 17
	// SizeSlot is the width of the size classes, in octets, that RSSAC002 asks for.
	SizeSlot = 16
	// sizeSlots covers what fits into a datagram; the last class has all that is longer.
	sizeSlots = maxUDPOctets/SizeSlot + 2
)

// counters belong to one worker, so that no two processors write to one cache line.
type counters struct {
	queries, responses, dropped, truncated, failed atomic.Uint64
	queryOctets, replyOctets                       atomic.Uint64
	rcodes                                         [rcodeSlots]atomic.Uint64
	querySizes, replySizes                         [sizeSlots]atomic.Uint64
	_                                              [64]byte
}

// received notes a query of that many octets.
func (c *counters) received(octets int) {
	c.queries.Add(1)
	c.queryOctets.Add(uint64(octets))
	c.querySizes[min(octets/SizeSlot, sizeSlots-1)].Add(1)
}

// replied notes a reply of that many octets.
func (c *counters) replied(octets int) {
	c.replyOctets.Add(uint64(octets))
	c.replySizes[min(octets/SizeSlot, sizeSlots-1)].Add(1)
}

// count notes one query, of that many octets, and what became of it.
func (c *counters) count(octets int, reply []byte, o outcome) {
	c.received(octets)
	if len(reply) == 0 {
		c.dropped.Add(1)
		return
	}
	c.replied(len(reply))
	if o.truncated {
		c.truncated.Add(1)
	}
	if int(o.rcode) < rcodeSlots {
		c.rcodes[o.rcode].Add(1)
	}
}

// TransportStats are sums since the server was made.
type TransportStats struct {
	Queries     uint64             // messages received
	Responses   uint64             // replies handed to the kernel
	Dropped     uint64             // messages that get no reply: too short, too long, or responses
	Truncated   uint64             // replies with TC set
	Failed      uint64             // failed receive or send calls, and replies that could not be sent
	Rcodes      [rcodeSlots]uint64 // replies by response code, BADVERS at 16
	QueryOctets uint64             // in all queries
	ReplyOctets uint64             // in all replies
	// QuerySizes and ReplySizes have how many were of 0 to 15 octets, 16 to 31 and so on; the last has all longer ones.
	QuerySizes, ReplySizes [sizeSlots]uint64
}

func (t *TransportStats) add(c *counters) {
	t.Queries += c.queries.Load()
	t.Responses += c.responses.Load()
	t.Dropped += c.dropped.Load()
	t.Truncated += c.truncated.Load()
	t.Failed += c.failed.Load()
	t.QueryOctets += c.queryOctets.Load()
	t.ReplyOctets += c.replyOctets.Load()
	for i := range c.rcodes {
		t.Rcodes[i] += c.rcodes[i].Load()
	}
	for i := range c.querySizes {
		t.QuerySizes[i] += c.querySizes[i].Load()
		t.ReplySizes[i] += c.replySizes[i].Load()
	}
}

// VolumeStats are the queries and responses of one transport and one address family, as the sockets have it: behind a proxy, of the
// proxy's address.
type VolumeStats struct {
	Transport string // "udp", "tcp" or "tls"
	Family    string // "ipv4" or "ipv6"
	Queries   uint64
	Responses uint64
}

// ZoneStats describes one zone as it is served.
type ZoneStats struct {
	TLD    string
	Serial uint32
	Names  int // names in the zone, empty non-terminals and glue hosts included
	Octets int // of memory that its records take up
}

// Stats is a snapshot of a server's counters.
type Stats struct {
	UDP, TCP        TransportStats // TCP with TLS
	Volumes         []VolumeStats
	TCPConns        int    // open now
	TCPRejected     uint64 // connections closed at once because a bound was reached
	UDPOverflow     uint64 // datagrams that the kernel dropped because a socket's queue was full
	RateLimited     uint64 // replies over UDP that were dropped or truncated by the rate limit
	RefreshFailures uint64 // attempts to follow the source that left some zone behind
	// Loads counts how often zones were made or brought up to date, LoadTime is what that took in all.
	Loads    uint64
	LoadTime time.Duration
	// Today and Yesterday are the sources of the present UTC day so far and of the day before.
	Today, Yesterday SourceStats
	Zones            []ZoneStats
	Transfers        TransferStats
	Tap              TapStats
}

// volumes sums up by transport and family.
func (s *Server) volumes() []VolumeStats {
	families := [...]string{"ipv4", "ipv6"}
	transports := [...]string{"udp", "tcp", "tls"}
	var sums [len(transports)][len(families)]VolumeStats
	add := func(transport int, is6 bool, c *counters) {
		v := &sums[transport][0]
		if is6 {
			v = &sums[transport][1]
		}
		v.Queries += c.queries.Load()
		v.Responses += c.responses.Load()
	}
	for _, w := range s.udp {
		add(0, w.is6(), &w.counters)
	}
	for _, t := range s.tcp {
		transport := 1
		if t.tls != nil {
			transport = 2
		}
		add(transport, t.is6(), &t.counters)
	}
	var out []VolumeStats
	for i := range sums {
		for k, v := range sums[i] {
			v.Transport, v.Family = transports[i], families[k]
			out = append(out, v)
		}
	}
	return out
}

// is6 says whether the socket takes IPv6: sockets of both families there are none.
func (w *udpWorker) is6() bool { return w.local.Addr().Is6() }

func (t *tcpListener) is6() bool { return t.local.Addr().Is6() }
