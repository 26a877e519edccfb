package epp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"cadastre/epp/eppxml"
)

// shortLimits make waiting for a timeout short.
func shortLimits() Limits {
	const short = 50 * time.Millisecond
	return Limits{HandshakeTimeout: short, LoginTimeout: short, IdleTimeout: short, FrameTimeout: short}
}

func TestFrameLengthsAreRefusedBeforeMemoryIsTaken(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	for name, length := range map[string]uint32{
		"4 GiB": 0xFFFFFFFF, "one octet too many": eppxml.MaxFrame + 5, "a plain request of HTTP": binary.BigEndian.Uint32([]byte("GET ")),
		"none": 0, "the header alone": 4, "less than the header": 3,
	} {
		t.Run(name, func(t *testing.T) {
			c := h.dial(t, registrarA)
			if _, err := c.conn.Write(binary.BigEndian.AppendUint32(nil, length)); err != nil {
				t.Fatal(err)
			}
			r := c.readResponse()
			if reason := strings.Join(r.Results[0].Reasons, " "); r.Code() != codeFailedClosing || !strings.Contains(reason, "frame length") {
				t.Errorf("got %d %q", r.Code(), reason)
			}
			c.wantClosed()
		})
	}
	h.login(t, registrarA, passwordA)
}

func TestTheLargestFrameIsTaken(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.login(t, registrarA, passwordA)
	frame := checkFrame("a.example")
	c.want(codeOK, append(frame, strings.Repeat(" ", eppxml.MaxFrame-len(frame))...))
}

func TestAGoodFrameOfNonsenseDoesNotEndTheSession(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	c := h.login(t, registrarA, passwordA)
	for _, nonsense := range []string{"\x00", "nonsense", "<", strings.Repeat("<a>", 1000), "\xff\xfe<\x00"} {
		c.want(codeSyntaxError, []byte(nonsense))
	}
	c.want(codeOK, checkFrame("a.example"))
}

func TestWrongCertificateIsRefusedInTheHandshake(t *testing.T) {
	var log syncBuffer
	h := newHarness(t, Limits{}, &log)
	stranger := newTestCA(t)
	for name, certs := range map[string][]tls.Certificate{
		"none":           nil,
		"of another CA":  {stranger.issue(t, registrarA, x509.ExtKeyUsageClientAuth)},
		"of a server":    {h.ca.issue(t, registrarA, x509.ExtKeyUsageServerAuth)},
		"of a stranger ": {stranger.issue(t, "stranger", x509.ExtKeyUsageClientAuth)},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := h.tryDial(t, certs...)
			if err != nil {
				return // TLS 1.2, or the refusal came at once
			}
			// With TLS 1.3 the client learns of it when it reads.
			if frame, err := eppxml.ReadFrame(c.conn, eppxml.MaxResponseFrame); err == nil {
				t.Errorf("the server greets: %s", frame)
			}
		})
	}
	h.login(t, registrarA, passwordA)
	h.stop()
	if got := strings.Count(log.String(), "epp handshake refused"); got != 4 {
		t.Errorf("%d refusals in the log, want one for each of 4:\n%s", got, log.String())
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	conn, err := tls.Dial("tcp", h.server.Addr().String(), &tls.Config{
		Certificates: []tls.Certificate{h.certs[registrarA]}, RootCAs: h.ca.pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	})
	if err == nil {
		_ = conn.Close()
		t.Fatal("TLS 1.1 is accepted")
	}
}

// rawDial opens a TCP connection.
func rawDial(t *testing.T, h *harness) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", h.server.Addr().String(), testPatience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testPatience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestGarbageOnThePort(t *testing.T) {
	var log syncBuffer
	h := newHarness(t, Limits{}, &log)
	conn := rawDial(t, h)
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: epp\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if strings.Contains(string(answer), "greeting") {
		t.Errorf("the server answers %q", answer)
	}
	h.login(t, registrarA, passwordA)
	h.stop()
	if got := strings.Count(log.String(), "epp handshake refused"); got != 1 {
		t.Errorf("%d lines in the log, want 1:\n%s", got, log.String())
	}
}

func TestASilentConnectionIsClosed(t *testing.T) {
	h := newHarness(t, shortLimits(), io.Discard)
	conn := rawDial(t, h)
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the server speaks first")
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	}
}

