package dnsedge

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

// TransferRule admits transfers. All that it names must hold.
type TransferRule struct {
	// Zones are the zones that it is about; none: all.
	Zones []string
	// From has the networks that the client may be in; none: any, and then a key is needed.
	From []netip.Prefix
	// Key is the TSIG key that must sign; "": none needed.
	Key string
	// TLSOnly admits only what comes over TLS (RFC 9103).
	TLSOnly bool
}

func (r *TransferRule) check(keys tsigKeys) error {
	if len(r.From) == 0 && r.Key == "" {
		return errors.New("dns: a transfer rule without networks and without a key would admit everyone")
	}
	if r.Key != "" && keys.find(r.Key) == nil {
		return fmt.Errorf("dns: a transfer rule names the TSIG key %q, which is not configured", r.Key)
	}
	return nil
}

// admits says whether the rule lets a client have a zone. keyName is the key that signed, canonical, or "".
func (r *TransferRule) admits(zone string, client netip.Addr, keyName string, encrypted bool) bool {
	if r.TLSOnly && !encrypted {
		return false
	}
	if r.Key != "" && dns.CanonicalName(r.Key) != keyName {
		return false
	}
	inside := func(p netip.Prefix) bool { return p.Contains(client.Unmap().WithZone("")) }
	if len(r.From) > 0 && !slices.ContainsFunc(r.From, inside) {
		return false
	}
	same := func(z string) bool { return dns.CanonicalName(z) == dns.CanonicalName(zone) }
	return len(r.Zones) == 0 || slices.ContainsFunc(r.Zones, same)
}
