package epp

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"cadastre/epp/eppxml"
)

// readBufferBytes holds a usual request; larger ones bypass the buffer.
const readBufferBytes = 4 << 10

// frames reads and writes the frames of one connection (RFC 5734 section 4), each under a
// deadline.
type frames struct {
	conn   *tls.Conn
	in     *bufio.Reader
	limits Limits
}

func newFrames(conn *tls.Conn, limits Limits) *frames {
	return &frames{conn: conn, in: bufio.NewReaderSize(conn, readBufferBytes), limits: limits}
}

// read waits until begin for a frame's first byte and FrameTimeout for the rest. It returns
// the context's error if the server stops meanwhile.
func (f *frames) read(ctx context.Context, begin time.Time) ([]byte, error) {
	if err := f.deadline(ctx, begin); err != nil {
		return nil, err
	}
	if _, err := f.in.Peek(1); err != nil {
		return nil, orStopped(ctx, err)
	}
	if err := f.deadline(ctx, time.Now().Add(f.limits.FrameTimeout)); err != nil {
		return nil, err
	}
	frame, err := eppxml.ReadFrame(f.in, f.limits.FrameBytes)
	if err != nil {
		return nil, orStopped(ctx, err)
	}
	return frame, nil
}

// deadline sets the read deadline. Whoever cancels ctx moves the deadline to the past; the
// look at ctx after setting it makes sure that this is not undone here.
func (f *frames) deadline(ctx context.Context, at time.Time) error {
	if err := f.conn.SetReadDeadline(at); err != nil {
		return fmt.Errorf("set read deadline: %w", err)
	}
	return ctx.Err()
}

// orStopped returns the context's error instead of the one that stopping caused.
func orStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (f *frames) write(payload []byte) error {
	if err := f.conn.SetWriteDeadline(time.Now().Add(f.limits.WriteTimeout)); err != nil {
		return fmt.Errorf("set write deadline: %w", err)
	}
	if err := eppxml.WriteFrame(f.conn, payload); err != nil {
		return fmt.Errorf("write response: %w", err)
	}
	return nil
}
