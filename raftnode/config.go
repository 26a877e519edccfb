package raftnode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/store"
)

// Defaults and bounds.
const (
	defaultHeartbeat   = time.Second
	defaultElection    = time.Second
	defaultLeaderLease = 500 * time.Millisecond
	// A follower learns of a commit with the next message; 10 ms keeps reads on followers
	// fast at the price of a hundred small messages a second and peer on an idle cluster.
	defaultCommit = 10 * time.Millisecond
	// A snapshot only flushes and truncates, so a small threshold keeps each truncation
	// of the log, which stalls appends, short.
	defaultSnapshotThresholdEntries = 16384
	// What a replica may miss and still catch up from the log.
	defaultTrailingEntries = 100_000
	// raft's own hard maximum; measured fifteen against eleven thousand entries a second.
	maxAppendEntries = 1024
	// How often raft looks whether the threshold is passed (between one and two times this).
	snapshotInterval = 15 * time.Second
	// maxNodeIDOctets keeps ids fit for logs and certificates.
	maxNodeIDOctets = 64
)

// Timeouts of the consensus protocol. Zero values take the defaults.
type Timeouts struct {
	// Heartbeat is how long a follower waits for its leader before it stands for
	// election; default 1 s. It must exceed the slowest fsync plus apply.
	Heartbeat time.Duration
	// Election is how long a candidate waits for votes; at least Heartbeat; default 1 s.
	Election time.Duration
	// LeaderLease is how long a leader goes on without hearing from a majority; at most
	// Heartbeat; default 500 ms.
	LeaderLease time.Duration
	// Commit is how long a leader waits before it tells followers of commits when there
	// are no new entries; default 10 ms.
	Commit time.Duration
}

// StateMachine applies committed entries; *fsm.Machine is the one of the program. Apply
// panics with an error value when it cannot go on.
type StateMachine interface {
	Apply(entries []fsm.Entry) ([][]*fsmpb.Result, fsm.Effects)
}

// Config holds what a node needs. Fields without a default are required.
type Config struct {
	// NodeID names this node in the cluster for ever; it is the name that its certificate
	// carries. Letters, digits, hyphen, underscore and full stop, up to 64 octets.
	NodeID string
	// Dir holds the log and checkpoints in transit. It must lie on the file system of the
	// store, because a received checkpoint is renamed into place.
	Dir string
	// BindAddress is the host:port to listen on.
	BindAddress string
	// AdvertiseAddress is the host:port where peers reach this node; default: the address
	// that the listener got.
	AdvertiseAddress string

	// ServerTLS must demand and verify a client certificate of this cluster's CA with a
	// node's role.
	ServerTLS *tls.Config
	// CheckPeer is asked about each inbound connection before a byte of it is decoded, and
	// again while it stands; an error closes it. nil admits whom ServerTLS admits.
	CheckPeer func(tls.ConnectionState) error
	// ClientTLS returns the configuration to dial a node with. The handshake made with it
	// must fail unless the peer's certificate is of this cluster and names peerNodeID.
	ClientTLS func(peerNodeID string) *tls.Config
	// ConfirmTerm asks the node named whether its current term is term and whether it
	// follows this node: it leads to AnswerConfirmTerm there. It must honour ctx.
	ConfirmTerm func(ctx context.Context, nodeID string, term uint64) error

	// Fetch fetches checkpoints from other nodes. With it this node also gives peers that are
	// behind its log a reference to a checkpoint; without it they are sent a stream.
	Fetch FetchFunc

	Store   *store.Store
	Machine StateMachine

	Timeouts Timeouts
	// SnapshotThresholdEntries is how many new entries cause a flush and a truncation.
	SnapshotThresholdEntries uint64
	// TrailingEntries is how many entries a truncation leaves for lagging peers.
	TrailingEntries uint64
	// RetainBytes bounds the log in octets: above it entries are truncated though they are
	// within TrailingEntries; default 1 GiB.
	RetainBytes uint64
	// LowWaterBytes is the free space on the file system of Dir below which this node takes
	// no commands as a leader, until there is a quarter more; default 512 MiB, or a
	// twentieth of a smaller file system but at least 64 MiB.
	LowWaterBytes uint64

	// Now stamps entries that this node proposes; default time.Now.
	Now func() time.Time

	Logger *slog.Logger
	// Fatal is called once if the node can no longer be trusted: a storage error, a hung
	// disk, a state that cannot be applied to. The process must exit; Run also returns
	// the error. Fatal must not wait for Run.
	Fatal func(error)
}

