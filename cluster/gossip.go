package cluster

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	// maxGossipKeys bounds a key file: the one in use and those being rotated in and out.
	maxGossipKeys = 4
	// maxGossipKeyFileBytes bounds reading it.
	maxGossipKeyFileBytes = 4 << 10
	// hintInterval is how often the applied index in our hint is renewed, if it changed.
	hintInterval = 5 * time.Second
	// seedInterval is how often the static peers are tried again while we see nobody.
	seedInterval = 5 * time.Second
	// leaveTimeout bounds telling the others that we stop.
	leaveTimeout = time.Second
	// gossipTCPTimeout bounds one exchange of full states.
	gossipTCPTimeout = 10 * time.Second
)

// Hint is what gossip says about a node. Nothing is ever decided by it.
type Hint struct {
	NodeID      string
	State       string // "alive", "suspect", "dead", "left"
	Role        string // "voter" or "replica", as the node believes
	RaftAddress string
	GRPCAddress string
	EPPAddress  string
	DNSAddress  string
	// AppliedIndex is a few seconds old.
	AppliedIndex uint64
}

// hintMeta is the form in which a node spreads its hint: at most memberlist.MetaMaxSize
// (512) octets.
type hintMeta struct {
	Role    string `json:"r,omitempty"`
	Raft    string `json:"ra,omitempty"`
	GRPC    string `json:"ga,omitempty"`
	EPP     string `json:"ea,omitempty"`
	DNS     string `json:"da,omitempty"`
	Applied uint64 `json:"ai,omitempty"`
}

// GossipConfig says how a node gossips.
type GossipConfig struct {
	NodeID    string
	ClusterID string // the label: packets of other clusters are dropped
	// Keys are AES keys of 16, 24 or 32 octets. The first encrypts, all decrypt.
	Keys [][]byte
	// KeyFile is where the keys are kept when they change; empty: nowhere.
	KeyFile string
	// Bind is the host:port of UDP and TCP; Advertise, if not empty, is what others are told.
	Bind      string
	Advertise string
	// Seeds are gossip addresses of other nodes; they need not be up.
	Seeds []string
	// Self is our hint; NodeID, State and AppliedIndex in it are ignored.
	Self Hint
	// AppliedIndex returns how far this node is.
	AppliedIndex func() uint64
	Log          *slog.Logger
}

// Gossip finds the other nodes and spreads hints.
type Gossip struct {
	cfg     GossipConfig
	options *memberlist.Config
	keysMu  sync.Mutex // orders changes of the keys and their file
	meta    atomic.Pointer[[]byte]
	list    atomic.Pointer[memberlist.Memberlist] // nil unless Run is running
}

// LoadGossipKeys reads a gossip.key file: one base64 key a line, the first one encrypts.
func LoadGossipKeys(path string) ([][]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load gossip keys: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	var keys [][]byte
	lines := bufio.NewScanner(io.LimitReader(f, maxGossipKeyFileBytes))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || memberlist.ValidateKey(key) != nil {
			return nil, fmt.Errorf("load gossip keys: %s: key %d is not base64 of 16, 24 or 32 octets", path, len(keys)+1)
		}
		keys = append(keys, key)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("load gossip keys: %s: %w", path, err)
	}
	if len(keys) == 0 || len(keys) > maxGossipKeys {
		return nil, fmt.Errorf("load gossip keys: %s: %d keys, want 1 to %d", path, len(keys), maxGossipKeys)
	}
	return keys, nil
}

// NewGossip checks the configuration; Run starts it.
func NewGossip(cfg GossipConfig) (*Gossip, error) {
	if len(cfg.Keys) == 0 {
		return nil, errors.New("gossip: no key")
	}
	g := &Gossip{cfg: cfg}
	meta, err := g.encodeMeta()
	if err != nil {
		return nil, err
	}
	g.meta.Store(&meta)
	g.options, err = g.memberlistConfig()
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (g *Gossip) memberlistConfig() (*memberlist.Config, error) {
	c := memberlist.DefaultWANConfig()
	// Nodes may be continents apart; but a few dozen of them can afford to probe more often
	// than the defaults for thousands.
	c.ProbeInterval, c.ProbeTimeout = 2*time.Second, time.Second
	c.GossipInterval, c.PushPullInterval = 300*time.Millisecond, 30*time.Second
	c.TCPTimeout = gossipTCPTimeout
	c.Name, c.Label = g.cfg.NodeID, g.cfg.ClusterID
	c.GossipVerifyIncoming, c.GossipVerifyOutgoing = true, true
	// A node that comes back on another address takes its name over after this time.
	c.DeadNodeReclaimTime = 30 * time.Second
	keyring, err := memberlist.NewKeyring(g.cfg.Keys, g.cfg.Keys[0])
	if err != nil {
		return nil, fmt.Errorf("gossip: make keyring: %w", err)
	}
	c.Keyring = keyring
	if c.BindAddr, c.BindPort, err = splitAddress(g.cfg.Bind); err != nil {
		return nil, fmt.Errorf("gossip: bind address: %w", err)
	}
	c.AdvertisePort = c.BindPort
	if g.cfg.Advertise != "" {
		if c.AdvertiseAddr, c.AdvertisePort, err = splitAddress(g.cfg.Advertise); err != nil {
			return nil, fmt.Errorf("gossip: advertised address: %w", err)
		}
	}
	c.Delegate = g
	c.Logger = log.New(&slogWriter{g.cfg.Log}, "", 0)
	return c, nil
}

func splitAddress(address string) (string, int, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%q: want host:port", address)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q: the port is not a number below 65536", address)
	}
	return host, int(n), nil
}

