package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"cadastre/keystore"
)

// Config is what one node needs to know of itself. Whatever decides behaviour cluster-wide,
// such as the policy of a TLD, is replicated state and not here. File names are relative to
// the folder of the configuration file. Every listen address may be "" to switch the
// service off, except those of Raft and gRPC, without which a node is none.
type Config struct {
	// NodeID names the node in the cluster for ever; its certificate carries the same name.
	NodeID string `toml:"node_id"`
	// DataDir holds the state and the Raft log. One node, one folder, one file system.
	DataDir string `toml:"data_dir"`

	TLS       TLSConfig       `toml:"tls"`
	Raft      RaftConfig      `toml:"raft"`
	GRPC      GRPCConfig      `toml:"grpc"`
	Gossip    GossipConfig    `toml:"gossip"`
	Disk      DiskConfig      `toml:"disk"`
	Seed      SeedConfig      `toml:"seed"`
	Keys      KeysConfig      `toml:"keys"`
	Autopilot AutopilotConfig `toml:"autopilot"`
	EPP       ListenConfig    `toml:"epp"`
	DNS       DNSConfig       `toml:"dns"`
	WHOIS     WHOISConfig     `toml:"whois"`
	RDAP      RDAPConfig      `toml:"rdap"`
	Metrics   ListenConfig    `toml:"metrics"`
	Log       LogConfig       `toml:"log"`
}

// TLSConfig names the PEM files that `cadastre ca node` made. Renewed files are used by the
// next handshake.
type TLSConfig struct {
	CA   string `toml:"ca"`
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
}

// RaftConfig is about the replication of the log.
type RaftConfig struct {
	// Listen is the host:port for the other nodes.
	Listen string `toml:"listen"`
	// Advertise is where they reach this node; needed if Listen has no fixed address.
	Advertise string `toml:"advertise"`
	// Heartbeat is how long a follower waits for its leader before it stands for election.
	Heartbeat Duration `toml:"heartbeat"`
	// Election is how long a candidate waits for votes.
	Election Duration `toml:"election"`
	// Lease is how long a leader goes on without hearing from a majority; at most Heartbeat.
	Lease Duration `toml:"lease"`
	// RetainMB bounds the entries that are kept for lagging nodes, in MiB; 0 means 1024.
	RetainMB uint32 `toml:"retain_mb"`
}

// DiskConfig is about the file system of the data folder.
type DiskConfig struct {
	// LowWaterMB is the free space in MiB below which this node takes no commands as a
	// leader, until there is a quarter more; 0 means 512, or a twentieth of a small file system.
	LowWaterMB uint32 `toml:"low_water_mb"`
}

// SeedConfig is about giving the state to other nodes and fetching it from them.
type SeedConfig struct {
	// SendMBPerSecond bounds what this node sends to all others together, in MiB; 0 means no
	// bound.
	SendMBPerSecond uint32 `toml:"send_mb_per_second"`
	// ReceiveMBPerSecond bounds what this node receives when it joins or has fallen behind.
	ReceiveMBPerSecond uint32 `toml:"receive_mb_per_second"`
}

func (c SeedConfig) sendBytes() int64    { return int64(c.SendMBPerSecond) << 20 }
func (c SeedConfig) receiveBytes() int64 { return int64(c.ReceiveMBPerSecond) << 20 }

// KeysConfig is about the private halves of the keys that zones are signed with. Only voters have them.
type KeysConfig struct {
	// SealFile holds the key under which they are sealed on this node's disk, as `cadastre key new-seal` makes it, best
	// outside the data folder. Empty: the credential cadastre-seal-key, if the service manager gives one, or else the
	// node keeps no keys.
	SealFile string `toml:"seal_file"`
	// PKCS11 is a token in which new keys are made and which they never leave.
	PKCS11 PKCS11Config `toml:"pkcs11"`
}

// PKCS11Config names a token behind PKCS #11, such as a hardware security module. All voters need one with the same keys.
type PKCS11Config struct {
	// Module is the path of the vendor's library; empty: no token.
	Module string `toml:"module"`
	// Token is the label of the token.
	Token string `toml:"token"`
	// PINFile holds the user PIN; nobody but the owner may read it.
	PINFile string `toml:"pin_file"`
}

func (c *PKCS11Config) token() keystore.TokenConfig {
	return keystore.TokenConfig{Module: c.Module, Label: c.Token, PINFile: c.PINFile}
}

func (c *PKCS11Config) validate() error {
	if (c.Module == "") != (c.Token == "") || (c.Module == "") != (c.PINFile == "") {
		return errors.New(`keys "keys.pkcs11.module", "keys.pkcs11.token" and "keys.pkcs11.pin_file" are set together or not at all`)
	}
	return nil
}

// GRPCConfig is about the port for operators and the other nodes.
type GRPCConfig struct {
	Listen string `toml:"listen"`
	// Advertise is where they reach this node; needed if Listen has no fixed address.
	Advertise string `toml:"advertise"`
}

