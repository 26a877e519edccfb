package dnsedge

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"cadastre/internal/pause"
)

// canListenWildcard is true where replies to a wildcard socket leave from the address that was asked.
const canListenWildcard = true

const (
	// udpBatch is how many datagrams one system call moves. More gives little and delays the first.
	udpBatch = 32
	// udpControlOctets holds one IP_PKTINFO or IPV6_PKTINFO message with its header.
	udpControlOctets = 64
)

// mmsghdr is struct mmsghdr of recvmmsg(2); its size matches through the alignment of Msghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// datagram has the buffers of one slot of the batch.
type datagram struct {
	_       [0]uint64 // aligns control for its header
	query   [udpQueryOctets]byte
	reply   [udpReplyRoom]byte
	control [udpControlOctets]byte
	name    unix.RawSockaddrInet6 // the larger of the two families
}

// udpWorker owns one socket. Nothing in it is used by more than the goroutine of serve, but for the counters.
type udpWorker struct {
	conn     *net.UDPConn
	raw      syscall.RawConn
	local    netip.AddrPort
	counters counters
	sources  sources
	from     Client

	slots            []datagram
	recv, send       []mmsghdr
	recvIov, sendIov []unix.Iovec

	// Arguments and results of the two callbacks, which are made once so that no call allocates.
	received, toSend, sent int
	errno                  syscall.Errno
	receiveFn, sendFn      func(fd uintptr) bool
}

// listenUDP opens the sockets of one address, all on one port.
func listenUDP(ctx context.Context, addr netip.AddrPort, workers int) ([]*udpWorker, error) {
	// With SO_REUSEPORT a second server of the same user could share the port and take half of the queries. A socket
	// without the option shows whether the port is in use.
	var plain net.ListenConfig
	probe, err := plain.ListenPacket(ctx, network("udp", addr.Addr()), addr.String())
	if err != nil {
		return nil, err
	}
	if err := probe.Close(); err != nil {
		return nil, fmt.Errorf("close probe socket: %w", err)
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) { err = setSocketOptions(int(fd), addr.Addr()) }); e != nil {
			return e
		}
		return err
	}}
	out := make([]*udpWorker, 0, workers)
	for range workers {
		w, err := newUDPWorker(ctx, lc, addr)
		if err != nil {
			for _, w := range out {
				_ = w.conn.Close()
			}
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func setSocketOptions(fd int, addr netip.Addr) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("set SO_REUSEPORT: %w", err)
	}
	// Hints: the kernel may cap the buffer, and a path MTU forged by a stranger is ignored where OMIT is known.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, udpReceiveBuffer)
	if addr.Is4() {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_OMIT)
	} else {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_OMIT)
	}
	if !addr.IsUnspecified() {
		return nil
	}
	// The reply must leave from the address that was asked.
	if addr.Is4() {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1); err != nil {
			return fmt.Errorf("set IP_PKTINFO: %w", err)
		}
		return nil
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1); err != nil {
		return fmt.Errorf("set IPV6_RECVPKTINFO: %w", err)
	}
	return nil
}

func newUDPWorker(ctx context.Context, lc net.ListenConfig, addr netip.AddrPort) (*udpWorker, error) {
	pc, err := lc.ListenPacket(ctx, network("udp", addr.Addr()), addr.String())
	if err != nil {
		return nil, err
	}
	w := &udpWorker{conn: pc.(*net.UDPConn), local: addr}
	if w.raw, err = w.conn.SyscallConn(); err != nil {
		_ = pc.Close()
		return nil, fmt.Errorf("get raw socket: %w", err)
	}
	w.slots = make([]datagram, udpBatch)
	w.recv, w.send = make([]mmsghdr, udpBatch), make([]mmsghdr, udpBatch)
	w.recvIov, w.sendIov = make([]unix.Iovec, udpBatch), make([]unix.Iovec, udpBatch)
	for i := range w.slots {
		s := &w.slots[i]
		w.recvIov[i].Base = &s.query[0]
		w.recvIov[i].SetLen(len(s.query))
		h := &w.recv[i].hdr
		h.Name, h.Control, h.Iov = (*byte)(unsafe.Pointer(&s.name)), &s.control[0], &w.recvIov[i]
		h.SetIovlen(1)
		w.send[i].hdr.Iov = &w.sendIov[i]
		w.send[i].hdr.SetIovlen(1)
	}
	w.receiveFn, w.sendFn = w.receive, w.transmit
	return w, nil
}

