package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	echoBatch  = 32
	echoOctets = 4096
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// echo answers each datagram with itself, marked as a response and lengthened to the given size: what a Go program can
// reach that has nothing to think about.
func echo(ctx context.Context, listen string, size int) error {
	addr, err := netip.ParseAddrPort(listen)
	if err != nil {
		return err
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // ends with the process
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	defer stop()
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var (
		bufs  [echoBatch][echoOctets]byte
		names [echoBatch]unix.RawSockaddrInet4
		iovs  [echoBatch]unix.Iovec
		msgs  [echoBatch]mmsghdr
	)
	for i := range msgs {
		iovs[i].Base = &bufs[i][0]
		msgs[i].hdr.Iov = &iovs[i]
		msgs[i].hdr.SetIovlen(1)
		msgs[i].hdr.Name = (*byte)(unsafe.Pointer(&names[i]))
	}
	received := 0
	receive := func(fd uintptr) bool {
		for i := range msgs {
			iovs[i].SetLen(echoOctets)
			msgs[i].hdr.Namelen = uint32(unsafe.Sizeof(names[i]))
		}
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&msgs[0])), echoBatch, unix.MSG_DONTWAIT, 0, 0)
		if received = int(n); errno != 0 {
			received = 0
		}
		return errno != unix.EAGAIN
	}
	send := func(fd uintptr) bool {
		for sent := 0; sent < received; {
			n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&msgs[sent])), uintptr(received-sent), 0, 0, 0)
			if errno != 0 || n == 0 {
				n = 1
			}
			sent += int(n)
		}
		return true
	}
	for {
		if err := raw.Read(receive); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("receive: %w", err)
		}
		for i := range received {
			bufs[i][2] |= 0x80
			iovs[i].SetLen(max(size, int(msgs[i].n)))
		}
		if err := raw.Write(send); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
}
