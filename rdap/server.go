// Package rdap answers questions about registrations over HTTPS (RFC 7480, 9082, 9083) from the node's
// own replica, as the gTLD response profile and technical implementation guide of February 2024 have
// it, and shows the same on pages for people.
package rdap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"cadastre/internal/prefixlimit"
	"cadastre/registry"
	"cadastre/store"
)

// Bounds of the service.
const (
	maxHeaderOctets  = 16 << 10
	maxURLOctets     = 2048 // a search with every parameter fits
	readTimeout      = 10 * time.Second
	writeTimeout     = 20 * time.Second
	idleTimeout      = 60 * time.Second
	stopTimeout      = 3 * time.Second
	recordTimeout    = 5 * time.Second // for a disclosure to be on record
	maxConnections   = 4096            // each takes some tens of kilobytes
	maxPerAddress    = 128
	maxStreams       = 64 // of one HTTP/2 connection
	lookupCost       = 1
	searchCost       = 10 // of a client's share
	minGzipOctets    = 1024
	maxPooledOctets  = 64 << 10
	usualAnswerOctet = 4 << 10
)

// viewer opens a consistent view of this node's applied state.
type viewer interface {
	View(fn func(tx *store.ReadTx) error) error
}

// recorder puts a disclosure of personal data on record before it happens.
type recorder interface {
	Record(ctx context.Context, d *registry.Disclosure) error
}

// Config says where and from what the service answers.
type Config struct {
	Address string // host:port
	// RedirectAddress is where plain HTTP is redirected to HTTPS, "" for nowhere.
	RedirectAddress string
	TLS             *tls.Config
	// BaseURL is where the world reaches the service, with a slash at its end; "" takes the host of
	// each request.
	BaseURL string
	Viewer  viewer
	// Recorder takes what is disclosed to authorised requesters; nil: nothing is.
	Recorder recorder
	// Identify tells from a verified client certificate which registrar it is of, "" for none, and its
	// fingerprint, nil without a certificate.
	Identify func(tls.ConnectionState) (registrarID string, fingerprintSHA256 []byte)
	Limit    prefixlimit.Config
	Logger   *slog.Logger
	// Now is this machine's clock; nil stands for time.Now.
	Now func() time.Time
}

// Server is the RDAP service of a node.
type Server struct {
	cfg      Config
	limiter  *prefixlimit.Limiter
	listener net.Listener
	redirect net.Listener // nil for none
	counters counters
	buffers  sync.Pool
	zippers  sync.Pool
	ianaIDs  ianaIDs
	// redactions are lists of what is withheld, by redactionKey.
	redactions sync.Map
	pages      *pages
}

// New returns a server; Listen and Run start it.
func New(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	pages, err := newPages()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, limiter: prefixlimit.New(cfg.Limit), pages: pages}
	s.buffers.New = func() any { return &writer{b: make([]byte, 0, usualAnswerOctet), kept: &s.redactions} }
	s.zippers.New = newZipper
	return s, nil
}

// Listen takes the ports.
func (s *Server) Listen() (err error) {
	if s.listener, err = net.Listen("tcp", s.cfg.Address); err != nil {
		return fmt.Errorf("listen for RDAP: %w", err)
	}
	if s.cfg.RedirectAddress == "" {
		return nil
	}
	if s.redirect, err = net.Listen("tcp", s.cfg.RedirectAddress); err != nil {
		return errors.Join(fmt.Errorf("listen for redirects to RDAP: %w", err), s.listener.Close())
	}
	return nil
}

// Close releases the ports of a server that will not run.
func (s *Server) Close() {
	for _, l := range []net.Listener{s.listener, s.redirect} {
		if l != nil {
			_ = l.Close() // nothing was accepted
		}
	}
}

// Addr returns where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// RedirectAddr returns where plain HTTP is redirected.
func (s *Server) RedirectAddr() net.Addr { return s.redirect.Addr() }

// Run answers until ctx is done and returns when the last answer is out.
func (s *Server) Run(ctx context.Context) error {
	secure := s.httpServer(s)
	secure.TLSConfig = s.cfg.TLS
	servers := []*http.Server{secure}
	failed := make(chan error, 2)
	var running sync.WaitGroup
	running.Go(func() { failed <- secure.ServeTLS(limitConnections(s.listener), "", "") })
	if s.redirect != nil {
		plain := s.httpServer(http.HandlerFunc(s.redirectToTLS))
		servers = append(servers, plain)
		running.Go(func() { failed <- plain.Serve(limitConnections(s.redirect)) })
	}
	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("serve RDAP: %w", err)
	case <-ctx.Done():
	}
	graceful, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	for _, server := range servers {
		if server.Shutdown(graceful) != nil {
			_ = server.Close() // slow clients are cut off
		}
	}
	running.Wait()
	return err
}

func (s *Server) httpServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderOctets, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog: log.New(logWriter{s.cfg.Logger}, "", 0),
	}
}

// redirectToTLS is all that plain HTTP does.
func (s *Server) redirectToTLS(w http.ResponseWriter, r *http.Request) {
	s.counters.redirected.Add(1)
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	target := "https://" + host + "/"
	if _, port, err := net.SplitHostPort(s.listener.Addr().String()); err == nil && port != "443" {
		target = "https://" + net.JoinHostPort(host, port) + "/"
	}
	if s.cfg.BaseURL != "" {
		target = s.cfg.BaseURL
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Location", target+trimSlash(r.URL.EscapedPath()))
	w.WriteHeader(http.StatusMovedPermanently)
}

// logWriter takes what net/http says of broken handshakes and connections: noise of the network.
type logWriter struct{ logger *slog.Logger }

func (l logWriter) Write(p []byte) (int, error) {
	l.logger.Debug("connection failed", "error", string(p))
	return len(p), nil
}