// receive is called by the poller when the socket may be readable.
func (w *udpWorker) receive(fd uintptr) bool {
	for i := range w.recv {
		h := &w.recv[i].hdr
		h.Namelen = uint32(unsafe.Sizeof(w.slots[i].name))
		h.SetControllen(udpControlOctets)
		h.Flags = 0
	}
	n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&w.recv[0])), udpBatch, unix.MSG_DONTWAIT, 0, 0)
	for errno == unix.EINTR { // the poller would not report again what is already there
		n, _, errno = syscall.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&w.recv[0])), udpBatch, unix.MSG_DONTWAIT, 0, 0)
	}
	if errno == unix.EAGAIN {
		return false
	}
	w.received, w.errno = int(n), errno
	if errno != 0 {
		w.received = 0
	}
	return true
}

// transmit sends w.send[w.sent:w.toSend] without waiting.
func (w *udpWorker) transmit(fd uintptr) bool {
	n, _, errno := syscall.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&w.send[w.sent])),
		uintptr(w.toSend-w.sent), unix.MSG_DONTWAIT, 0, 0)
	w.errno = errno
	if errno == 0 {
		w.sent += int(n)
	}
	return true
}

// serve answers queries until the context is done. The view is loaded once per batch.
func (w *udpWorker) serve(ctx context.Context, s *Server) error {
	stop := context.AfterFunc(ctx, func() { _ = w.conn.SetReadDeadline(time.Now()) }) // unblocks the read
	defer stop()
	for {
		err := w.raw.Read(w.receiveFn)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("dns: receive on %s: %w", w.conn.LocalAddr(), err)
		}
		if w.errno != 0 {
			w.counters.failed.Add(1)
			if !transient(w.errno) {
				return fmt.Errorf("dns: receive on %s: %w", w.conn.LocalAddr(), w.errno)
			}
			_ = pause.For(ctx, udpErrorPause) // the loop sees the end of ctx
			continue
		}
		w.respond(s)
		w.flush()
	}
}

// transient tells errors that pass, or that an earlier reply left on the socket, from a broken socket.
func transient(errno syscall.Errno) bool {
	switch errno {
	case unix.ENOMEM, unix.ENOBUFS, unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ENETDOWN:
		return true
	}
	return false
}

// respond turns the received batch into w.send[:w.toSend].
func (w *udpWorker) respond(s *Server) {
	w.toSend, w.sent = 0, 0
	view, now := s.view.Load(), time.Now()
	w.from.Now = uint32(now.Unix())
	for i := range w.received {
		in, slot := &w.recv[i], &w.slots[i]
		// Port 0 cannot be answered; its octets are at the same place in both families.
		if in.hdr.Flags&unix.MSG_TRUNC != 0 || slot.name.Port == 0 {
			w.counters.count(int(in.n), nil, outcome{})
			continue
		}
		query := slot.query[:in.n]
		w.from.Addr = peerAddr(&slot.name)
		var client netip.AddrPort // of a proxy; else it is in the slot
		if len(s.proxies) > 0 && s.proxies.trust(w.from.Addr) {
			var ok bool
			if client, query, ok = s.proxies.client(query, addressOf(&slot.name)); !ok {
				w.counters.count(int(in.n), nil, outcome{})
				continue
			}
			w.from.Addr = client.Addr().WithZone("")
		}
		w.sources.note(s.sourceSeed, w.from.Addr, w.from.Now)
		if s.slow.wants(query) {
			w.tapped(s.tap, slot, client, now, query, nil)
			w.handOver(s.slow, slot, in, query, client, view)
			continue
		}
		reply, o := s.responder.respond(slot.reply[:0], query, view, &w.from)
		if s.limiter != nil {
			reply = s.limiter.limit(reply, &o, w.from.Addr, s.limiter.micros(now))
		}
		w.counters.count(len(query), reply, o)
		w.tapped(s.tap, slot, client, now, query, reply)
		if len(reply) > 0 {
			w.queue(slot, in, reply)
		}
	}
}

