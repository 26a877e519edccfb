package main

import (
	"errors"
	"net/netip"

	"cadastre/internal/prefixlimit"
)

// What a client of RDAP or WHOIS may ask unless the configuration says otherwise.
const (
	defaultRDDSPerSecond = 25
	defaultRDDSBurst     = 100
)

// RDDSLimitConfig bounds what a client may ask of RDAP or WHOIS: an IPv4 address or IPv6 /64, and with eight
// times as much the /24 or /48 around it.
type RDDSLimitConfig struct {
	// PerSecond is the lasting rate; 0 means 25, less than 0 no limit. A search counts for ten.
	PerSecond float64 `toml:"per_second,omitempty"`
	// Burst is how much may be asked at once after a rest; 0 means 100.
	Burst float64 `toml:"burst,omitempty"`
	// Exempt has networks that are not limited.
	Exempt []netip.Prefix `toml:"exempt,omitempty"`
}

func (c *RDDSLimitConfig) limit() prefixlimit.Config {
	limit := prefixlimit.Config{PerSecond: c.PerSecond, Burst: c.Burst, Exempt: c.Exempt}
	if limit.PerSecond == 0 {
		limit.PerSecond = defaultRDDSPerSecond
	}
	if limit.Burst == 0 {
		limit.Burst = defaultRDDSBurst
	}
	return limit
}

// WHOISConfig is about port 43.
type WHOISConfig struct {
	// Listen is the host:port; "" switches the service off.
	Listen    string          `toml:"listen"`
	RateLimit RDDSLimitConfig `toml:"rate_limit,omitempty"`
}

// RDAPConfig is about registration data over HTTPS.
type RDAPConfig struct {
	// Listen is the host:port for HTTPS, best port 443; "" switches the service off.
	Listen string `toml:"listen"`
	// RedirectListen is the host:port at which plain HTTP is answered with a redirect to HTTPS; "" for none.
	RedirectListen string `toml:"redirect_listen,omitempty"`
	// TLSCert and TLSKey, PEM, are what browsers and other clients trust; without them the node's own certificate serves.
	// Renewed files are used by the next handshake.
	TLSCert string `toml:"tls_cert,omitempty"`
	TLSKey  string `toml:"tls_key,omitempty"`
	// BaseURL is where the world reaches the service, such as https://rdap.nic.example/; "" takes the host of each request.
	BaseURL   string          `toml:"base_url,omitempty"`
	RateLimit RDDSLimitConfig `toml:"rate_limit,omitempty"`
}

func (c *RDAPConfig) validate() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New(`keys "rdap.tls_cert" and "rdap.tls_key" come together`)
	}
	if n := len(c.BaseURL); c.BaseURL != "" && (n < len("https://x/") || c.BaseURL[:8] != "https://" || c.BaseURL[n-1] != '/') {
		return errors.New(`key "rdap.base_url": want an address that begins with https:// and ends with a slash`)
	}
	return nil
}
