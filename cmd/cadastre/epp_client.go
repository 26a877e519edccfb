package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"cadastre/cluster"
	"cadastre/epp/eppxml"
)

const (
	eppDialTimeout = 10 * time.Second
	// eppAnswerTimeout covers an election while a command is under way.
	eppAnswerTimeout = 60 * time.Second
)

// eppClient is a session with an EPP server.
type eppClient struct {
	conn     *tls.Conn
	greeting *eppxml.Greeting
	// rawGreeting is the greeting as it came.
	rawGreeting []byte
}

// dialEPP connects and reads the greeting (RFC 5734 section 2).
func dialEPP(ctx context.Context, address string, paths cluster.Paths) (*eppClient, error) {
	config, err := eppTLS(address, paths)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, eppDialTimeout)
	defer cancel()
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to the EPP server at %s: %w", address, err)
	}
	c := &eppClient{conn: conn.(*tls.Conn)} // a tls.Dialer makes nothing else
	if err := c.readGreeting(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func eppTLS(address string, paths cluster.Paths) (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(paths.Certificate, paths.Key)
	if err != nil {
		return nil, fmt.Errorf("load the client certificate: %w", err)
	}
	caPEM, err := os.ReadFile(paths.CA)
	if err != nil {
		return nil, fmt.Errorf("load the CA certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caPEM) {
		return nil, fmt.Errorf("load the CA certificate: %s holds none", paths.CA)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not host:port", address)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{certificate}, RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12,
	}, nil
}

func (c *eppClient) readGreeting() error {
	frame, err := c.read()
	if err != nil {
		return fmt.Errorf("read the greeting: %w", err)
	}
	c.rawGreeting = frame
	if c.greeting, err = eppxml.ParseGreeting(frame); err != nil {
		return fmt.Errorf("read the greeting: %w", err)
	}
	return nil
}

func (c *eppClient) read() ([]byte, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(eppAnswerTimeout)); err != nil {
		return nil, err
	}
	return eppxml.ReadFrame(c.conn, eppxml.MaxResponseFrame)
}

// exchange sends a frame and returns the answer.
func (c *eppClient) exchange(ctx context.Context, frame []byte) ([]byte, error) {
	defer context.AfterFunc(ctx, func() { _ = c.conn.Close() })() // ends the wait
	if err := c.conn.SetWriteDeadline(time.Now().Add(eppDialTimeout)); err != nil {
		return nil, err
	}
	if err := eppxml.WriteFrame(c.conn, frame); err != nil {
		return nil, fmt.Errorf("send the command: %w", err)
	}
	answer, err := c.read()
	if err != nil {
		return nil, fmt.Errorf("wait for the answer: %w", err)
	}
	return answer, nil
}

// command sends a command and returns the parsed answer, with the frame that it came in.
func (c *eppClient) command(ctx context.Context, body eppxml.Body) (*eppxml.ParsedResponse, []byte, error) {
	frame, err := c.exchange(ctx, eppxml.AppendCommand(nil, &eppxml.Command{Body: body, ClTRID: newClTRID()}))
	if err != nil {
		return nil, nil, err
	}
	response, err := eppxml.ParseResponse(frame)
	if err != nil {
		return nil, frame, fmt.Errorf("understand the answer: %w", err)
	}
	return response, frame, nil
}

// login opens the session with everything that the server offers.
func (c *eppClient) login(ctx context.Context, id, password string) error {
	response, _, err := c.command(ctx, &eppxml.Login{
		ClID: id, Password: password, Version: "1.0", Lang: "en", ObjURIs: c.greeting.ObjURIs, ExtURIs: c.greeting.ExtURIs,
	})
	if err != nil {
		return err
	}
	if !response.OK() {
		return fmt.Errorf("login as %s: %w", id, responseError(response))
	}
	return nil
}

func (c *eppClient) close() { _ = c.conn.Close() } // the server notices

// responseError turns a refusal into an error, nil for a success.
func responseError(r *eppxml.ParsedResponse) error {
	if r.OK() {
		return nil
	}
	result := r.Results[0]
	text := fmt.Sprintf("%d %s", result.Code, result.Msg)
	for _, reason := range result.Reasons {
		text += ": " + reason
	}
	return errors.New(text)
}

// newClTRID returns a client transaction identifier.
func newClTRID() string { return "CLI-" + newROIDPart() }
