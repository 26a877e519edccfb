package raftnode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// handshakeTimeout gives a distant peer three slow round trips and takes the slot
	// back from one that never speaks.
	handshakeTimeout = 5 * time.Second
	// dialTimeout bounds connecting plus handshake: a dead host should fail well before
	// the exchange itself would.
	dialTimeout = 5 * time.Second
	// maxHandshakes bounds what strangers can make this node compute at a time.
	maxHandshakes = 32
	// maxHandshakesPerAddress leaves room for peers while one machine opens connections and
	// says nothing; peers dial a few at a time.
	maxHandshakesPerAddress = 8
	// maxConnections bounds accepted connections. Only leaders and candidates dial, a few
	// connections each, so that even a large cluster stays far below it.
	maxConnections = 512
	// recheckInterval is how often standing connections are checked again: a node that was
	// removed must not go on over a connection that it had before.
	recheckInterval = time.Second
	// acceptBackoff after a failed accept, such as out of file descriptors.
	acceptBackoff = 50 * time.Millisecond
)

// tlsStream is raft's stream layer: every connection is mutually authenticated before it is
// handed over, so that no byte from a stranger is ever decoded.
type tlsStream struct {
	listener  net.Listener
	advertise raftAddr
	serverTLS *tls.Config
	checkPeer func(tls.ConnectionState) error
	clientTLS func(peerNodeID string) *tls.Config
	logger    *slog.Logger

	accepted   chan net.Conn
	handshakes chan struct{}
	closing    context.Context // done once Close is called
	close      context.CancelFunc
	workers    sync.WaitGroup

	mu       sync.Mutex
	isClosed bool
	inbound  int
	shaking  map[string]int // handshakes under way, by remote address without port
	conns    map[*trackedConn]struct{}
}

// raftAddr is the address that peers know this node by.
type raftAddr string

func (a raftAddr) Network() string { return "tcp" }
func (a raftAddr) String() string  { return string(a) }

// listenTLS binds the address; serve accepts on it.
func listenTLS(cfg *Config) (*tlsStream, error) {
	listener, err := net.Listen("tcp", cfg.BindAddress)
	if err != nil {
		return nil, fmt.Errorf("listen for raft on %s: %w", cfg.BindAddress, err)
	}
	advertise := cfg.AdvertiseAddress
	if advertise == "" {
		advertise = listener.Addr().String()
	}
	closing, cancel := context.WithCancel(context.Background())
	return &tlsStream{
		listener:   listener,
		advertise:  raftAddr(advertise),
		serverTLS:  cfg.ServerTLS,
		checkPeer:  cfg.CheckPeer,
		clientTLS:  cfg.ClientTLS,
		logger:     cfg.Logger,
		accepted:   make(chan net.Conn),
		handshakes: make(chan struct{}, maxHandshakes),
		closing:    closing,
		close:      cancel,
		conns:      make(map[*trackedConn]struct{}),
		shaking:    make(map[string]int),
	}, nil
}

// serve accepts and authenticates connections until Close, and joins its handshakes.
func (s *tlsStream) serve() {
	defer s.workers.Wait()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			select {
			case <-s.closing.Done():
				return
			case <-time.After(acceptBackoff):
				continue
			}
		}
		select {
		case s.handshakes <- struct{}{}:
		default: // strangers occupy every slot; a peer will try again
			_ = conn.Close() // refused, nothing to lose
			continue
		}
		source := hostOf(conn.RemoteAddr())
		if !s.beginHandshake(source) {
			<-s.handshakes
			_ = conn.Close() // refused, nothing to lose
			continue
		}
		s.workers.Add(1)
		go func() {
			defer s.workers.Done()
			s.admit(conn, source)
		}()
	}
}

func hostOf(address net.Addr) string {
	host, _, err := net.SplitHostPort(address.String())
	if err != nil {
		return address.String()
	}
	return host
}

// beginHandshake says whether the address may have one more handshake under way.
func (s *tlsStream) beginHandshake(source string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shaking[source] >= maxHandshakesPerAddress {
		return false
	}
	s.shaking[source]++
	return true
}

func (s *tlsStream) endHandshake(source string) {
	<-s.handshakes
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shaking[source]--; s.shaking[source] == 0 {
		delete(s.shaking, source)
	}
}

