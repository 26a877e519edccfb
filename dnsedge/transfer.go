package dnsedge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

const (
	defaultTransfers          = 8                // each may hold maxDiffOctets and keep old versions of rows on disk
	defaultTransfersPerClient = 4                // a secondary fetches several zones at a time
	defaultTransferTimeout    = 30 * time.Minute // ten million names over 20 Mbit/s
	maxTransfers              = 1 << 10
)

// TransferConfig says who may copy zones, and who is told of changes. Zero values of the optional fields stand for the
// defaults named.
type TransferConfig struct {
	Source TransferSource
	Keys   []TSIGKey
	// Allow admits clients; who matches no rule is refused.
	Allow []TransferRule
	// Secondaries are told of every new serial (RFC 1996).
	Secondaries []Secondary
	// MaxTransfers bounds the transfers at a time; default 8.
	MaxTransfers int
	// MaxTransfersPerClient bounds those of one IPv4 address or IPv6 /64; default 4.
	MaxTransfersPerClient int
	// Timeout bounds one transfer; default 30 minutes.
	Timeout time.Duration
}

// primary serves copies of zones to secondaries, answers what is signed and refuses NOTIFY. It is a slowHandler.
type primary struct {
	cfg       TransferConfig
	log       *slog.Logger
	keys      tsigKeys
	responder *Responder
	slots     *connSlots
	notifier  *notifier
	stats     transferCounters
}

// transferCounters are sums since the server was made.
type transferCounters struct {
	axfr, ixfr, unchanged, fallbacks, refused, failed, busy, octets, badSignatures atomic.Uint64
}

// TransferStats is a snapshot of what the server did for secondaries.
type TransferStats struct {
	AXFR, IXFR    uint64 // completed transfers of whole zones, and of differences
	Unchanged     uint64 // IXFR queries answered with the SOA alone
	Fallbacks     uint64 // IXFR queries that were answered with the whole zone
	Refused       uint64 // queries that no rule admits
	Busy          uint64 // queries that found no free place
	Failed        uint64 // transfers that were cut off
	Octets        uint64 // sent in transfers
	BadSignatures uint64 // queries whose TSIG does not hold
	Active        int    // transfers now
	SlowShed      uint64 // queries for the slow path that found it full
}

func newPrimary(cfg TransferConfig, log *slog.Logger, responder *Responder) (*primary, error) {
	keys, err := newTSIGKeys(cfg.Keys)
	if err != nil {
		return nil, err
	}
	if cfg.Source == nil {
		return nil, errors.New("dns: transfers need a source")
	}
	for i := range cfg.Allow {
		if err := cfg.Allow[i].check(keys); err != nil {
			return nil, err
		}
	}
	if cfg.MaxTransfers == 0 {
		cfg.MaxTransfers = defaultTransfers
	}
	if cfg.MaxTransfersPerClient == 0 {
		cfg.MaxTransfersPerClient = defaultTransfersPerClient
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTransferTimeout
	}
	if cfg.MaxTransfers < 0 || cfg.MaxTransfers > maxTransfers || cfg.MaxTransfersPerClient < 0 || cfg.Timeout < 0 {
		return nil, fmt.Errorf("dns: %d transfers, %d per client, for %s: want 1 to %d and positive values",
			cfg.MaxTransfers, cfg.MaxTransfersPerClient, cfg.Timeout, maxTransfers)
	}
	p := &primary{cfg: cfg, log: log, keys: keys, responder: responder, slots: newConnSlots(cfg.MaxTransfers, cfg.MaxTransfersPerClient)}
	p.notifier, err = newNotifier(cfg.Secondaries, keys, log)
	return p, err
}

func (p *primary) takes(k peeked) bool {
	if k.opcode != 0 {
		return k.opcode == opcodeNotify
	}
	return k.signed || k.qclass == classIN && (k.qtype == typeAXFR || k.qtype == typeIXFR)
}

// serve answers a transfer, a signed query or a NOTIFY.
func (p *primary) serve(ctx context.Context, q *slowQuery, send func([]byte) error) bool {
	m := new(dns.Msg)
	if err := m.Unpack(q.message); err != nil || len(m.Question) != 1 {
		return p.reply(&tsigSession{}, m, formErr(q.message, m), q, send)
	}
	session := p.keys.accept(q.message, m)
	if session.failure != 0 {
		p.stats.badSignatures.Add(1)
		r := new(dns.Msg).SetRcode(m, dns.RcodeNotAuth)
		p.log.Debug("a signature does not hold", "client", q.client, "key", display(session.stub.Hdr.Name), "error", dns.RcodeToString[int(session.failure)])
		return p.reply(session, m, r, q, send)
	}
	qtype := m.Question[0].Qtype
	switch {
	case m.Opcode == dns.OpcodeNotify:
		return p.reply(session, m, p.refuseNotify(m, q), q, send)
	case m.Opcode != dns.OpcodeQuery || m.Question[0].Qclass != dns.ClassINET || qtype != dns.TypeAXFR && qtype != dns.TypeIXFR:
		return p.answerSigned(session, m, q, send)
	}
	return p.transfer(ctx, session, m, q, send)
}

