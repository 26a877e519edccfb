package dnsedge

import "sync/atomic"

// rcodeSlots counts the response codes that the responder can give, 0 to 16.
const rcodeSlots = 17

// counters belong to one worker, so that no two processors write to one cache line.
type counters struct {
	queries, responses, dropped, truncated, failed atomic.Uint64
	rcodes                                         [rcodeSlots]atomic.Uint64
	_                                              [64]byte
}

// count notes one query and what became of it.
func (c *counters) count(reply []byte, o outcome) {
	c.queries.Add(1)
	if len(reply) == 0 {
		c.dropped.Add(1)
		return
	}
	if o.truncated {
		c.truncated.Add(1)
	}
	if int(o.rcode) < rcodeSlots {
		c.rcodes[o.rcode].Add(1)
	}
}

// TransportStats are sums since the server was made.
type TransportStats struct {
	Queries   uint64             // messages received
	Responses uint64             // replies handed to the kernel
	Dropped   uint64             // messages that get no reply: too short, too long, or responses
	Truncated uint64             // replies with TC set
	Failed    uint64             // failed receive or send calls, and replies that could not be sent
	Rcodes    [rcodeSlots]uint64 // replies by response code, BADVERS at 16
}

func (t *TransportStats) add(c *counters) {
	t.Queries += c.queries.Load()
	t.Responses += c.responses.Load()
	t.Dropped += c.dropped.Load()
	t.Truncated += c.truncated.Load()
	t.Failed += c.failed.Load()
	for i := range c.rcodes {
		t.Rcodes[i] += c.rcodes[i].Load()
	}
}

// ZoneStats describes one zone as it is served.
type ZoneStats struct {
	TLD    string
	Serial uint32
	Names  int // names in the zone, empty non-terminals and glue hosts included
}

// Stats is a snapshot of a server's counters.
type Stats struct {
	UDP, TCP        TransportStats
	TCPConns        int    // open now
	TCPRejected     uint64 // connections closed at once because a bound was reached
	UDPOverflow     uint64 // datagrams that the kernel dropped because a socket's queue was full
	RateLimited     uint64 // replies over UDP that were dropped or truncated by the rate limit
	RefreshFailures uint64 // attempts to follow the source that left some zone behind
	Zones           []ZoneStats
	Transfers       TransferStats
}
