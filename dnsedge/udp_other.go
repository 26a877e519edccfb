//go:build !linux

package dnsedge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"cadastre/internal/pause"
)

// canListenWildcard is false: this build cannot choose the source address of a reply.
const canListenWildcard = false

// udpWorker shares one socket with the other workers of its address.
type udpWorker struct {
	conn     *net.UDPConn
	local    netip.AddrPort
	counters counters
	sources  sources
}

func listenUDP(ctx context.Context, addr netip.AddrPort, workers int) ([]*udpWorker, error) {
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(ctx, network("udp", addr.Addr()), addr.String())
	if err != nil {
		return nil, err
	}
	conn := pc.(*net.UDPConn)
	_ = conn.SetReadBuffer(udpReceiveBuffer) // a hint; the kernel may cap it
	out := make([]*udpWorker, workers)
	for i := range out {
		out[i] = &udpWorker{conn: conn, local: addr}
	}
	return out, nil
}

// serve answers queries until the context is done.
func (w *udpWorker) serve(ctx context.Context, s *Server) error {
	stop := context.AfterFunc(ctx, func() { _ = w.conn.SetReadDeadline(time.Now()) }) // unblocks the read
	defer stop()
	// One octet more than is taken shows that a datagram was too long.
	query, buf := make([]byte, udpQueryOctets+1), make([]byte, 0, udpReplyRoom)
	for {
		n, from, err := w.conn.ReadFromUDPAddrPort(query)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("dns: receive on %s: %w", w.conn.LocalAddr(), err)
		}
		if err != nil {
			w.counters.failed.Add(1)
			_ = pause.For(ctx, udpErrorPause) // the loop sees the end of ctx
			continue
		}
		if n > udpQueryOctets || from.Port() == 0 {
			w.counters.count(n, nil, outcome{})
			continue
		}
		peer, message := netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), query[:n]
		if s.proxies.trust(peer.Addr()) {
			var ok bool
			if peer, message, ok = s.proxies.client(message, peer); !ok {
				w.counters.count(n, nil, outcome{})
				continue
			}
		}
		now := time.Now()
		w.sources.note(s.sourceSeed, peer.Addr().WithZone(""), uint32(now.Unix()))
		if s.slow.wants(message) {
			if s.tap != nil {
				s.tap.note(UDP, peer, w.local, now, message, nil)
			}
			s.slow.enqueue(&w.counters, &slowQuery{transport: UDP, client: peer, message: bytes.Clone(message), view: s.view.Load()},
				func(reply []byte) error { _, err := w.conn.WriteToUDPAddrPort(reply, from); return err })
			continue
		}
		client := Client{Addr: peer.Addr().WithZone(""), Now: uint32(now.Unix())}
		reply, o := s.responder.respond(buf, message, s.view.Load(), &client)
		if s.limiter != nil {
			reply = s.limiter.limit(reply, &o, client.Addr, s.limiter.micros(time.Now()))
		}
		w.counters.count(len(message), reply, o)
		if s.tap != nil {
			s.tap.note(UDP, peer, w.local, now, message, reply)
		}
		if len(reply) == 0 {
			continue
		}
		if _, err := w.conn.WriteToUDPAddrPort(reply, from); err != nil {
			w.counters.failed.Add(1)
			continue
		}
		w.counters.responses.Add(1)
	}
}

// overflow is not known on this system.
func (w *udpWorker) overflow() uint64 { return 0 }
