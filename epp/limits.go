package epp

import (
	"errors"
	"time"
)

// Limits bounds what clients can take from the server. A zero field stands for its default.
type Limits struct {
	// Connections bounds open connections, those in the TLS handshake included.
	Connections int
	// ConnectionsPerAddress bounds those of one IPv4 address or IPv6 /64. It does not apply
	// to loopback.
	ConnectionsPerAddress int
	// SessionsPerRegistrar bounds the logged-in sessions of one registrar on this node.
	SessionsPerRegistrar int
	// PasswordChecks bounds the password hashes computed at the same time.
	PasswordChecks int
	// CommandsPerSession ends a session that has sent so many frames.
	CommandsPerSession int
	// QueryRate and TransformRate bound the commands a second of one registrar on this node
	// where its record says nothing. They do not apply to loopback.
	QueryRate     int
	TransformRate int
	// FrameBytes bounds a request without its length header; at most eppxml.MaxFrame.
	FrameBytes int

	// HandshakeTimeout bounds the TLS handshake.
	HandshakeTimeout time.Duration
	// LoginTimeout bounds the time from the greeting to a successful login.
	LoginTimeout time.Duration
	// IdleTimeout ends a session from which nothing comes.
	IdleTimeout time.Duration
	// FrameTimeout bounds the arrival of a frame after its first byte.
	FrameTimeout time.Duration
	// WriteTimeout bounds the sending of one response.
	WriteTimeout time.Duration
	// CommandTimeout bounds the work on one command.
	CommandTimeout time.Duration
	// DrainTimeout bounds how long commands may go on when the server stops.
	DrainTimeout time.Duration
}

const (
	defaultConnections           = 5000 // at some 60 KiB each well below half a gigabyte
	defaultConnectionsPerAddress = 200  // registrars run a few dozen sessions from one gateway
	defaultSessionsPerRegistrar  = 1000 // a fifth of the node: one registrar cannot lock the others out
	defaultPasswordChecks        = 2    // 19 MiB and a busy core for tens of milliseconds each
	defaultCommandsPerSession    = 1_000_000
	defaultFrameBytes            = 64 << 10 // what the codec decodes at most

	defaultHandshakeTimeout = 10 * time.Second // three round trips around the globe take one
	defaultLoginTimeout     = time.Minute
	defaultIdleTimeout      = 10 * time.Minute // registrars keep sessions alive with a hello every few minutes
	defaultFrameTimeout     = 15 * time.Second // a frame is a few packets; only a stalling client needs longer
	defaultWriteTimeout     = 15 * time.Second
	defaultCommandTimeout   = 45 * time.Second // above the 30 seconds for which a command waits for a leader
	defaultDrainTimeout     = 10 * time.Second

	// maxLogins is how many failed logins a session may have; the last one ends it (2501).
	maxLogins = 3
	// maxChecked bounds the objects of one check: each is a few reads of the state.
	maxChecked = 100
	// maxCheckedVariants bounds the variants of a name that a check looks at, as a create does.
	maxCheckedVariants = 256
	// maxSubordinateHosts bounds the hosts of an info answer, which stays below a megabyte.
	maxSubordinateHosts = 3000
	// acceptPause lets descriptors come free when there are none left.
	acceptPause = 50 * time.Millisecond
	// refusalLogEvery keeps a flood of refused connections from flooding the log.
	refusalLogEvery = 10 * time.Second
)

func (l Limits) withDefaults() (Limits, error) {
	counts := []struct {
		field    *int
		fallback int
	}{
		{&l.Connections, defaultConnections},
		{&l.ConnectionsPerAddress, defaultConnectionsPerAddress},
		{&l.SessionsPerRegistrar, defaultSessionsPerRegistrar},
		{&l.PasswordChecks, defaultPasswordChecks},
		{&l.CommandsPerSession, defaultCommandsPerSession},
		{&l.FrameBytes, defaultFrameBytes},
		{&l.QueryRate, defaultQueryRate},
		{&l.TransformRate, defaultTransformRate},
	}
	for _, c := range counts {
		if *c.field < 0 {
			return l, errors.New("epp: a limit is negative")
		}
		if *c.field == 0 {
			*c.field = c.fallback
		}
	}
	l.FrameBytes = min(l.FrameBytes, defaultFrameBytes)
	times := []struct {
		field    *time.Duration
		fallback time.Duration
	}{
		{&l.HandshakeTimeout, defaultHandshakeTimeout},
		{&l.LoginTimeout, defaultLoginTimeout},
		{&l.IdleTimeout, defaultIdleTimeout},
		{&l.FrameTimeout, defaultFrameTimeout},
		{&l.WriteTimeout, defaultWriteTimeout},
		{&l.CommandTimeout, defaultCommandTimeout},
		{&l.DrainTimeout, defaultDrainTimeout},
	}
	for _, t := range times {
		if *t.field < 0 {
			return l, errors.New("epp: a time limit is negative")
		}
		if *t.field == 0 {
			*t.field = t.fallback
		}
	}
	return l, nil
}