func TestASilentSessionIsToldAndClosed(t *testing.T) {
	h := newHarness(t, Limits{LoginTimeout: 50 * time.Millisecond}, io.Discard)
	c := h.dial(t, registrarA)
	wantFarewell(t, c, "no login came in time")

	h = newHarness(t, Limits{IdleTimeout: 200 * time.Millisecond}, io.Discard)
	c = h.login(t, registrarA, passwordA)
	wantFarewell(t, c, "nothing came in time")
}

func wantFarewell(t *testing.T, c *client, reason string) {
	t.Helper()
	r := c.readResponse()
	if got := strings.Join(r.Results[0].Reasons, " "); r.Code() != codeFailedClosing || !strings.Contains(got, reason) {
		t.Errorf("got %d %q, want %d %q", r.Code(), got, codeFailedClosing, reason)
	}
	c.wantClosed()
}

func TestHelloDoesNotPutOffTheLogin(t *testing.T) {
	h := newHarness(t, Limits{LoginTimeout: 300 * time.Millisecond}, io.Discard)
	c := h.dial(t, registrarA)
	for {
		c.send(eppxml.AppendHello(nil))
		frame := c.read()
		if _, err := eppxml.ParseGreeting(frame); err == nil {
			continue
		}
		r, err := eppxml.ParseResponse(frame)
		if err != nil || r.Code() != codeFailedClosing {
			t.Fatalf("got %s", frame)
		}
		return
	}
}

func TestAFrameThatTricklesInIsCutOff(t *testing.T) {
	h := newHarness(t, Limits{FrameTimeout: 50 * time.Millisecond}, io.Discard)
	for name, part := range map[string][]byte{
		"half a header": {0, 0}, "half a frame": append(binary.BigEndian.AppendUint32(nil, 1000), "<epp"...),
	} {
		t.Run(name, func(t *testing.T) {
			c := h.login(t, registrarA, passwordA)
			if _, err := c.conn.Write(part); err != nil {
				t.Fatal(err)
			}
			wantFarewell(t, c, "nothing came in time")
		})
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	var log syncBuffer
	h := newHarness(t, Limits{Connections: 2}, &log)
	first, second := h.dial(t, registrarA), h.dial(t, registrarA)
	for range 3 {
		conn := rawDial(t, h)
		if _, err := io.ReadAll(conn); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("the third connection is open")
			}
		}
	}
	_ = first.conn.Close()
	eventually(t, "there is room again", func() bool {
		c, err := h.tryDial(t, h.certs[registrarA])
		if err != nil {
			return false
		}
		_, err = eppxml.ReadFrame(c.conn, eppxml.MaxResponseFrame)
		return err == nil
	})
	second.want(codeOK, loginFrame(registrarA, passwordA))
	h.stop()
	if got := strings.Count(log.String(), "over the limit refused"); got != 1 {
		t.Errorf("%d lines in the log, want 1 for the flood", got)
	}
}

func TestPortInUseIsOneClearError(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	cfg := h.server.cfg
	cfg.Addr = h.server.Addr().String()
	second, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = second.Listen(t.Context())
	if err == nil || !strings.Contains(err.Error(), cfg.Addr) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
	second.Close()
	if err := second.Run(t.Context()); err == nil {
		t.Error("it runs without a port")
	}
}

// TestFloodsOfLyingLengthsTakeNoMemory sends headers of 4 GiB on many sessions at once; the
// heap of the server must not follow.
func TestFloodsOfLyingLengthsTakeNoMemory(t *testing.T) {
	h := newHarness(t, Limits{}, io.Discard)
	var clients []*client
	for range 50 {
		clients = append(clients, h.dial(t, registrarA))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, c := range clients {
		if _, err := c.conn.Write([]byte{0xFF, 0xFF, 0xFF, 0xFF, '<', 'e', 'p', 'p'}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range clients {
		if r := c.readResponse(); r.Code() != codeFailedClosing {
			t.Errorf("got %d", r.Code())
		}
		c.wantClosed()
	}
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) / uint64(len(clients)); used > 256<<10 {
		t.Errorf("%d octets allocated for each lying header", used)
	}
}
