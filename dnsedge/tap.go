package dnsedge

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"cadastre/internal/pause"
)

// TapConfig sends a copy of all queries and replies to a collector as dnstap over a Unix stream socket (frame streams,
// bidirectional). A file is not written to: the disk is the registry's, and it would fill up.
type TapConfig struct {
	// Socket is the path that the collector listens on; empty: no copies.
	Socket string
}

const (
	// tapRecords is how many messages wait for the collector: some hundredths of a second at full rate, 4 MB, and 32 MB if all
	// were of the greatest length. What comes on
	// top is dropped and counted.
	tapRecords = 4096
	// tapRecordOctets is what a waiting record has room for without growing: a datagram's query and reply are shorter.
	tapRecordOctets = 1024
	// tapMaxOctets bounds a record; of longer replies, over TCP, only the query is copied.
	tapMaxOctets = 8192
	// tapTimeout bounds a call to the collector.
	tapTimeout = 5 * time.Second
	// tapRetry lies between two attempts to reach it.
	tapRetry = time.Second
	// tapFlush bounds how long a record waits for others to leave with it.
	tapFlush = 200 * time.Millisecond
	// maxTapControl bounds a control frame of the collector.
	maxTapControl = 4096
)

// TapStats says what became of the copies.
type TapStats struct{ Sent, Dropped uint64 }

// tapRecord is a query with its reply on the way to the collector.
type tapRecord struct {
	transport   Transport
	from        netip.AddrPort
	to          netip.AddrPort
	at          time.Time
	query       int // octets of it in data; the reply follows
	data        []byte
	hasResponse bool
}

// tap is the way to the collector. Records go round between two bounded queues; whoever finds no free one drops.
type tap struct {
	socket           string
	identity         Identity
	log              *slog.Logger
	free             chan *tapRecord
	full             chan *tapRecord
	sent, dropped    atomic.Uint64
	encoded, message []byte
}

func newTap(cfg TapConfig, identity Identity, log *slog.Logger) *tap {
	if cfg.Socket == "" {
		return nil
	}
	t := &tap{socket: cfg.Socket, identity: identity, log: log, free: make(chan *tapRecord, tapRecords), full: make(chan *tapRecord, tapRecords)}
	for range tapRecords {
		t.free <- &tapRecord{data: make([]byte, 0, tapRecordOctets)}
	}
	return t
}

// note copies a query and its reply, if it has one. It never waits.
func (t *tap) note(transport Transport, from, to netip.AddrPort, at time.Time, query, reply []byte) {
	if len(query) > tapMaxOctets {
		return
	}
	var r *tapRecord
	select {
	case r = <-t.free:
	default:
		t.dropped.Add(1)
		return
	}
	r.transport, r.from, r.to, r.at, r.query, r.hasResponse = transport, from, to, at, len(query), len(reply) > 0
	r.data = append(r.data[:0], query...)
	if len(query)+len(reply) <= tapMaxOctets {
		r.data = append(r.data, reply...)
	} else {
		r.hasResponse = false
	}
	t.full <- r // there are as many places as records
}

// run sends records until the context is done. Without a collector they wait, and are dropped by those who find no free one.
func (t *tap) run(ctx context.Context) {
	failed := false
	for ctx.Err() == nil {
		began, err := t.stream(ctx)
		if ctx.Err() != nil {
			return
		}
		if began || !failed {
			t.log.Warn("the dnstap collector cannot be reached", "socket", t.socket, "error", err, "dropped", t.dropped.Load())
		}
		failed = true
		if pause.For(ctx, tapRetry) != nil {
			return
		}
	}
}

// stream connects and sends until something fails. It tells whether it got as far as sending.
func (t *tap) stream(ctx context.Context) (began bool, err error) {
	dialer := net.Dialer{Timeout: tapTimeout}
	conn, err := dialer.DialContext(ctx, "unix", t.socket)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	defer stop()
	if err := t.handshake(conn); err != nil {
		return false, err
	}
	t.log.Info("dnstap goes to the collector", "socket", t.socket)
	w := bufio.NewWriterSize(conn, 1<<16)
	pending := uint64(0) // written, but perhaps not yet to the kernel
	defer func() {
		if err == nil {
			t.sent.Add(pending)
		} else {
			t.dropped.Add(pending)
		}
	}()
	ticker := time.NewTicker(tapFlush)
	defer ticker.Stop()
	for {
		if err := conn.SetWriteDeadline(time.Now().Add(tapTimeout)); err != nil {
			return true, err
		}
		select {
		case <-ctx.Done():
			return true, errors.Join(writeControl(w, controlStop, false), w.Flush())
		case r := <-t.full:
			frame := t.encode(r)
			err := writeFrame(w, frame)
			r.data = r.data[:0]
			t.free <- r // it came from there
			pending++
			if err != nil {
				return true, err
			}
		case <-ticker.C:
			if err := w.Flush(); err != nil {
				return true, err
			}
			t.sent.Add(pending)
			pending = 0
		}
	}
}

// Control frames of frame streams.
const (
	controlAccept = 1
	controlStart  = 2
	controlStop   = 3
	controlReady  = 4

	controlContentType = 1
	tapContentType     = "protobuf:dnstap.Dnstap"
)

// handshake offers dnstap, waits until the collector accepts, and starts.
func (t *tap) handshake(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(tapTimeout)); err != nil {
		return err
	}
	if err := writeControl(conn, controlReady, true); err != nil {
		return fmt.Errorf("offer dnstap: %w", err)
	}
	var head [12]byte // escape, length, type
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return fmt.Errorf("wait for the collector to accept: %w", err)
	}
	n := binary.BigEndian.Uint32(head[4:])
	if binary.BigEndian.Uint32(head[:]) != 0 || n < 4 || n > maxTapControl || binary.BigEndian.Uint32(head[8:]) != controlAccept {
		return fmt.Errorf("the collector does not accept: %x", head)
	}
	if _, err := io.ReadFull(conn, make([]byte, n-4)); err != nil {
		return fmt.Errorf("wait for the collector to accept: %w", err)
	}
	if err := writeControl(conn, controlStart, true); err != nil {
		return fmt.Errorf("start dnstap: %w", err)
	}
	return conn.SetReadDeadline(time.Time{})
}