// tapped copies a query and its reply for the collector, if there is one. A valid client is the one that the sender speaks for.
func (w *udpWorker) tapped(t *tap, slot *datagram, client netip.AddrPort, now time.Time, query, reply []byte) {
	if t == nil {
		return
	}
	if !client.IsValid() {
		client = addressOf(&slot.name)
	}
	t.note(UDP, client, w.local, now, query, reply)
}

// queue puts a reply behind those that leave together.
func (w *udpWorker) queue(slot *datagram, in *mmsghdr, reply []byte) {
	clearInterface(slot.control[:in.hdr.Controllen])
	out := &w.send[w.toSend].hdr
	out.Name, out.Namelen = in.hdr.Name, in.hdr.Namelen
	out.Control, out.Controllen = in.hdr.Control, in.hdr.Controllen
	w.sendIov[w.toSend].Base = &reply[0]
	w.sendIov[w.toSend].SetLen(len(reply))
	w.toSend++
}

// handOver gives a query to the slow path, which answers from the same socket and source address. A valid client is the one
// that the sender speaks for.
func (w *udpWorker) handOver(slow *slowPath, slot *datagram, in *mmsghdr, query []byte, client netip.AddrPort, view *View) {
	clearInterface(slot.control[:in.hdr.Controllen])
	control := bytes.Clone(slot.control[:in.hdr.Controllen])
	sender := addressOf(&slot.name)
	if !client.IsValid() {
		client = sender
	}
	slow.enqueue(&w.counters, &slowQuery{transport: UDP, client: client, message: bytes.Clone(query), view: view},
		func(reply []byte) error {
			_, _, err := w.conn.WriteMsgUDPAddrPort(reply, control, sender)
			return err
		})
}

// addressOf reads the sender's address as the kernel gave it.
func addressOf(name *unix.RawSockaddrInet6) netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])
	if name.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port)
	}
	addr := netip.AddrFrom16(name.Addr)
	if name.Scope_id != 0 {
		addr = addr.WithZone(strconv.FormatUint(uint64(name.Scope_id), 10))
	}
	return netip.AddrPortFrom(addr, port)
}

// overflow is how many datagrams the kernel dropped because this socket's queue was full.
func (w *udpWorker) overflow() uint64 {
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	_ = w.raw.Control(func(fd uintptr) { // a closed socket has nothing to tell
		_, _, _ = syscall.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0) // old kernels do not know it: zero
	})
	return uint64(info[unix.SK_MEMINFO_DROPS])
}

// peerAddr reads the address of a received datagram.
func peerAddr(name *unix.RawSockaddrInet6) netip.Addr {
	if name.Family == unix.AF_INET {
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(name)).Addr)
	}
	return netip.AddrFrom16(name.Addr)
}

// clearInterface makes a received PKTINFO message fit for sending: the address stays, the interface is left to the
// routing table, except where a link-local address means nothing without it.
func clearInterface(control []byte) {
	data := unix.CmsgLen(0)
	if len(control) < data {
		return
	}
	switch h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0])); {
	case h.Level == unix.IPPROTO_IP && len(control) >= data+unix.SizeofInet4Pktinfo:
		clear(control[data : data+4])
	case h.Level == unix.IPPROTO_IPV6 && len(control) >= data+unix.SizeofInet6Pktinfo:
		if binary.BigEndian.Uint16(control[data:])&0xFFC0 != 0xFE80 {
			clear(control[data+16 : data+20])
		}
	}
}

// flush sends the replies. One that the kernel refuses is skipped, and when its buffer is full the rest is dropped: a
// resolver asks again, and waiting would hold up the queries behind.
func (w *udpWorker) flush() {
	total := w.toSend
	failed := 0
	for w.sent < total {
		if err := w.raw.Write(w.sendFn); err != nil {
			failed += total - w.sent
			break
		}
		if errors.Is(w.errno, unix.EAGAIN) {
			failed += total - w.sent
			break
		}
		if w.errno != 0 && w.errno != unix.EINTR {
			failed++
			w.sent++
		}
	}
	w.counters.failed.Add(uint64(failed))
	w.counters.responses.Add(uint64(total - failed))
}
