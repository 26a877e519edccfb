package epp

import (
	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// ttlElements are what commands carry of TTLs (RFC 9803 section 2).
func ttlElements() []extensionElement {
	decode := func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
		x.ttls, err = eppxml.DecodeTTLs(e)
		return err
	}
	return []extensionElement{
		{"info", isDomainOrHost[*eppxml.DomainInfo, *eppxml.HostInfo], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.ttlInfo, err = eppxml.DecodeTTLInfo(e)
			return err
		}},
		{"create", isDomainOrHost[*eppxml.DomainCreate, *eppxml.HostCreate], decode},
		{"update", isDomainOrHost[*eppxml.DomainUpdate, *eppxml.HostUpdate], decode},
	}
}

func isDomainOrHost[D, H eppxml.Body](body eppxml.Body) bool {
	return isBody[D](body) || isBody[H](body)
}

// ttlCommands returns the TTLs of a create or update as the registry takes them.
func ttlCommands(given []eppxml.TTL) ([]*fsmpb.TTL, error) {
	ttls := make([]*fsmpb.TTL, 0, len(given))
	for i := range given {
		ttl := &given[i]
		if ttl.For == "custom" || ttl.Custom != "" {
			return nil, refuse(registry.CodeParameterPolicy, "ttl", ttl.Custom, "no other records than NS, DS, A and AAAA are published here (RFC 9803 section 1.2.1.2)")
		}
		ttls = append(ttls, &fsmpb.TTL{Type: ttl.For, Seconds: ttl.Seconds})
	}
	return ttls, nil
}

// shownTTLs is what an info says of TTLs: nothing unless the command asked for it, those that
// are not the default, or all with what the TLD admits (RFC 9803 section 2.1.1). tld is nil
// for a host outside, of which nothing is published.
func (c *call) shownTTLs(tld *registry.TLD, kind registry.ObjectKind, set registry.TTLs) []extensionData {
	asked := c.extensions.ttlInfo
	if asked == nil || tld == nil {
		return nil
	}
	var shown []eppxml.TTL
	for _, b := range policy.SettableTTLs(tld, kind) {
		ttl := eppxml.TTL{For: string(b.Type)}
		if seconds, found := set.Seconds(b.Type); found && seconds != b.Default {
			ttl.Seconds = &seconds
		}
		if asked.Policy {
			ttl.Bounds = &eppxml.TTLBounds{Min: b.Min, Default: b.Default, Max: b.Max}
		}
		if ttl.Seconds != nil || asked.Policy {
			shown = append(shown, ttl)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	return []extensionData{{uri: eppxml.NSTTL, xml: eppxml.AppendTTLInfData(nil, shown)}}
}
