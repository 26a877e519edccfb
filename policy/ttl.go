package policy

import (
	"fmt"
	"slices"

	"cadastre/registry"
)

// Bounds of TTLs in seconds where a TLD says nothing: below five minutes a delegation costs
// many queries and helps fast flux, beyond two days a mistake stays too long (RFC 9803
// sections 5.1 and 6).
const (
	DefaultMinTTLSeconds = 300
	DefaultMaxTTLSeconds = 172800
)

// MaxTTLSeconds is the greatest TTL that DNS has (RFC 2181 section 8).
const MaxTTLSeconds = 1<<31 - 1

// TTLBounds returns what the TLD admits as TTL of a type, the default filled in.
func TTLBounds(tld *registry.TLD, of registry.RecordType) registry.TTLBounds {
	usual := tld.Policy.DelegationTTLSeconds
	for _, b := range tld.Policy.TTLBounds {
		if b.Type != of {
			continue
		}
		if b.Default == 0 {
			b.Default = usual
		}
		return b
	}
	return registry.TTLBounds{Type: of, Min: min(DefaultMinTTLSeconds, usual), Default: usual, Max: max(DefaultMaxTTLSeconds, usual)}
}

// TTLSeconds returns the TTL of records of a type for an object with the given ones.
func TTLSeconds(tld *registry.TLD, set registry.TTLs, of registry.RecordType) uint32 {
	if seconds, found := set.Seconds(of); found {
		return seconds
	}
	return TTLBounds(tld, of).Default
}

// ChangesTTLs says whether records of domains or hosts that set no TTL of their own get
// another one by a change of the TLD.
func ChangesTTLs(old, next *registry.TLD) bool {
	for _, kind := range []registry.ObjectKind{registry.KindDomain, registry.KindHost} {
		for _, of := range registry.RecordTypes(kind) {
			if TTLBounds(old, of).Default != TTLBounds(next, of).Default {
				return true
			}
		}
	}
	return false
}

// SettableTTLs lists the types of which a registrar may set the TTL on objects of the kind.
func SettableTTLs(tld *registry.TLD, kind registry.ObjectKind) []registry.TTLBounds {
	var all []registry.TTLBounds
	for _, of := range registry.RecordTypes(kind) {
		if b := TTLBounds(tld, of); b.Max > 0 {
			all = append(all, b)
		}
	}
	return all
}

// CheckTTLType says whether the TTL of a type can be set on objects of the kind (RFC 9803
// section 1.2.1.2).
func CheckTTLType(tld *registry.TLD, kind registry.ObjectKind, of registry.RecordType) error {
	if !slices.ContainsFunc(SettableTTLs(tld, kind), func(b registry.TTLBounds) bool { return b.Type == of }) {
		return &registry.Error{Code: registry.CodeParameterPolicy, Field: "ttl", Value: string(of),
			Reason: fmt.Sprintf("the TTL of %s records cannot be set on a %s here (RFC 9803 section 1.2.1.2)", of, kind)}
	}
	return nil
}

// CheckTTL says whether the TLD admits the TTL.
func CheckTTL(tld *registry.TLD, ttl registry.TTL) error {
	if b := TTLBounds(tld, ttl.Type); ttl.Seconds < b.Min || ttl.Seconds > b.Max {
		return &registry.Error{Code: registry.CodeParameterRange, Field: "ttl", Value: fmt.Sprint(ttl.Seconds),
			Reason: fmt.Sprintf("the TTL of %s records is %d to %d seconds under this TLD", ttl.Type, b.Min, b.Max)}
	}
	return nil
}

// checkTTLBounds returns what is wrong with the bounds of a policy, "" if nothing is.
func checkTTLBounds(p *registry.TLDPolicy) string {
	known := slices.Concat(registry.RecordTypes(registry.KindDomain), registry.RecordTypes(registry.KindHost))
	seen := map[registry.RecordType]bool{}
	for _, b := range p.TTLBounds {
		usual := b.Default
		if usual == 0 {
			usual = p.DelegationTTLSeconds
		}
		switch {
		case !slices.Contains(known, b.Type):
			return fmt.Sprintf("%q is not a record type that is published for domains or hosts: NS, DS, A, AAAA", b.Type)
		case seen[b.Type]:
			return fmt.Sprintf("%s is named twice", b.Type)
		case usual > MaxTTLSeconds || b.Max > MaxTTLSeconds:
			return "a TTL has at most 2147483647 seconds (RFC 2181 section 8)"
		case b.Max > 0 && (b.Min >= b.Max || usual < b.Min || usual > b.Max):
			return fmt.Sprintf("of %s, the minimum is below the maximum and the default between them (RFC 9803 section 1.2.1)", b.Type)
		}
		seen[b.Type] = true
	}
	return ""
}
