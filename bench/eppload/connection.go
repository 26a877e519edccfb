package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
)

const (
	// exchangeTimeout bounds a command: the servers give up after 30 seconds without a leader.
	exchangeTimeout = 45 * time.Second
	// headerOctets precede each frame and hold its length, themselves included (RFC 5734
	// section 4).
	headerOctets = 4
	readOctets   = 8 << 10
)

// connection is a session that works with frames made beforehand and looks at nothing of an
// answer but its code, so that the load takes little from the nodes beside it.
type connection struct {
	conn   *tls.Conn
	reader *bufio.Reader
	answer []byte
}

// dial connects and logs in.
func dial(ctx context.Context, config *tls.Config, address string, registrar devcluster.Registrar) (*connection, error) {
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	secure, _ := conn.(*tls.Conn)
	c := &connection{conn: secure, reader: bufio.NewReaderSize(conn, readOctets)}
	if err := c.login(registrar); err != nil {
		_ = conn.Close() // the error before it counts
		return nil, fmt.Errorf("log in at %s: %w", address, err)
	}
	return c, nil
}

func (c *connection) login(registrar devcluster.Registrar) error {
	if err := c.receive(); err != nil {
		return err
	}
	greeting, err := eppxml.ParseGreeting(c.answer)
	if err != nil {
		return err
	}
	code, err := c.exchange(newFrame(&eppxml.Login{
		ClID: registrar.ID, Password: registrar.Password, Version: "1.0", Lang: "en", ObjURIs: greeting.ObjURIs, ExtURIs: greeting.ExtURIs,
	}))
	if err == nil && code != 1000 {
		err = fmt.Errorf("code %d: %s", code, c.answer)
	}
	return err
}

// exchange sends a frame and returns the code of the answer.
func (c *connection) exchange(frame []byte) (code int, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(exchangeTimeout)); err != nil {
		return 0, err
	}
	if _, err := c.conn.Write(frame); err != nil {
		return 0, fmt.Errorf("send the command: %w", err)
	}
	if err := c.receive(); err != nil {
		return 0, fmt.Errorf("wait for the answer: %w", err)
	}
	_, rest, _ := bytes.Cut(c.answer, []byte(`<result code="`))
	digits, _, found := bytes.Cut(rest[:min(len(rest), 5)], []byte(`"`))
	if !found {
		return 0, fmt.Errorf("no answer with a code: %s", c.answer)
	}
	return strconv.Atoi(string(digits))
}

// receive reads a frame into c.answer.
func (c *connection) receive() error {
	header, err := c.reader.Peek(headerOctets)
	if err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(header)
	if length <= headerOctets || length > eppxml.MaxResponseFrame {
		return &eppxml.FrameError{Length: uint64(length), Max: eppxml.MaxResponseFrame}
	}
	if cap(c.answer) < int(length) {
		c.answer = make([]byte, length)
	}
	c.answer = c.answer[:length]
	if _, err := io.ReadFull(c.reader, c.answer); err != nil {
		return err
	}
	c.answer = c.answer[headerOctets:]
	return nil
}

// newFrame encodes a command with its header.
func newFrame(body eppxml.Body) []byte {
	frame := eppxml.AppendCommand(make([]byte, headerOctets), &eppxml.Command{Body: body, ClTRID: "load-0001"})
	binary.BigEndian.PutUint32(frame, uint32(len(frame)))
	return frame
}
