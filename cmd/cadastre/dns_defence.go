package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"cadastre/dnsedge"
)

// RateLimitConfig bounds the replies over UDP to a client and to the networks around it. Clients that show a DNS cookie
// of this server are not limited.
type RateLimitConfig struct {
	// PerSecond is for one IPv4 address or IPv6 /64; 0 means 400, less than 0 no limit. Shorter prefixes have multiples of it.
	PerSecond int `toml:"per_second,omitempty"`
	// Burst is how many may go out at once after a rest; 0 means two and a half seconds' worth.
	Burst int `toml:"burst,omitempty"`
	// Slip is how many limited replies there are to each that is sent truncated; 0 means 1, less than 0 none is.
	Slip int `toml:"slip,omitempty"`
	// Exempt has networks that are not limited.
	Exempt []netip.Prefix `toml:"exempt,omitempty"`
}

func (c *DNSConfig) limit() dnsedge.RateLimit {
	r := c.RateLimit
	return dnsedge.RateLimit{PerSecond: r.PerSecond, Burst: r.Burst, Slip: r.Slip, Exempt: r.Exempt}
}

// readCookieSecrets reads a file with a secret in each line: the first makes cookies, all are good. No error shows any.
func readCookieSecrets(path string) ([]dnsedge.CookieSecret, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the cookie secrets: %w", err)
	}
	if info.Size() > maxSecretFileOctets {
		return nil, fmt.Errorf("read the cookie secrets: %s has more than %d octets", path, maxSecretFileOctets)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the cookie secrets: %w", err)
	}
	var secrets []dnsedge.CookieSecret
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		secret, err := dnsedge.ParseCookieSecret(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 {
		return nil, errors.New(path + " has no cookie secret: write one with `openssl rand -hex 16`")
	}
	return secrets, nil
}
