package epp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/internal/argon2id"
	"cadastre/internal/pause"
	"cadastre/registry"
	"cadastre/store"
)

// proposer commits commands.
type proposer interface {
	// Propose returns what applying the command answered; a refusal by the rules is a
	// result. Its error is a *registry.Error of CodeUnavailable, when nothing was done, or
	// of CodeOutcomeUnknown; any other is a fault of the server.
	Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error)
}

// reader opens views of the state.
type reader interface {
	// View runs fn over one consistent state at least as fresh as level demands, and
	// returns its error. Its own is a *registry.Error of CodeUnavailable or a fault.
	View(ctx context.Context, level store.Consistency, fn func(*store.ReadTx) error) error
	// Standing returns how a registrar stands as this node has it, which may be behind the
	// cluster.
	Standing(ctx context.Context, id registry.RegistrarID) (Standing, error)
}

// Config says what a server works with and where. All fields but Limits must be set.
type Config struct {
	// Addr is where to listen, such as "[::]:700"; port 0 picks a free one.
	Addr string
	// TLS must require and verify client certificates.
	TLS *tls.Config
	// Identify returns which registrar a verified client certificate stands for, and the
	// SHA-256 of the certificate.
	Identify func(tls.ConnectionState) (registrarID string, fingerprintSHA256 []byte, err error)
	// ServerID names the server in greetings; 3 to 64 characters.
	ServerID string
	// NodeID and BootEpoch make transaction identifiers unique: BootEpoch tells this run of
	// the node from its earlier ones.
	NodeID    string
	BootEpoch uint64
	Proposer  proposer
	Reader    reader
	Logger    *slog.Logger
	// Now is the time that greetings show.
	Now    func() time.Time
	Limits Limits
}

// Server answers EPP clients.
type Server struct {
	cfg      Config
	log      *slog.Logger
	trids    *trids
	slots    *slots
	throttle *throttle
	rates    *rates
	// passwordChecks holds a token for each password check that runs.
	passwordChecks chan struct{}
	// decoyHash is checked for registrars that do not exist, so that they take as long.
	decoyHash string

	listener net.Listener // set by Listen, before Run

	loginsRefused atomic.Uint64
	rateRefused   atomic.Uint64 // commands
	commands      commandStats
	refused       atomic.Uint64 // connections over a limit since the last log line
	refusedLogged atomic.Int64  // when that line was written, Unix nanoseconds
}

// New checks the configuration. It opens and starts nothing.
func New(cfg Config) (*Server, error) {
	switch {
	case cfg.TLS == nil || cfg.TLS.ClientAuth != tls.RequireAndVerifyClientCert:
		return nil, errors.New("epp: the TLS configuration must require client certificates (RFC 5734 section 8)")
	case cfg.TLS.MinVersion < tls.VersionTLS12:
		return nil, errors.New("epp: the TLS configuration must start at TLS 1.2 (RFC 9325 section 3.1.1)")
	case cfg.Proposer == nil || cfg.Reader == nil || cfg.Logger == nil || cfg.Now == nil || cfg.Identify == nil:
		return nil, errors.New("epp: Proposer, Reader, Logger, Now and Identify must be set")
	case len(cfg.ServerID) < 3 || len(cfg.ServerID) > 64:
		return nil, fmt.Errorf("epp: server id %q: want 3 to 64 characters (RFC 5730 section 2.4)", cfg.ServerID)
	case cfg.NodeID == "":
		return nil, errors.New("epp: NodeID must be set")
	}
	var err error
	if cfg.Limits, err = cfg.Limits.withDefaults(); err != nil {
		return nil, err
	}
	salt, err := newSalt()
	if err != nil {
		return nil, err
	}
	return &Server{
		cfg:            cfg,
		log:            cfg.Logger,
		trids:          newTRIDs(cfg.NodeID, cfg.BootEpoch),
		slots:          newSlots(cfg.Limits),
		throttle:       newThrottle(),
		rates:          newRates(),
		passwordChecks: make(chan struct{}, cfg.Limits.PasswordChecks),
		decoyHash:      argon2id.Hash(string(salt), salt),
	}, nil
}