// formErr refuses what cannot be read; the header can.
func formErr(message []byte, m *dns.Msg) *dns.Msg {
	r := new(dns.Msg)
	r.Id, r.Response, r.Rcode = uint16(message[0])<<8|uint16(message[1]), true, dns.RcodeFormatError
	r.Opcode, r.RecursionDesired = int(message[2]&bitOpcode)>>3, m.RecursionDesired
	return r
}

// reply sends a single message in answer to m.
func (p *primary) reply(session *tsigSession, m, r *dns.Msg, q *slowQuery, send func([]byte) error) bool {
	if r.IsEdns0() == nil {
		addOPT(r, m)
	}
	out, err := session.pack(r)
	if err != nil {
		p.log.Error("a reply could not be packed", "client", q.client, "error", err)
		return false
	}
	return send(out) == nil
}

// refuseNotify answers a NOTIFY: this server is nobody's secondary (RFC 1996 section 3.10).
func (p *primary) refuseNotify(m *dns.Msg, q *slowQuery) *dns.Msg {
	rcode := dns.RcodeNotAuth
	if q.view.Zone(zoneName(m.Question[0].Name)) != nil {
		rcode = dns.RcodeRefused
	}
	r := new(dns.Msg).SetRcode(m, rcode)
	r.Authoritative = false
	return r
}

// answerSigned lets the responder answer an ordinary query and signs its reply.
func (p *primary) answerSigned(session *tsigSession, m *dns.Msg, q *slowQuery, send func([]byte) error) bool {
	plain, err := m.Pack()
	if err != nil {
		return p.reply(session, m, formErr(q.message, m), q, send)
	}
	reply := p.responder.Respond(nil, plain, q.view, Client{Transport: q.transport, Addr: q.client.Addr().Unmap().WithZone(""), Now: uint32(time.Now().Unix())})
	r := new(dns.Msg)
	if err := r.Unpack(reply); err != nil {
		p.log.Error("a reply of this server could not be read", "error", err)
		return false
	}
	limit := udpLimit(m)
	if q.transport == TCP {
		limit = maxTCPOctets
	}
	r.Compress = true
	if len(reply)+session.room() > limit {
		r.Answer, r.Ns, r.Extra, r.Truncated = nil, nil, optOf(r), true
	}
	return p.reply(session, m, r, q, send)
}

// addOPT gives a reply the OPT record that it needs if the query has one (RFC 6891 section 6.1.1).
func addOPT(r, m *dns.Msg) {
	if opt := m.IsEdns0(); opt != nil {
		r.SetEdns0(maxUDPOctets, opt.Do())
	}
}

// optOf returns the OPT record of a message as its additional section.
func optOf(m *dns.Msg) []dns.RR {
	if opt := m.IsEdns0(); opt != nil {
		return []dns.RR{opt}
	}
	return nil
}

// udpLimit is how long a reply over UDP may be.
func udpLimit(m *dns.Msg) int {
	if opt := m.IsEdns0(); opt != nil {
		return min(max(int(opt.UDPSize()), minUDPOctets), maxUDPOctets)
	}
	return minUDPOctets
}

// zoneName is a name as zones are called here: lower-case, without the last dot.
func zoneName(name string) string { return strings.TrimSuffix(dns.CanonicalName(name), ".") }

// transfer answers AXFR and IXFR.
func (p *primary) transfer(ctx context.Context, session *tsigSession, m *dns.Msg, q *slowQuery, send func([]byte) error) bool {
	zone, qtype := zoneName(m.Question[0].Name), m.Question[0].Qtype
	refuse := func(rcode int, count *atomic.Uint64) bool {
		count.Add(1)
		return p.reply(session, m, new(dns.Msg).SetRcode(m, rcode), q, send)
	}
	var from *dns.SOA
	if qtype == dns.TypeIXFR {
		if len(m.Ns) == 1 {
			from, _ = m.Ns[0].(*dns.SOA)
		}
		if from == nil || zoneName(from.Hdr.Name) != zone {
			return refuse(dns.RcodeFormatError, &p.stats.refused)
		}
	}
	admitted := false
	for i := range p.cfg.Allow {
		admitted = admitted || p.cfg.Allow[i].admits(zone, q.client.Addr(), session.keyName(), q.encrypted)
	}
	if !admitted {
		p.log.Debug("transfer refused: no rule admits it", "zone", zone, "client", q.client, "key", display(session.keyName()))
		return refuse(dns.RcodeRefused, &p.stats.refused)
	}
	if q.transport == UDP && qtype == dns.TypeAXFR { // RFC 5936 section 4.2
		return refuse(dns.RcodeFormatError, &p.stats.refused)
	}
	if q.transport == TCP {
		client := clientAddr(q.client.Addr())
		if !p.slots.take(client) {
			p.log.Warn("transfer put off: too many at a time", "zone", zone, "client", q.client)
			return refuse(dns.RcodeServerFailure, &p.stats.busy)
		}
		defer p.slots.release(client)
	}
	return p.stream(ctx, &transferRun{zone: zone, from: from, query: q, stream: &recordStream{request: m, session: session, send: send}})
}