func (g *Gossip) encodeMeta() ([]byte, error) {
	self := g.cfg.Self
	meta, err := json.Marshal(hintMeta{
		Role: self.Role, Raft: self.RaftAddress, GRPC: self.GRPCAddress,
		EPP: self.EPPAddress, DNS: self.DNSAddress, Applied: g.cfg.AppliedIndex(),
	})
	if err != nil {
		return nil, fmt.Errorf("gossip: encode hint: %w", err)
	}
	if len(meta) > memberlist.MetaMaxSize {
		return nil, fmt.Errorf("gossip: the addresses of this node are too long together: %d octets, at most %d",
			len(meta), memberlist.MetaMaxSize)
	}
	return meta, nil
}

// Run gossips until ctx ends, then tells the others and stops.
func (g *Gossip) Run(ctx context.Context) error {
	list, err := memberlist.Create(g.options)
	if err != nil {
		return fmt.Errorf("gossip: listen on %s: %w", g.cfg.Bind, err)
	}
	g.list.Store(list)
	g.loop(ctx, list)
	g.list.Store(nil)
	if err := list.Leave(leaveTimeout); err != nil {
		g.cfg.Log.Debug("gossip: leaving was not confirmed", "error", err)
	}
	if err := list.Shutdown(); err != nil {
		return fmt.Errorf("gossip: stop: %w", err)
	}
	return nil
}

func (g *Gossip) loop(ctx context.Context, list *memberlist.Memberlist) {
	g.seed(list)
	seeds, hints := time.NewTicker(seedInterval), time.NewTicker(hintInterval)
	defer seeds.Stop()
	defer hints.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-seeds.C:
			g.seed(list)
		case <-hints.C:
			g.renew(list)
		}
	}
}

// seed contacts the static peers while we see nobody else.
func (g *Gossip) seed(list *memberlist.Memberlist) {
	if len(g.cfg.Seeds) == 0 || list.NumMembers() > 1 {
		return
	}
	if n, err := list.Join(g.cfg.Seeds); n == 0 {
		g.cfg.Log.Debug("gossip: no seed answers yet", "error", err)
	}
}

// renew spreads our hint again if the applied index moved.
func (g *Gossip) renew(list *memberlist.Memberlist) {
	meta, err := g.encodeMeta()
	if err != nil || bytes.Equal(meta, *g.meta.Load()) {
		return // too long can only be by a few digits; the older hint stays
	}
	g.meta.Store(&meta)
	if err := list.UpdateNode(leaveTimeout); err != nil {
		g.cfg.Log.Debug("gossip: hint not spread yet", "error", err)
	}
}

// Peers returns the hints about all nodes heard of, our own included, by node id. It is
// empty while Run is not running.
func (g *Gossip) Peers() []Hint {
	list := g.list.Load()
	if list == nil {
		return nil
	}
	var hints []Hint
	for _, node := range list.Members() {
		h := Hint{NodeID: node.Name, State: nodeState(node.State)}
		var meta hintMeta
		if err := json.Unmarshal(node.Meta, &meta); err == nil {
			h.Role, h.RaftAddress, h.GRPCAddress = meta.Role, meta.Raft, meta.GRPC
			h.EPPAddress, h.DNSAddress, h.AppliedIndex = meta.EPP, meta.DNS, meta.Applied
		}
		hints = append(hints, h)
	}
	slices.SortFunc(hints, func(a, b Hint) int { return strings.Compare(a.NodeID, b.NodeID) })
	return hints
}

func nodeState(state memberlist.NodeStateType) string {
	switch state {
	case memberlist.StateAlive:
		return "alive"
	case memberlist.StateSuspect:
		return "suspect"
	case memberlist.StateLeft:
		return "left"
	default:
		return "dead"
	}
}

// NodeMeta implements memberlist.Delegate.
func (g *Gossip) NodeMeta(limit int) []byte {
	if meta := *g.meta.Load(); len(meta) <= limit {
		return meta
	}
	return nil
}

// NotifyMsg implements memberlist.Delegate; there are no messages of ours.
func (g *Gossip) NotifyMsg([]byte) {}

// GetBroadcasts implements memberlist.Delegate; there are none.
func (g *Gossip) GetBroadcasts(_, _ int) [][]byte { return nil }

// LocalState implements memberlist.Delegate; there is none.
func (g *Gossip) LocalState(bool) []byte { return nil }

// MergeRemoteState implements memberlist.Delegate; there is none.
func (g *Gossip) MergeRemoteState([]byte, bool) {}

// slogWriter passes memberlist's lines on, by the level that they begin with.
type slogWriter struct{ log *slog.Logger }

func (w *slogWriter) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level := slog.LevelInfo
	for prefix, l := range map[string]slog.Level{
		"[DEBUG]": slog.LevelDebug, "[INFO]": slog.LevelDebug, "[WARN]": slog.LevelWarn, "[ERR]": slog.LevelWarn,
	} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			text, level = strings.TrimPrefix(strings.TrimSpace(rest), "memberlist: "), l
		}
	}
	w.log.Log(context.Background(), level, "gossip", "message", text)
	return len(line), nil
}