// Listen opens the port, so that a port in use shows before anything is served. It must be
// called once, before Run.
func (s *Server) Listen(ctx context.Context) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("epp: listen: %w", err)
	}
	s.listener = listener
	return nil
}

// Addr returns the address that the server listens on, nil before Listen.
func (s *Server) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Close closes the port of a server that will not run.
func (s *Server) Close() {
	if s.listener != nil {
		_ = s.listener.Close() // nothing to lose on a listener
	}
}

// Run serves until ctx is done. Then it stops accepting, says goodbye to idle sessions,
// lets running commands finish within the drain timeout and returns nil once every
// goroutine has ended. It returns early only if the port fails for good.
func (s *Server) Run(ctx context.Context) error {
	if s.listener == nil {
		return errors.New("epp: run without listen")
	}
	defer s.Close()
	// A stopping server cancels what sessions wait for, but not at once what they do.
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	defer context.AfterFunc(serving, s.Close)() // unblocks Accept
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	var sessions sync.WaitGroup
	err := s.accept(serving, working, &sessions)
	stopServing()
	drain := time.AfterFunc(s.cfg.Limits.DrainTimeout, stopWorking)
	defer drain.Stop()
	sessions.Wait()
	return err
}

func (s *Server) accept(serving, working context.Context, sessions *sync.WaitGroup) error {
	for {
		conn, err := s.listener.Accept()
		switch {
		case serving.Err() != nil:
			if err == nil {
				_ = conn.Close() // it came too late
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("epp: accept on %s: %w", s.Addr(), err)
		case err != nil:
			s.log.Error("epp connection could not be accepted", "error", err)
			_ = pause.For(serving, acceptPause) // cut short when the server stops
			continue
		}
		client := clientOf(conn.RemoteAddr())
		if !s.slots.takeConnection(client) {
			_ = conn.Close() // nothing was said yet
			s.noteRefused(client)
			continue
		}
		sessions.Go(func() {
			defer s.slots.releaseConnection(client)
			s.serve(serving, working, conn, client)
		})
	}
}

// serve runs one connection: the handshake, in which a wrong certificate is refused before
// a byte of EPP is read, and the session.
func (s *Server) serve(serving, working context.Context, raw net.Conn, client netip.Addr) {
	log := s.log.With("remote", raw.RemoteAddr().String())
	conn := tls.Server(raw, s.cfg.TLS)
	defer func() { _ = conn.Close() }() // the session has said what it had to say
	defer context.AfterFunc(working, func() { _ = raw.Close() })()
	handshake, cancel := context.WithTimeout(serving, s.cfg.Limits.HandshakeTimeout)
	err := conn.HandshakeContext(handshake)
	cancel()
	if err != nil {
		log.Info("epp handshake refused", "error", err)
		return
	}
	registrarID, fingerprint, err := s.cfg.Identify(conn.ConnectionState())
	if err != nil {
		log.Info("epp certificate refused", "error", err)
		return
	}
	newSession(s, conn, log, client, registrarID, fingerprint).run(serving, working)
}

// Stats is what a server has done and does now.
type Stats struct {
	Connections   int
	Sessions      int    // logged in
	LoginsRefused uint64 // for whatever reason
	RateRefused   uint64 // commands over a registrar's rate
	Commands      []CommandStats
}

// Stats returns the numbers of the server.
func (s *Server) Stats() Stats {
	connections, sessions := s.slots.counts()
	return Stats{Connections: connections, Sessions: sessions, LoginsRefused: s.loginsRefused.Load(), RateRefused: s.rateRefused.Load(), Commands: s.commands.snapshot()}
}

// noteRefused logs connections over a limit, many of them in one line.
func (s *Server) noteRefused(client netip.Addr) {
	count := s.refused.Add(1)
	now, last := time.Now().UnixNano(), s.refusedLogged.Load()
	if now-last < int64(refusalLogEvery) || !s.refusedLogged.CompareAndSwap(last, now) {
		return
	}
	s.refused.Store(0)
	s.log.Warn("epp connections over the limit refused", "count", count, "last_remote", client.String())
}