// transferRun is one transfer.
type transferRun struct {
	zone   string
	from   *dns.SOA // nil: all of it
	query  *slowQuery
	stream *recordStream
	kind   string
	serial uint32
}

// stream sends a zone or its changes from one state.
func (p *primary) stream(ctx context.Context, run *transferRun) bool {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	began := time.Now()
	err := p.cfg.Source.Snapshot(ctx, run.zone, func(ctx context.Context, z Snapshot) error {
		run.stream.ctx = ctx
		run.serial = z.Serial()
		return p.send(run, z)
	})
	s := run.stream
	p.stats.octets.Add(uint64(s.octets))
	if errors.Is(err, ErrNoZone) {
		p.stats.refused.Add(1)
		return p.reply(s.session, s.request, new(dns.Msg).SetRcode(s.request, dns.RcodeNotAuth), run.query, s.send)
	}
	log := p.log.With("zone", run.zone, "client", run.query.client, "key", display(s.session.keyName()), "tls", run.query.encrypted,
		"kind", run.kind, "serial", run.serial, "records", s.records, "octets", s.octets, "took", time.Since(began).Round(time.Millisecond))
	if err != nil {
		p.stats.failed.Add(1)
		log.Warn("transfer failed", "error", err)
		if s.messages > 0 { // half a transfer: only closing the connection says so
			return false
		}
		return p.reply(s.session, s.request, new(dns.Msg).SetRcode(s.request, dns.RcodeServerFailure), run.query, s.send)
	}
	if run.kind != kindUnchanged {
		log.Info("transfer sent")
	}
	if run.query.transport == TCP {
		p.notifier.held(run.zone, run.query.client.Addr(), s.session.keyName(), run.serial)
	}
	return true
}

// The kinds of transfers as logs show them.
const (
	kindWhole     = "axfr"
	kindDiff      = "ixfr"
	kindUnchanged = "unchanged"
	kindTooLong   = "ixfr to be asked for over tcp"
)

func (p *primary) send(run *transferRun, z Snapshot) error {
	s := run.stream
	if run.from == nil {
		return p.sendWhole(run, z)
	}
	if int32(run.from.Serial-z.Serial()) >= 0 { // serial arithmetic of RFC 1982
		run.kind = kindUnchanged
		p.stats.unchanged.Add(1)
		return s.soaOnly(z)
	}
	limit := maxDiffOctets
	if run.query.transport == UDP {
		limit = uncompressedFactor * maxUDPOctets
	}
	d, ok, err := newDiff(z, run.from.Serial, limit)
	if err != nil {
		return err
	}
	if run.query.transport == UDP {
		return p.sendDatagram(run, z, d)
	}
	if !ok {
		p.stats.fallbacks.Add(1)
		return p.sendWhole(run, z)
	}
	run.kind = kindDiff
	if err := s.difference(z, d); err != nil {
		return err
	}
	p.stats.ixfr.Add(1)
	return nil
}

func (p *primary) sendWhole(run *transferRun, z Snapshot) error {
	run.kind = kindWhole
	if err := run.stream.wholeZone(z); err != nil {
		return err
	}
	p.stats.axfr.Add(1)
	return nil
}

// sendDatagram answers with the whole difference if it fits, else with the SOA, which tells the client to use TCP
// (RFC 1995 section 2).
func (p *primary) sendDatagram(run *transferRun, z Snapshot, d *diff) error {
	s := run.stream
	limit := udpLimit(s.request) - s.session.room()
	if d != nil {
		var reply []byte
		probe := &recordStream{ctx: s.ctx, request: s.request, session: &tsigSession{}, send: func(b []byte) error { reply = b; return nil }}
		if err := probe.difference(z, d); err == nil && probe.messages == 1 && len(reply) <= limit {
			run.kind = kindDiff
			p.stats.ixfr.Add(1)
			return s.difference(z, d)
		}
	}
	run.kind = kindTooLong
	return s.soaOnly(z)
}

func (p *primary) snapshot() TransferStats {
	c := &p.stats
	return TransferStats{
		AXFR: c.axfr.Load(), IXFR: c.ixfr.Load(), Unchanged: c.unchanged.Load(), Fallbacks: c.fallbacks.Load(), Refused: c.refused.Load(),
		Busy: c.busy.Load(), Failed: c.failed.Load(), Octets: c.octets.Load(), BadSignatures: c.badSignatures.Load(), Active: p.slots.open(),
	}
}
