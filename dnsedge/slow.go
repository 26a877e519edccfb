package dnsedge

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// slowWorkers answer what came over UDP and is not for the hot path. Each such query costs tens of microseconds.
	slowWorkers = 4
	// slowQueue is how many of them may wait: some milliseconds of work. What comes on top is dropped; clients ask again.
	slowQueue = 64
	// slowTimeout bounds the work on one query over UDP.
	slowTimeout = 5 * time.Second
	// maxSlowStreams bounds the queries over connections that the slow path answers at a time.
	maxSlowStreams = 64
	// maxSlowPerClient bounds those of one IPv4 address or IPv6 /64: a secondary that fetches all its zones anew is no
	// reason to keep the others waiting.
	maxSlowPerClient = 16
	// opcodeNotify is the opcode of RFC 1996, as it stands in octet 2 of the header.
	opcodeNotify = 4 << 3
)

// slowQuery is a query that the hot path hands over.
type slowQuery struct {
	transport Transport
	encrypted bool // came over TLS
	client    netip.AddrPort
	message   []byte // at least a header
	view      *View  // what was served when it came
}

// slowHandler answers queries of one kind with one message or, over TCP, with several. The result of send is an error
// once the client is gone; ctx ends when the server stops or the time for the answer is over.
type slowHandler interface {
	// takes says whether the handler wants such queries. It is called on the hot path: it must be quick and not allocate.
	takes(p peeked) bool
	// serve answers; false says that nothing can be answered, so that a connection is closed.
	serve(ctx context.Context, q *slowQuery, send func(reply []byte) error) bool
}

// peeked is what the hot path looks at to tell whether a query is for the slow path.
type peeked struct {
	opcode        byte // in place, as in octet 2 of the header
	qtype, qclass uint16
	signed        bool // the additional section has a record that may be a TSIG
}

// slowPath answers what the hot path does not know, with bounded workers and time.
type slowPath struct {
	handlers []slowHandler
	jobs     chan slowJob
	streams  *connSlots    // answers over connections under way
	answered atomic.Uint64 // queries
	shed     atomic.Uint64 // queries that found no free place
}

type slowJob struct {
	query    *slowQuery
	handler  slowHandler
	counters *counters
	send     func(reply []byte) error
}

func newSlowPath(handlers ...slowHandler) *slowPath {
	return &slowPath{handlers: handlers, jobs: make(chan slowJob, slowQueue), streams: newConnSlots(maxSlowStreams, maxSlowPerClient)}
}

// wants says whether the query is for the slow path. It runs for every query.
func (p *slowPath) wants(query []byte) bool {
	if p == nil {
		return false
	}
	var k peeked
	return k.read(query) && p.handler(k) != nil
}

func (p *slowPath) handler(k peeked) slowHandler {
	for _, h := range p.handlers {
		if h.takes(k) {
			return h
		}
	}
	return nil
}

// read finds out what can be told without checking the message. It returns false for what the hot path should refuse
// as malformed.
func (k *peeked) read(query []byte) bool {
	if len(query) < headerOctets || query[2]&bitQR != 0 || binary.BigEndian.Uint16(query[4:]) != 1 {
		return false
	}
	k.opcode = query[2] & bitOpcode
	off, ok := skipName(query, headerOctets)
	if !ok || len(query)-off < 4 {
		return false
	}
	k.qtype, k.qclass = binary.BigEndian.Uint16(query[off:]), binary.BigEndian.Uint16(query[off+2:])
	k.signed = mayBeSigned(query, off+4)
	return true
}

// mayBeSigned says whether the last record of a query could be a TSIG. off is where its records begin.
func mayBeSigned(query []byte, off int) bool {
	records := 0
	for i := 6; i < headerOctets; i += 2 {
		records += int(binary.BigEndian.Uint16(query[i:]))
	}
	if binary.BigEndian.Uint16(query[10:]) == 0 || records > maxExtras+1 {
		return false
	}
	for ; records > 0; records-- {
		var ok bool
		if off, ok = skipName(query, off); !ok || len(query)-off < wireRecHead {
			return false
		}
		if records == 1 {
			return binary.BigEndian.Uint16(query[off:]) == typeTSIG
		}
		off += wireRecHead + int(binary.BigEndian.Uint16(query[off+8:]))
	}
	return false
}

// enqueue takes over a query from UDP, unless too many wait.
func (p *slowPath) enqueue(c *counters, q *slowQuery, send func(reply []byte) error) {
	var k peeked
	k.read(q.message)
	c.received(len(q.message))
	select {
	case p.jobs <- slowJob{query: q, handler: p.handler(k), counters: c, send: send}:
	default:
		p.shed.Add(1)
		c.dropped.Add(1)
	}
}

// run answers queries from UDP until the context is done.
func (p *slowPath) run(ctx context.Context) error {
	var workers sync.WaitGroup
	for range slowWorkers {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case job := <-p.jobs:
					p.answer(ctx, &job)
				}
			}
		})
	}
	workers.Wait()
	return nil
}

func (p *slowPath) answer(ctx context.Context, job *slowJob) {
	ctx, cancel := context.WithTimeout(ctx, slowTimeout)
	defer cancel()
	if !job.handler.serve(ctx, job.query, counted(job.counters, job.send)) {
		job.counters.dropped.Add(1)
	}
	p.answered.Add(1)
}

// serveStream begins to answer one query of a connection. It waits while the connection has as many under way as it may. It returns
// false if the connection is done with.
func (p *slowPath) serveStream(ctx context.Context, t *tcpListener, c *tcpConn, query []byte, view *View) bool {
	t.counters.received(len(query))
	select {
	case c.free <- struct{}{}:
	case <-ctx.Done():
		t.counters.dropped.Add(1)
		return false
	}
	client := clientAddr(c.client.Addr())
	if !p.streams.take(client) {
		<-c.free
		p.shed.Add(1)
		t.counters.dropped.Add(1)
		return false
	}
	var k peeked
	k.read(query)
	handler := p.handler(k)
	q := &slowQuery{transport: TCP, encrypted: t.tls != nil, client: c.client, message: bytes.Clone(query), view: view}
	var frame []byte
	send := func(reply []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		frame = append(binary.BigEndian.AppendUint16(frame[:0], uint16(len(reply))), reply...)
		if !c.write(frame, slowWriteTimeout) {
			return errClientGone
		}
		return nil
	}
	c.slow.Go(func() {
		defer func() { <-c.free }()
		defer p.streams.release(client)
		defer p.answered.Add(1)
		if !handler.serve(ctx, q, counted(&t.counters, send)) {
			t.counters.dropped.Add(1)
			_ = c.raw.Close() // only this says that the answer is not whole
		}
	})
	return true
}

// counted notes every message that is sent, and the response code of it.
func counted(c *counters, send func(reply []byte) error) func(reply []byte) error {
	return func(reply []byte) error {
		if err := send(reply); err != nil {
			c.failed.Add(1)
			return err
		}
		c.responses.Add(1)
		c.replied(len(reply))
		if rcode := reply[3] & 0x0F; int(rcode) < rcodeSlots {
			c.rcodes[rcode].Add(1)
		}
		if reply[2]&bitTC != 0 {
			c.truncated.Add(1)
		}
		return nil
	}
}
