package dnssec

import "cadastre/registry"

// Way is how a chain proves absence.
type Way struct {
	Denial registry.Denial
	OptOut bool
}

// WayOf returns the way that a policy asks for.
func WayOf(signing *registry.SigningPolicy) Way {
	return Way{Denial: signing.Denial, OptOut: signing.OptOut && signing.Denial == registry.DenialNSEC3}
}

// primary is the chain that answers are proved by.
func (r *Request) primary() Way {
	switch {
	case r.Keys == nil:
		return Way{}
	case r.Primary.Denial != registry.DenialNone:
		return r.Primary
	default:
		return WayOf(&r.TLD.Policy.Signing)
	}
}

// way returns how the chain of a kind is kept, false if the zone is to have none.
func (r *Request) way(kind registry.Denial) (Way, bool) {
	switch {
	case kind == registry.DenialNone || r.Keys == nil:
		return Way{}, false
	case kind == r.primary().Denial:
		return r.primary(), true
	case kind == r.Beside.Denial:
		return r.Beside, true
	default:
		return Way{}, false
	}
}

// tldAs returns the TLD as if its policy had always asked for the way.
func (r *Request) tldAs(way Way) *registry.TLD {
	signing := &r.TLD.Policy.Signing
	if WayOf(signing) == way {
		return r.TLD
	}
	tld := *r.TLD
	tld.Policy.Signing.Denial, tld.Policy.Signing.OptOut = way.Denial, way.OptOut
	return &tld
}