// admit authenticates one connection and hands it to raft.
func (s *tlsStream) admit(raw net.Conn, source string) {
	tracked, err := s.track(raw, true)
	if err != nil {
		s.endHandshake(source)
		_ = raw.Close() // refused, nothing to lose
		return
	}
	conn := tls.Server(tracked, s.serverTLS)
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	err = conn.HandshakeContext(ctx)
	cancel()
	s.endHandshake(source)
	if err == nil && len(conn.ConnectionState().VerifiedChains) == 0 {
		err = errors.New("the client's certificate was not verified")
	}
	if err == nil && s.checkPeer != nil {
		state := conn.ConnectionState()
		if err = s.checkPeer(state); err == nil {
			s.mu.Lock()
			tracked.peer = &state
			s.mu.Unlock()
		}
	}
	if err != nil {
		s.logger.Debug("refused a raft connection", "remote_address", raw.RemoteAddr().String(), "error", err)
		_ = conn.Close() // refused, nothing to lose
		return
	}
	select {
	case s.accepted <- conn:
	case <-s.closing.Done():
		_ = conn.Close() // shutting down
	}
}

// recheck closes inbound connections whose peers may not speak to this node any more,
// until Close.
func (s *tlsStream) recheck() {
	if s.checkPeer == nil {
		return
	}
	ticker := time.NewTicker(recheckInterval)
	defer ticker.Stop()
	for {
		select {
		case <-s.closing.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		standing := make(map[*trackedConn]tls.ConnectionState, s.inbound)
		for c := range s.conns {
			if c.peer != nil {
				standing[c] = *c.peer
			}
		}
		s.mu.Unlock()
		for c, peer := range standing {
			if err := s.checkPeer(peer); err != nil {
				s.logger.Warn("closing a raft connection", "remote_address", c.RemoteAddr().String(), "error", err)
				_ = c.Close() // refused, nothing to lose
			}
		}
	}
}

// Accept returns the next authenticated connection.
func (s *tlsStream) Accept() (net.Conn, error) {
	select {
	case conn := <-s.accepted:
		return conn, nil
	case <-s.closing.Done():
		return nil, net.ErrClosed
	}
}

// Addr returns the address that peers know this node by.
func (s *tlsStream) Addr() net.Addr { return s.advertise }

// Dial connects to the node that target names and proves that it is that node.
func (s *tlsStream) Dial(target raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	id, address, err := splitDialTarget(target)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(timeout, dialTimeout))
	defer cancel()
	stop := context.AfterFunc(s.closing, cancel) // Close must not wait for a host that does not answer
	defer stop()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to node %s: %w", id, err)
	}
	tracked, err := s.track(raw, false)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	conn := tls.Client(tracked, s.clientTLS(id))
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error says it all
		return nil, fmt.Errorf("authenticate node %s at %s: %w", id, address, err)
	}
	return conn, nil
}

// Close stops accepting and cuts every connection, in both directions.
func (s *tlsStream) Close() error {
	s.mu.Lock()
	if s.isClosed {
		s.mu.Unlock()
		return nil
	}
	s.isClosed = true
	conns := make([]*trackedConn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	s.close()
	err := s.listener.Close()
	for _, c := range conns {
		_ = c.Close() // cut on purpose
	}
	return err
}

// trackedConn is a connection that Close of the stream can cut.
type trackedConn struct {
	net.Conn
	stream  *tlsStream
	inbound bool
	once    sync.Once
	// peer is what the handshake established, of an inbound connection; guarded by the
	// stream's mu.
	peer *tls.ConnectionState
}

func (s *tlsStream) track(conn net.Conn, inbound bool) (*trackedConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed {
		return nil, net.ErrClosed
	}
	if inbound && s.inbound >= maxConnections {
		return nil, errors.New("too many raft connections")
	}
	c := &trackedConn{Conn: conn, stream: s, inbound: inbound}
	s.conns[c] = struct{}{}
	if inbound {
		s.inbound++
	}
	return c, nil
}

// Close closes the connection and forgets it.
func (c *trackedConn) Close() error {
	c.once.Do(func() {
		c.stream.mu.Lock()
		defer c.stream.mu.Unlock()
		delete(c.stream.conns, c)
		if c.inbound {
			c.stream.inbound--
		}
	})
	return c.Conn.Close()
}