// withDefaults returns a validated copy with the defaults filled in.
func (c Config) withDefaults() (Config, error) {
	setDefault(&c.Timeouts.Heartbeat, defaultHeartbeat)
	setDefault(&c.Timeouts.Election, max(defaultElection, c.Timeouts.Heartbeat))
	setDefault(&c.Timeouts.LeaderLease, min(defaultLeaderLease, c.Timeouts.Heartbeat))
	setDefault(&c.Timeouts.Commit, defaultCommit)
	setDefault(&c.SnapshotThresholdEntries, defaultSnapshotThresholdEntries)
	setDefault(&c.TrailingEntries, defaultTrailingEntries)
	setDefault(&c.RetainBytes, defaultRetainBytes)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, c.validate()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c *Config) validate() error {
	if err := checkNodeID(c.NodeID); err != nil {
		return err
	}
	switch {
	case c.Dir == "":
		return errors.New("raft: the data folder is not set")
	case c.Store == nil || c.Machine == nil:
		return errors.New("raft: the store and the state machine are required")
	case c.ServerTLS == nil || c.ClientTLS == nil:
		return errors.New("raft: TLS for both directions is required")
	case c.ServerTLS.GetConfigForClient == nil && c.ServerTLS.ClientAuth != tls.RequireAndVerifyClientCert:
		return errors.New("raft: the server's TLS must require and verify client certificates")
	case c.ConfirmTerm == nil:
		return errors.New("raft: a way to confirm terms with other voters is required")
	case c.Fatal == nil:
		return errors.New("raft: a handler for fatal errors is required")
	}
	if _, _, err := net.SplitHostPort(c.BindAddress); err != nil {
		return fmt.Errorf("raft: bind address %q: %w", c.BindAddress, err)
	}
	if c.AdvertiseAddress != "" {
		if _, _, err := net.SplitHostPort(c.AdvertiseAddress); err != nil {
			return fmt.Errorf("raft: advertise address %q: %w", c.AdvertiseAddress, err)
		}
	}
	if err := raft.ValidateConfig(c.raftConfig(nil)); err != nil {
		return fmt.Errorf("raft: timeouts: %w", err)
	}
	return nil
}

func checkNodeID(id string) error {
	if id == "" || len(id) > maxNodeIDOctets {
		return fmt.Errorf("raft: node id %q must have 1 to %d octets", id, maxNodeIDOctets)
	}
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	if strings.Trim(id, allowed) != "" {
		return fmt.Errorf("raft: node id %q may hold letters, digits, hyphen, underscore and full stop only", id)
	}
	return nil
}

func (c *Config) raftConfig(logger *logBridge) *raft.Config {
	rc := raft.DefaultConfig()
	rc.LocalID = raft.ServerID(c.NodeID)
	rc.HeartbeatTimeout = c.Timeouts.Heartbeat
	rc.ElectionTimeout = c.Timeouts.Election
	rc.LeaderLeaseTimeout = c.Timeouts.LeaderLease
	rc.CommitTimeout = c.Timeouts.Commit
	rc.MaxAppendEntries = maxAppendEntries
	rc.BatchApplyCh = true
	rc.SnapshotInterval = snapshotInterval
	rc.SnapshotThreshold = c.SnapshotThresholdEntries
	rc.TrailingLogs = c.TrailingEntries
	// The state on disk is the snapshot; there is nothing to restore at start.
	rc.NoSnapshotRestoreOnStart = true
	rc.NoLegacyTelemetry = true
	// A leader that removes itself becomes a follower outside the configuration; what to
	// do then is for the caller to decide, who sees it in Status.
	rc.ShutdownOnRemove = false
	if logger != nil {
		rc.Logger = logger.hclog("raft")
	}
	return rc
}

// Folders and files inside Config.Dir.
func (c *Config) logPath() string     { return filepath.Join(c.Dir, "raft.db") }
func (c *Config) incomingDir() string { return filepath.Join(c.Dir, "incoming") }
func (c *Config) fetchedDir() string  { return filepath.Join(c.Dir, "fetched") }
func (c *Config) outgoingDir() string { return filepath.Join(c.Dir, "outgoing") }
