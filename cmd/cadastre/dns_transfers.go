package main

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"cadastre/dnsedge"
	"cadastre/store"
)

// maxSecretFileOctets bounds the file of a TSIG secret; the longest that makes sense takes a tenth of it.
const maxSecretFileOctets = 4096

// TSIGConfig is a secret shared with secondaries (RFC 8945). It belongs to the node rather than to the replicated state,
// so that secrets are in no log and no backup; nodes that serve the same secondary get the same file.
type TSIGConfig struct {
	Name string `toml:"name"`
	// Algorithm is hmac-sha256, which is the default, hmac-sha384 or hmac-sha512.
	Algorithm string `toml:"algorithm"`
	// SecretFile holds the secret in base64, as `openssl rand -base64 32` writes it.
	SecretFile string `toml:"secret_file"`
}

// TransferConfig admits zone transfers; without any nobody may copy zones. All that is named must hold.
type TransferConfig struct {
	// Zones are the TLDs that it is about; none: all.
	Zones []string `toml:"zones,omitempty"`
	// From has the networks of the clients, such as 192.0.2.0/24; none: any, and then Key is required.
	From []netip.Prefix `toml:"from,omitempty"`
	// Key is the name of the TSIG key that must sign.
	Key string `toml:"key,omitempty"`
	// TLS admits only transfers over TLS (RFC 9103).
	TLS bool `toml:"tls,omitempty"`
}

// SecondaryConfig is a name server that copies zones from this node and is told of new serials.
type SecondaryConfig struct {
	Name    string         `toml:"name"`
	Address netip.AddrPort `toml:"address"`
	Zones   []string       `toml:"zones,omitempty"`
	Key     string         `toml:"key,omitempty"`
}

func (c *DNSConfig) resolvePaths(dir string) {
	paths := []*string{&c.TLSCert, &c.TLSKey, &c.CookieSecretFile, &c.TapSocket}
	for i := range c.TSIG {
		paths = append(paths, &c.TSIG[i].SecretFile)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

func (c *DNSConfig) validate() error {
	if c.Workers < 0 {
		return errors.New(`key "dns.workers" must not be negative`)
	}
	if len(c.ListenTLS) > 0 && (c.TLSCert == "" || c.TLSKey == "") {
		return errors.New(`keys "dns.tls_cert" and "dns.tls_key" are required while "dns.tls_listen" is set`)
	}
	for _, k := range c.TSIG {
		if k.Name == "" || k.SecretFile == "" {
			return errors.New(`each of "dns.tsig" needs "name" and "secret_file"`)
		}
	}
	for _, t := range c.Transfers {
		if len(t.From) == 0 && t.Key == "" {
			return errors.New(`each of "dns.transfer" needs "from" or "key": it would admit everyone`)
		}
	}
	for _, s := range c.Secondaries {
		if s.Name == "" || !s.Address.IsValid() || s.Address.Port() == 0 {
			return errors.New(`each of "dns.secondary" needs "name", and "address" as IP address and port`)
		}
	}
	return nil
}

// transferConfig reads the keys and says who may copy zones.
func transferConfig(c *DNSConfig, st *store.Store) (*dnsedge.TransferConfig, error) {
	out := &dnsedge.TransferConfig{Source: &zoneTransferSource{store: st}, MaxTransfers: c.MaxTransfers, MaxTransfersPerClient: c.MaxTransfersPerClient}
	for _, k := range c.TSIG {
		secret, err := readSecret(k.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("TSIG key %q: %w", k.Name, err)
		}
		out.Keys = append(out.Keys, dnsedge.TSIGKey{Name: k.Name, Algorithm: firstNonEmpty(k.Algorithm, "hmac-sha256"), Secret: secret})
	}
	for _, t := range c.Transfers {
		out.Allow = append(out.Allow, dnsedge.TransferRule{Zones: t.Zones, From: t.From, Key: t.Key, TLSOnly: t.TLS})
	}
	for _, s := range c.Secondaries {
		out.Secondaries = append(out.Secondaries, dnsedge.Secondary{Name: s.Name, Address: s.Address, Zones: s.Zones, Key: s.Key})
	}
	return out, nil
}

// readSecret reads a secret in base64. No error shows any of it.
func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	if info.Size() > maxSecretFileOctets {
		return nil, fmt.Errorf("read the secret: %s has more than %d octets", path, maxSecretFileOctets)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("read the secret: %s does not hold base64", path)
	}
	return secret, nil
}

// certificateFiles is a certificate for DNS over TLS. Renewed files are used by the next handshake.
type certificateFiles struct {
	cert, key string

	mu     sync.Mutex
	stamps [2]time.Time
	loaded *tls.Certificate
}

// tlsConfig is for servers of DNS over TLS: RFC 9103 section 7.1 wants TLS 1.3 and names the protocol.
func (f *certificateFiles) tlsConfig() (*tls.Config, error) {
	if _, err := f.get(nil); err != nil {
		return nil, err
	}
	return &tls.Config{GetCertificate: f.get, MinVersion: tls.VersionTLS13, NextProtos: []string{"dot"}}, nil
}

func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var stamps [2]time.Time
	for i, path := range []string{f.cert, f.key} {
		if info, err := os.Stat(path); err == nil {
			stamps[i] = info.ModTime()
		}
	}
	if f.loaded != nil && stamps == f.stamps {
		return f.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		if f.loaded != nil { // half-written files: the old pair is still good
			return f.loaded, nil
		}
		return nil, fmt.Errorf("load the certificate for DNS over TLS: %w", err)
	}
	f.loaded, f.stamps = &pair, stamps
	return f.loaded, nil
}

// newDNS makes the DNS edge.
func (n *node) newDNS() (*dnsedge.Server, error) {
	c := &n.cfg.DNS
	transfers, err := transferConfig(c, n.store)
	if err != nil {
		return nil, err
	}
	secrets, err := readCookieSecrets(c.CookieSecretFile)
	if err != nil {
		return nil, err
	}
	cfg := dnsedge.Config{
		Identity: dnsedge.Identity{NSID: c.NSID, Version: c.Version}, CookieSecrets: secrets, RateLimit: c.limit(), Proxies: c.Proxies,
		Tap:    dnsedge.TapConfig{Socket: c.TapSocket},
		Listen: c.Listen, ListenTLS: c.ListenTLS, Workers: c.Workers, Source: &zoneSource{store: n.store},
		Published: n.published.Published, Transfers: transfers, Logger: n.logger.With("service", "dns"),
	}
	if len(c.ListenTLS) > 0 {
		files := &certificateFiles{cert: c.TLSCert, key: c.TLSKey}
		if cfg.TLS, err = files.tlsConfig(); err != nil {
			return nil, err
		}
	}
	return dnsedge.New(cfg)
}
