package dnsedge

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// portAttempts bounds the search for a port that is free for both transports when port 0 was asked for.
	portAttempts = 16
	// refreshRetryMin and refreshRetryMax bound the wait, doubled each time, before following the source is tried again
	// after a failure. The largest keeps whole reloads of a bad zone from taking up a processor.
	refreshRetryMin = time.Second
	refreshRetryMax = time.Minute
)

// Server answers DNS queries from the zones of its Source.
type Server struct {
	cfg       Config
	requested []netip.AddrPort
	// requestedTLS are the addresses of DNS over TLS.
	requestedTLS []netip.AddrPort

	log       *slog.Logger
	responder *Responder
	limiter   *limiter // nil: no limit
	proxies   proxies
	tap       *tap // nil: none
	// sourceSeed makes the sockets hash addresses alike.
	sourceSeed maphash.Seed
	view       atomic.Pointer[View]

	// Set by Listen, before Run.
	addrs []netip.AddrPort
	tcp   []*tcpListener
	udp   []*udpWorker
	slots *connSlots
	slow  *slowPath // nil: the hot path answers everything
	// primary serves transfers, if it is not nil.
	primary  *primary
	addrsTLS []netip.AddrPort

	refreshFailures atomic.Uint64
	loads           atomic.Uint64
	loadNanos       atomic.Int64
	behind          atomic.Bool // the last attempt to follow the source failed
}

// New checks the configuration. It opens and starts nothing.
func New(cfg Config) (*Server, error) {
	cfg, addrs, addrsTLS, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(cfg.CookieSecrets) == 0 {
		cfg.CookieSecrets = make([]CookieSecret, 1)
		_, _ = rand.Read(cfg.CookieSecrets[0][:]) // never fails
	}
	responder, err := NewResponder(cfg.Identity, cfg.CookieSecrets)
	if err != nil {
		return nil, err
	}
	limiter, err := newLimiter(cfg.RateLimit, time.Now())
	if err != nil {
		return nil, err
	}
	proxies, err := newProxies(cfg.Proxies)
	if err != nil {
		return nil, err
	}
	s := &Server{
		responder:    responder,
		proxies:      proxies,
		tap:          newTap(cfg.Tap, cfg.Identity, cfg.Logger),
		sourceSeed:   maphash.MakeSeed(),
		limiter:      limiter,
		cfg:          cfg,
		requested:    addrs,
		requestedTLS: addrsTLS,
		log:          cfg.Logger,
		slots:        newConnSlots(cfg.MaxTCPConns, cfg.MaxTCPConnsPerClient),
	}
	if cfg.Transfers != nil {
		if s.primary, err = newPrimary(*cfg.Transfers, cfg.Logger, s.responder); err != nil {
			return nil, err
		}
		s.slow = newSlowPath(s.primary)
	}
	return s, nil
}

// Listen opens every socket, so that a port in use shows before anything is served. After an error all sockets are
// closed again. It must be called once, before Run, which closes the sockets; without Run, call Close.
func (s *Server) Listen(ctx context.Context) error {
	for _, addr := range s.requested {
		if err := s.listenOn(ctx, addr); err != nil {
			s.Close()
			return fmt.Errorf("dns: listen on %s: %w", addr, err)
		}
	}
	for _, addr := range s.requestedTLS {
		l, err := listenTCP(ctx, addr)
		if err != nil {
			s.Close()
			return fmt.Errorf("dns: listen on %s for TLS: %w", addr, err)
		}
		actual := netip.AddrPortFrom(addr.Addr(), uint16(l.Addr().(*net.TCPAddr).Port))
		s.addrsTLS = append(s.addrsTLS, actual)
		s.tcp = append(s.tcp, &tcpListener{l: l, server: s, tls: s.cfg.TLS, local: actual})
	}
	return nil
}

// listenOn opens TCP first: unlike the UDP sockets it shares its port with no other process.
func (s *Server) listenOn(ctx context.Context, addr netip.AddrPort) error {
	var err error
	for range portAttempts {
		var l *net.TCPListener
		if l, err = listenTCP(ctx, addr); err != nil {
			return err
		}
		actual := netip.AddrPortFrom(addr.Addr(), uint16(l.Addr().(*net.TCPAddr).Port))
		var workers []*udpWorker
		if workers, err = listenUDP(ctx, actual, s.cfg.Workers); err != nil {
			_ = l.Close() // the first error says more
			if addr.Port() == 0 && errors.Is(err, syscall.EADDRINUSE) {
				continue
			}
			return err
		}
		s.addrs = append(s.addrs, actual)
		s.tcp = append(s.tcp, &tcpListener{l: l, server: s, local: actual})
		s.udp = append(s.udp, workers...)
		return nil
	}
	return err
}

func network(base string, addr netip.Addr) string {
	if addr.Is4() {
		return base + "4"
	}
	return base + "6"
}

func listenTCP(ctx context.Context, addr netip.AddrPort) (*net.TCPListener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, network("tcp", addr.Addr()), addr.String())
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

