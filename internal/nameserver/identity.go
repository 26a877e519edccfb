package nameserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

const (
	// probeTimeout is what one answer may take on a busy machine.
	probeTimeout = time.Second
	// probeReplyOctets holds any answer without EDNS.
	probeReplyOctets = 512
)

// askIdentity asks for id.server (RFC 4892) over UDP and over TCP and is content when both answers hold the identity.
func askIdentity(ctx context.Context, address, identity string) error {
	for _, network := range []string{"udp", "tcp"} {
		reply, err := exchange(ctx, network, address, identityQuery())
		if err != nil {
			return fmt.Errorf("ask %s over %s for its identity: %w", address, network, err)
		}
		if !bytes.Contains(reply, []byte(identity)) {
			return fmt.Errorf("%s over %s is not %s: it answers %q", address, network, identity, reply)
		}
	}
	return nil
}

// identityQuery asks for the TXT record of id.server in class CHAOS.
func identityQuery() []byte {
	const header = "\x1d\x5e\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	return []byte(header + "\x02id\x06server\x00" + "\x00\x10" + "\x00\x03")
}

// exchange sends a message and returns the response to it.
func exchange(ctx context.Context, network, address string, query []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // nothing is left to be lost
	if conn.LocalAddr().String() == conn.RemoteAddr().String() {
		return nil, errors.New("the kernel chose the port that is asked as the one to ask from")
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	out := query
	if network == "tcp" {
		out = append([]byte{byte(len(query) >> 8), byte(len(query))}, query...)
	}
	if _, err := conn.Write(out); err != nil {
		return nil, err
	}
	reply := make([]byte, probeReplyOctets)
	n, err := conn.Read(reply)
	if err != nil {
		return nil, err
	}
	reply = reply[:n]
	if network == "tcp" && n >= 2 {
		reply = reply[2:]
	}
	if len(reply) < 12 || reply[0] != query[0] || reply[1] != query[1] || reply[2]&0x80 == 0 {
		return nil, fmt.Errorf("no response: %x", reply)
	}
	return reply, nil
}
