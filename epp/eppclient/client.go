// Package eppclient is a small EPP client over TLS (RFC 5734), for the command line, the
// benchmarks and the tests: one connection, one command at a time.
package eppclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"

	"cadastre/epp/eppxml"
)

// Config says where to connect and as whom.
type Config struct {
	Address string // host:port
	TLS     *tls.Config
	// Timeout bounds connecting and each command; the zero value means no bound but ctx's.
	Timeout time.Duration
}

// Client is one EPP connection. It must not be used by several goroutines at once.
type Client struct {
	conn    net.Conn
	timeout time.Duration
	// Greeting is what the server said first.
	Greeting *eppxml.Greeting
}

// LoadTLS reads the client's certificate and key and the certificate authority of the
// server from PEM files.
func LoadTLS(caFile, certFile, keyFile string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("load the client certificate: %w", err)
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("load the certificate authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("load the certificate authority: %s holds no certificate", caFile)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// Dial connects and reads the greeting.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	if cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cfg.Timeout)
		defer cancel()
	}
	dialer := &tls.Dialer{Config: cfg.TLS}
	conn, err := dialer.DialContext(ctx, "tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to the EPP server at %s: %w", cfg.Address, err)
	}
	c := &Client{conn: conn, timeout: cfg.Timeout}
	err = c.within(ctx, func() error {
		frame, err := c.read()
		if err == nil {
			c.Greeting, err = eppxml.ParseGreeting(frame)
		}
		return err
	})
	if err != nil {
		_ = conn.Close() // the error before it counts
		return nil, fmt.Errorf("read the greeting of %s: %w", cfg.Address, err)
	}
	return c, nil
}

// Close closes the connection without a logout.
func (c *Client) Close() error { return c.conn.Close() }

// within runs an exchange under the time limit and ends it with ctx, after which the
// connection is of no more use.
func (c *Client) within(ctx context.Context, exchange func() error) error {
	var deadline time.Time
	if c.timeout > 0 {
		deadline = time.Now().Add(c.timeout)
	}
	if err := c.conn.SetDeadline(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	err := exchange()
	if !stop() && err != nil {
		err = context.Cause(ctx)
	}
	return err
}

func (c *Client) read() ([]byte, error) { return eppxml.ReadFrame(c.conn, eppxml.MaxResponseFrame) }

// Exchange sends a frame and returns the answer to it, both without the length header.
// After an error, the end of ctx included, the connection must be closed.
func (c *Client) Exchange(ctx context.Context, frame []byte) (answer []byte, err error) {
	err = c.within(ctx, func() error {
		if err := eppxml.WriteFrame(c.conn, frame); err != nil {
			return fmt.Errorf("send the command: %w", err)
		}
		if answer, err = c.read(); err != nil {
			return fmt.Errorf("wait for the answer: %w", err)
		}
		return nil
	})
	return answer, err
}

// Do sends a command and returns the parsed answer. A refusal is an answer, not an error.
func (c *Client) Do(ctx context.Context, body eppxml.Body, clTRID string) (*eppxml.ParsedResponse, error) {
	answer, err := c.Exchange(ctx, eppxml.AppendCommand(nil, &eppxml.Command{Body: body, ClTRID: clTRID}))
	if err != nil {
		return nil, err
	}
	response, err := eppxml.ParseResponse(answer)
	if err != nil {
		return nil, fmt.Errorf("understand the answer: %w", err)
	}
	return response, nil
}

// Must is Do that makes a refusal an error.
func (c *Client) Must(ctx context.Context, body eppxml.Body, clTRID string) (*eppxml.ParsedResponse, error) {
	response, err := c.Do(ctx, body, clTRID)
	if err != nil {
		return nil, err
	}
	if !response.OK() {
		return nil, &RefusedError{Command: string(body.Verb()), Response: response}
	}
	return response, nil
}

// Login opens a session for every object and extension that the server offers.
func (c *Client) Login(ctx context.Context, id, password string) error {
	response, err := c.Do(ctx, &eppxml.Login{
		ClID: id, Password: password, Version: "1.0", Lang: "en", ObjURIs: c.Greeting.ObjURIs, ExtURIs: c.Greeting.ExtURIs,
	}, "login")
	if err != nil {
		return err
	}
	if !response.OK() {
		return &RefusedError{Command: "login as " + id, Response: response}
	}
	return nil
}

// RefusedError is returned when the server refused a command.
type RefusedError struct {
	Command  string
	Response *eppxml.ParsedResponse
}

// Error names the command, the code and the server's reasons.
func (e *RefusedError) Error() string {
	result := e.Response.Results[0]
	text := fmt.Sprintf("the server refused %s: %d %s", e.Command, result.Code, result.Msg)
	for _, reason := range result.Reasons {
		text += ": " + reason
	}
	return text
}