// Close closes the sockets of a server that will not run.
func (s *Server) Close() {
	for _, t := range s.tcp {
		_ = t.l.Close() // nothing to lose on a listener
	}
	for _, w := range s.udp {
		_ = w.conn.Close()
	}
}

// Addrs has the addresses that the server listens on, one per configured address, with the actual ports.
func (s *Server) Addrs() []netip.AddrPort { return slices.Clone(s.addrs) }

// AddrsTLS has the addresses of DNS over TLS, with the actual ports.
func (s *Server) AddrsTLS() []netip.AddrPort { return slices.Clone(s.addrsTLS) }

// Secondaries lists what is known of the configured secondaries.
func (s *Server) Secondaries() []SecondaryStatus {
	if s.primary == nil {
		return nil
	}
	return s.primary.notifier.status()
}

// Run loads the zones, then serves and follows the source until the context is done. It returns nil then, or the
// error of a socket that failed; all its goroutines have ended and all sockets are closed by the time that it returns.
func (s *Server) Run(ctx context.Context) error {
	defer s.Close()
	if len(s.tcp) == 0 {
		return errors.New("dns: run without listen")
	}
	s.view.Store(NewView())
	retry := s.refresh(ctx, 0)
	if ctx.Err() != nil {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { s.followSource(ctx, retry); return nil })
	if s.primary != nil {
		group.Go(func() error { s.primary.notifier.run(ctx); return nil })
	}
	if s.tap != nil {
		group.Go(func() error { s.tap.run(ctx); return nil })
	}
	if s.slow != nil {
		group.Go(func() error { return s.slow.run(ctx) })
	}
	for _, w := range s.udp {
		group.Go(func() error { return w.serve(ctx, s) })
	}
	for _, t := range s.tcp {
		group.Go(func() error { return t.serve(ctx) })
	}
	return group.Wait()
}

// refresh swaps in a new view. It returns how long to wait before a retry, 0 if none is needed.
func (s *Server) refresh(ctx context.Context, lastRetry time.Duration) time.Duration {
	began, before := time.Now(), s.view.Load()
	next, err := refresh(ctx, s.cfg.Source, before)
	s.view.Store(next)
	if next != before {
		s.loads.Add(1)
		s.loadNanos.Add(int64(time.Since(began)))
	}
	if s.primary != nil {
		s.primary.notifier.published(next)
	}
	s.behind.Store(err != nil)
	if err == nil || ctx.Err() != nil {
		return 0
	}
	s.refreshFailures.Add(1)
	retry := min(max(2*lastRetry, refreshRetryMin), refreshRetryMax)
	s.log.Error("published zones could not be followed, the last good ones stay", "error", err, "retry_in", retry)
	return retry
}

// followSource keeps the view up to date. After a failure it waits out the retry even if signals come.
func (s *Server) followSource(ctx context.Context, retry time.Duration) {
	timer := time.NewTimer(retry)
	defer timer.Stop()
	signal := s.cfg.Published
	for {
		published, due := signal, timer.C
		if retry > 0 {
			published = nil
		} else {
			due = nil
		}
		select {
		case <-ctx.Done():
			return
		case _, open := <-published:
			if !open {
				signal = nil // a closed signal must not spin
				continue
			}
		case <-due:
		}
		if retry = s.refresh(ctx, retry); retry > 0 {
			timer.Reset(retry)
		}
	}
}

// Stats sums up the counters. It may be called at any time after Listen.
func (s *Server) Stats() Stats {
	st := Stats{RefreshFailures: s.refreshFailures.Load(), TCPConns: s.slots.open(), TCPRejected: s.slots.rejected.Load()}
	if s.primary != nil {
		st.Transfers = s.primary.snapshot()
	}
	if s.slow != nil {
		st.Transfers.SlowShed = s.slow.shed.Load()
	}
	if s.tap != nil {
		st.Tap = TapStats{Sent: s.tap.sent.Load(), Dropped: s.tap.dropped.Load()}
	}
	st.Volumes = s.volumes()
	st.Loads, st.LoadTime = s.loads.Load(), time.Duration(s.loadNanos.Load())
	var noted []*sources
	for _, w := range s.udp {
		noted = append(noted, &w.sources)
	}
	for _, t := range s.tcp {
		noted = append(noted, &t.sources)
	}
	today := uint32(time.Now().Unix() / secondsADay)
	st.Today, st.Yesterday = countSources(noted, today), countSources(noted, today-1)
	for _, w := range s.udp {
		st.UDP.add(&w.counters)
		st.UDPOverflow += w.overflow()
	}
	if s.limiter != nil {
		st.RateLimited = s.limiter.limited.Load()
	}
	for _, t := range s.tcp {
		st.TCP.add(&t.counters)
	}
	if v := s.view.Load(); v != nil {
		for _, z := range v.zones {
			st.Zones = append(st.Zones, ZoneStats{TLD: z.tld, Serial: z.serial, Names: z.names.nodes, Octets: z.names.octets + z.chain.octets})
		}
	}
	slices.SortFunc(st.Zones, func(a, b ZoneStats) int { return cmp.Compare(a.TLD, b.TLD) })
	return st
}