// GossipConfig is about hints between nodes, over UDP and TCP.
type GossipConfig struct {
	Listen    string `toml:"listen"`
	Advertise string `toml:"advertise"`
	// KeyFile holds the cluster's gossip key, as `cadastre ca node` wrote it.
	KeyFile string `toml:"key_file"`
	// Seeds are gossip addresses of other nodes; they need not be up.
	Seeds []string `toml:"seeds"`
}

// AutopilotConfig is about giving votes to nodes that joined.
type AutopilotConfig struct {
	// StableFor is how long a node must have been well before it may vote.
	StableFor Duration `toml:"stable_for"`
	// Interval is how often the leader looks.
	Interval Duration `toml:"interval"`
}

// ListenConfig is a service on one address.
type ListenConfig struct {
	Listen string `toml:"listen"`
}

// DNSConfig is about the authoritative name server.
type DNSConfig struct {
	// Listen has the addresses for UDP and TCP; empty switches the service off.
	Listen []string `toml:"listen"`
	// Workers is the number of UDP sockets per address; 0 means one per processor.
	Workers int `toml:"workers"`
	// ListenTLS has addresses for DNS over TLS, with TLSCert and TLSKey, PEM. Renewed files are used by the next handshake.
	ListenTLS []string `toml:"tls_listen,omitempty"`
	TLSCert   string   `toml:"tls_cert,omitempty"`
	TLSKey    string   `toml:"tls_key,omitempty"`
	// NSID names this server to those who ask (RFC 5001, id.server in class CHAOS), Version its software; "" does not tell.
	NSID    string `toml:"nsid,omitempty"`
	Version string `toml:"version,omitempty"`
	// CookieSecretFile has the secrets of DNS cookies (RFC 9018), 32 hexadecimal digits a line, the one in use first: the
	// same on all servers behind one address. Without it the server makes one of its own at its start.
	CookieSecretFile string          `toml:"cookie_secret_file,omitempty"`
	RateLimit        RateLimitConfig `toml:"rate_limit,omitempty"`
	// Proxies are networks of load balancers that put a header of the PROXY protocol, version 2, before what they pass on; what
	// comes from there without one is dropped.
	Proxies []netip.Prefix `toml:"proxies,omitempty"`
	// TapSocket is where a collector of dnstap listens, a Unix stream socket; "": no copies are made.
	TapSocket string `toml:"dnstap_socket,omitempty"`
	// TSIG has the secrets shared with secondaries, Transfers says who may copy zones, Secondaries who is told of changes.
	TSIG        []TSIGConfig      `toml:"tsig,omitempty"`
	Transfers   []TransferConfig  `toml:"transfer,omitempty"`
	Secondaries []SecondaryConfig `toml:"secondary,omitempty"`
	// MaxTransfers bounds the transfers at a time, and those of one client; 0 means 8 and 4.
	MaxTransfers          int `toml:"max_transfers,omitempty"`
	MaxTransfersPerClient int `toml:"max_transfers_per_client,omitempty"`
}

// LogConfig is about the log, which goes to standard error.
type LogConfig struct {
	// Level is debug, info, warn or error.
	Level string `toml:"level"`
	// Format is text or json.
	Format string `toml:"format"`
}

// Duration is a time span in Go's notation, such as "500ms" or "10s".
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration such as 500ms or 10s", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes a duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// defaultConfig returns the settings that stand for absent keys.
func defaultConfig() Config {
	return Config{
		Raft:    RaftConfig{Listen: ":7946"},
		GRPC:    GRPCConfig{Listen: ":7947"},
		Gossip:  GossipConfig{Listen: "0.0.0.0:7948"},
		EPP:     ListenConfig{Listen: ":700"},
		DNS:     DNSConfig{Listen: []string{"0.0.0.0:53", "[::]:53"}},
		WHOIS:   WHOISConfig{Listen: ":43"},
		Metrics: ListenConfig{Listen: "127.0.0.1:9153"},
		Log:     LogConfig{Level: "info", Format: "text"},
	}
}

