package fsm

import (
	"net/netip"
	"slices"

	"cadastre/registry"
)

const (
	// maxRegistrarSources is room for the networks of a few data centres and offices.
	maxRegistrarSources = 64
	// maxRegistrarRate is more commands a second than a node can answer.
	maxRegistrarRate = 1_000_000
)

// parseSource reads a network in CIDR notation, or an address, which is a network of one.
// The form returned is the only one of that network.
func parseSource(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix.Addr().Is4In6() {
		return netip.Prefix{}, refuse(registry.CodeParameterSyntax, "source", text, "a source is an address or a network in CIDR notation, such as 192.0.2.0/24 or 2001:db8::/48")
	}
	return prefix.Masked(), nil
}

// registrarAccess checks what says from where, for what and how often a registrar may use
// the registry.
func (k *checker) registrarAccess(addSources, removeSources, thinTLDs []string, queryRate, transformRate uint32) {
	k.count("source", len(addSources), maxRegistrarSources)
	k.count("source", len(removeSources), maxRegistrarSources)
	for _, text := range slices.Concat(addSources, removeSources) {
		if _, err := parseSource(text); err != nil && k.err == nil {
			k.err = err
		}
	}
	for _, tld := range thinTLDs {
		k.name("thin_tld", tld)
	}
	for _, rate := range []uint32{queryRate, transformRate} {
		if rate > maxRegistrarRate {
			k.fail(registry.CodeParameterRange, "rate", "", "a rate is at most %d commands a second", maxRegistrarRate)
		}
	}
}

// changeSources takes networks out and puts networks in; the result is sorted.
func changeSources(have []netip.Prefix, add, remove []string) []netip.Prefix {
	next := slices.Clone(have)
	for _, text := range remove {
		if prefix, err := parseSource(text); err == nil {
			next = slices.DeleteFunc(next, func(p netip.Prefix) bool { return p == prefix })
		}
	}
	for _, text := range add {
		if prefix, err := parseSource(text); err == nil && !slices.Contains(next, prefix) {
			next = append(next, prefix)
		}
	}
	slices.SortFunc(next, func(a, b netip.Prefix) int {
		if order := a.Addr().Compare(b.Addr()); order != 0 {
			return order
		}
		return a.Bits() - b.Bits()
	})
	return next
}
