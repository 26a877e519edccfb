package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// changeTTLs sets TTLs of an object of the kind, and unsets those that come without a value
// (RFC 9803 section 1.2.1.1). tld is nil for a host outside, of which nothing is published.
func changeTTLs(tld *registry.TLD, kind registry.ObjectKind, have registry.TTLs, change []*fsmpb.TTL) (registry.TTLs, error) {
	next := have
	for _, c := range change {
		of := registry.RecordType(c.GetType())
		if tld == nil {
			return nil, refuse(registry.CodeParameterPolicy, "ttl", c.GetType(), "the host lies outside the TLDs of this registry: no records of it are published")
		}
		if err := policy.CheckTTLType(tld, kind, of); err != nil {
			return nil, err
		}
		if c.Seconds == nil {
			next = next.Without(of)
			continue
		}
		ttl := registry.TTL{Type: of, Seconds: c.GetSeconds()}
		if err := policy.CheckTTL(tld, ttl); err != nil {
			return nil, err
		}
		next = next.With(ttl)
	}
	return next, nil
}

// changeHostTTLs is changeTTLs for a host that will have the given name. A host that moves
// away from its TLD leaves its TTLs behind.
func (r *run) changeHostTTLs(name registry.DomainName, old *registry.Host, change []*fsmpb.TTL) (registry.TTLs, error) {
	have := old.TTLs
	tld, inside := r.tx.TLDOf(name)
	if !inside {
		tld = nil
	}
	if was, found := r.tx.TLDOf(old.Name); !found || !inside || was.Name != tld.Name {
		have = nil
	}
	return changeTTLs(tld, registry.KindHost, have, change)
}

func ttlBoundsFromProto(all []*fsmpb.TTLBounds) []registry.TTLBounds {
	var out []registry.TTLBounds
	for _, b := range all {
		out = append(out, registry.TTLBounds{
			Type: registry.RecordType(b.GetType()), Min: b.GetMinSeconds(), Max: b.GetMaxSeconds(), Default: b.GetDefaultSeconds(),
		})
	}
	return out
}

func ttlBoundsToProto(all []registry.TTLBounds) []*fsmpb.TTLBounds {
	var out []*fsmpb.TTLBounds
	for _, b := range all {
		out = append(out, &fsmpb.TTLBounds{Type: string(b.Type), MinSeconds: b.Min, MaxSeconds: b.Max, DefaultSeconds: b.Default})
	}
	return out
}
