// Package whois answers port-43 queries (RFC 3912) from the node's own replica.
package whois

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cadastre/internal/pause"
	"cadastre/internal/prefixlimit"
	"cadastre/store"
)

// Bounds of the service: a query is one short line, answered and closed.
const (
	maxQueryOctets    = 512 // longest name with a keyword, and room
	maxConnections    = 512 // beyond this, connections wait in the kernel's queue
	maxPerAddress     = 32  // of one client, so that it cannot take all of them
	readTimeout       = 5 * time.Second
	writeTimeout      = 5 * time.Second
	acceptRetryDelay  = 50 * time.Millisecond // after a failed accept, such as out of descriptors
	discardAfterReply = 4 << 10               // octets read after the query so that close sends no reset
)

// viewer opens a consistent view of this node's applied state.
type viewer interface {
	View(fn func(tx *store.ReadTx) error) error
}

// Config says where and from what the service answers.
type Config struct {
	Address string // host:port
	Viewer  viewer
	Logger  *slog.Logger
	// Limit is how often a client may ask.
	Limit prefixlimit.Config
	// Now is this machine's clock; nil stands for time.Now.
	Now func() time.Time
}

// Stats counts since the start.
type Stats struct {
	// Queries were answered; Refused are connections that were turned away or sent no query.
	Queries, Refused uint64
	// Limited are queries above a client's share, Availability those of them that were answered with
	// one line.
	Limited, Availability uint64
}

// Server is the WHOIS service of a node.
type Server struct {
	cfg      Config
	listener net.Listener

	limiter *prefixlimit.Limiter

	queries, refused, limited, availability atomic.Uint64

	// connMu guards connections.
	connMu      sync.Mutex
	connections map[netip.Addr]int
}

// New returns a server; Listen and Run start it.
func New(cfg Config) *Server {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Server{cfg: cfg, limiter: prefixlimit.New(cfg.Limit), connections: map[netip.Addr]int{}}
}

// Listen takes the port.
func (s *Server) Listen() error {
	listener, err := net.Listen("tcp", s.cfg.Address)
	if err != nil {
		return fmt.Errorf("listen for WHOIS: %w", err)
	}
	s.listener = listener
	return nil
}

// Addr returns where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Stats returns the counters.
func (s *Server) Stats() Stats {
	return Stats{Queries: s.queries.Load(), Refused: s.refused.Load(), Limited: s.limited.Load(), Availability: s.availability.Load()}
}

// Run answers until ctx is done and returns when the last answer is out.
func (s *Server) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() }) // ends Accept; nothing to lose
	defer stop()
	slots := make(chan struct{}, maxConnections)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := s.listener.Accept()
		if err != nil {
			<-slots
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			s.cfg.Logger.Warn("accept failed", "service", "whois", "error", err)
			_ = pause.For(ctx, acceptRetryDelay) // the loop sees the end of ctx
			continue
		}
		running.Go(func() {
			defer func() { <-slots }()
			s.serve(conn)
		})
	}
}

// serve answers one connection: one line in, one answer out.
func (s *Server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }() // the answer was written or the client is gone
	client := addressOf(conn)
	if !s.enter(client) {
		s.refused.Add(1)
		s.write(conn, []byte("% Too many connections from your address; try again later.\r\n"))
		return
	}
	defer s.leave(client)
	if err := conn.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
		return
	}
	line, err := readLine(conn)
	var tooLong *queryTooLongError
	switch {
	case errors.As(err, &tooLong):
		s.refused.Add(1)
		s.write(conn, []byte("% "+err.Error()+"\r\n"))
		if tcp, ok := conn.(*net.TCPConn); ok && tcp.CloseWrite() == nil {
			_, _ = io.CopyN(io.Discard, conn, discardAfterReply) // best effort, see the constant
		}
	case err != nil:
		s.refused.Add(1)
	default:
		s.write(conn, s.limitedAnswer(client, line))
	}
}

// limitedAnswer answers, or refuses clearly if the client asks too often.
func (s *Server) limitedAnswer(client netip.Addr, line string) []byte {
	if ok, wait := s.limiter.Allow(client, 1, s.cfg.Now()); !ok {
		s.limited.Add(1)
		return fmt.Appendf(nil, "%% Too many queries from your network; try again in %d seconds.\r\n", int(wait/time.Second)+1)
	}
	s.queries.Add(1)
	if keyword, _, _ := parse(printable(line)); keyword == "das" {
		s.availability.Add(1)
	}
	return s.answer(line)
}

func (s *Server) answer(line string) []byte {
	var out []byte
	err := s.cfg.Viewer.View(func(tx *store.ReadTx) error {
		out = Answer(tx, line, s.cfg.Now())
		return nil
	})
	if err != nil {
		s.cfg.Logger.Error("query failed", "service", "whois", "error", err)
		return []byte("% The service has a fault; try another server.\r\n")
	}
	return out
}

func (s *Server) write(conn net.Conn, answer []byte) {
	if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return
	}
	if _, err := conn.Write(answer); err != nil {
		s.cfg.Logger.Debug("answer not delivered", "service", "whois", "error", err)
	}
}

// enter counts a connection of the client in, unless it has too many. Clients on this
// machine are the operator's own.
func (s *Server) enter(client netip.Addr) bool {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.connections[client] >= maxPerAddress && !client.IsLoopback() {
		return false
	}
	s.connections[client]++
	return true
}

func (s *Server) leave(client netip.Addr) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.connections[client]--; s.connections[client] == 0 {
		delete(s.connections, client)
	}
}

func addressOf(conn net.Conn) netip.Addr {
	addr, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr().Unmap()
}

// queryTooLongError is returned for a line that does not end within maxQueryOctets.
type queryTooLongError struct{}

func (*queryTooLongError) Error() string {
	return fmt.Sprintf("Query refused: it is longer than %d octets.", maxQueryOctets)
}

// readLine reads up to the first line feed, octet by octet into a fixed buffer.
func readLine(r io.Reader) (string, error) {
	var buf [maxQueryOctets]byte
	n := 0
	for n < len(buf) {
		m, err := r.Read(buf[n:])
		for i := n; i < n+m; i++ {
			if buf[i] == '\n' {
				return string(buf[:i]), nil
			}
		}
		n += m
		if errors.Is(err, io.EOF) && n > 0 {
			return string(buf[:n]), nil
		}
		if err != nil {
			return "", fmt.Errorf("read the query: %w", err)
		}
	}
	return "", &queryTooLongError{}
}