// loadConfig reads and checks a configuration file. Its errors name the file and the key.
func loadConfig(path string) (*Config, error) {
	if path == "" {
		return nil, &usageError{"--config FILE is required"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	cfg := defaultConfig()
	if err := decodeStrict(toml.NewDecoder(f), path, &cfg); err != nil {
		return nil, err
	}
	cfg.resolvePaths(filepath.Dir(path))
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &cfg, nil
}

// decodeStrict decodes a document in which every key must be known.
func decodeStrict(decoder *toml.Decoder, name string, into any) error {
	err := decoder.DisallowUnknownFields().Decode(into)
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(strict.Errors) > 0 {
		first := strict.Errors[0]
		line, _ := first.Position()
		return fmt.Errorf("%s:%d: unknown key %q", name, line, strings.Join(first.Key(), "."))
	}
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := bad.Position()
		if key := strings.Join(bad.Key(), "."); key != "" {
			return fmt.Errorf("%s:%d:%d: key %q: %s", name, line, column, key, strings.TrimPrefix(bad.Error(), "toml: "))
		}
		return fmt.Errorf("%s:%d:%d: %s", name, line, column, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (c *Config) resolvePaths(dir string) {
	for _, p := range []*string{&c.DataDir, &c.TLS.CA, &c.TLS.Cert, &c.TLS.Key, &c.Gossip.KeyFile, &c.Keys.SealFile, &c.Keys.PKCS11.Module, &c.Keys.PKCS11.PINFile, &c.RDAP.TLSCert, &c.RDAP.TLSKey} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	c.DNS.resolvePaths(dir)
}

func (c *Config) validate() error {
	for _, required := range []struct{ key, value string }{
		{"node_id", c.NodeID}, {"data_dir", c.DataDir}, {"tls.ca", c.TLS.CA}, {"tls.cert", c.TLS.Cert},
		{"tls.key", c.TLS.Key}, {"raft.listen", c.Raft.Listen}, {"grpc.listen", c.GRPC.Listen},
	} {
		if required.value == "" {
			return fmt.Errorf("key %q is required", required.key)
		}
	}
	if c.Gossip.Listen != "" && c.Gossip.KeyFile == "" {
		return errors.New(`key "gossip.key_file" is required while "gossip.listen" is set`)
	}
	if err := c.Keys.PKCS11.validate(); err != nil {
		return err
	}
	for _, a := range c.addresses() {
		if a.address == "" {
			continue
		}
		if _, port, err := net.SplitHostPort(a.address); err != nil || port == "" {
			return fmt.Errorf("key %q: %q is not host:port", a.key, a.address)
		}
	}
	for _, a := range []addressKey{{"raft.advertise", c.advertisedRaft()}, {"grpc.advertise", c.advertisedGRPC()}} {
		host, _, _ := net.SplitHostPort(a.address) // checked above
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			return fmt.Errorf("key %q is required: %q is no address at which other nodes could reach this one", a.key, a.address)
		}
	}
	if err := errors.Join(c.DNS.validate(), c.RDAP.validate()); err != nil {
		return err
	}
	if _, err := c.Log.level(); err != nil {
		return err
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		return fmt.Errorf(`key "log.format": %q is neither text nor json`, c.Log.Format)
	}
	return c.validateTimeouts()
}

func (c *Config) validateTimeouts() error {
	r := c.Raft
	if r.Election != 0 && r.Election < r.Heartbeat {
		return errors.New(`key "raft.election" must not be below "raft.heartbeat"`)
	}
	if r.Lease != 0 && r.Heartbeat != 0 && r.Lease > r.Heartbeat {
		return errors.New(`key "raft.lease" must not be above "raft.heartbeat"`)
	}
	return nil
}

// addressKey is an address with the key that it comes from.
type addressKey struct{ key, address string }

func (c *Config) addresses() []addressKey {
	list := []addressKey{
		{"raft.listen", c.Raft.Listen}, {"raft.advertise", c.Raft.Advertise},
		{"grpc.listen", c.GRPC.Listen}, {"grpc.advertise", c.GRPC.Advertise},
		{"gossip.listen", c.Gossip.Listen}, {"gossip.advertise", c.Gossip.Advertise},
		{"epp.listen", c.EPP.Listen}, {"whois.listen", c.WHOIS.Listen}, {"rdap.listen", c.RDAP.Listen}, {"rdap.redirect_listen", c.RDAP.RedirectListen}, {"metrics.listen", c.Metrics.Listen},
	}
	for _, address := range c.DNS.Listen {
		list = append(list, addressKey{"dns.listen", address})
	}
	for _, address := range c.DNS.ListenTLS {
		list = append(list, addressKey{"dns.tls_listen", address})
	}
	for _, seed := range c.Gossip.Seeds {
		list = append(list, addressKey{"gossip.seeds", seed})
	}
	return list
}

func (c *Config) advertisedRaft() string { return firstNonEmpty(c.Raft.Advertise, c.Raft.Listen) }
func (c *Config) advertisedGRPC() string { return firstNonEmpty(c.GRPC.Advertise, c.GRPC.Listen) }

// storeDir and raftDir lie in one folder, because received states are renamed into place.
func (c *Config) storeDir() string    { return filepath.Join(c.DataDir, "store") }
func (c *Config) raftDir() string     { return filepath.Join(c.DataDir, "raft") }
func (c *Config) keysDir() string     { return filepath.Join(c.DataDir, "keys") }
func (c *Config) removedFile() string { return filepath.Join(c.DataDir, "REMOVED") }

func (l *LogConfig) level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return 0, fmt.Errorf(`key "log.level": %q is none of debug, info, warn and error`, l.Level)
	}
	return level, nil
}

func firstNonEmpty(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
