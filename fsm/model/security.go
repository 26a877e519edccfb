package model

import (
	"fmt"
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func dsText(ds *fsmpb.DelegationSigner) string {
	return fmt.Sprintf("%d/%d/%d/%x", ds.GetKeyTag(), ds.GetAlgorithm(), ds.GetDigestType(), ds.GetDigest())
}

// addDS adds DS records (RFC 5910): of algorithms that sign zones today, with SHA-256 or
// SHA-384 digests of their length, none twice, and not too many.
func (m *Model) addDS(d *Domain, add []*fsmpb.DelegationSigner) registry.Code {
	for _, ds := range add {
		octets := map[uint32]int{2: 32, 4: 48}[ds.GetDigestType()]
		switch {
		case !slices.Contains([]uint32{8, 10, 13, 14, 15, 16, 17, 23}, ds.GetAlgorithm()), octets == 0:
			return registry.CodeParameterPolicy
		case len(ds.GetDigest()) != octets:
			return registry.CodeParameterSyntax
		case slices.Contains(d.DS, dsText(ds)):
			return registry.CodeParameterPolicy
		}
		d.DS = append(d.DS, dsText(ds))
	}
	if len(d.DS) > m.Policy.MaxDS {
		return registry.CodeParameterPolicy
	}
	return registry.CodeOK
}

func (m *Model) changeDS(d *Domain, c *fsmpb.DomainUpdate) registry.Code {
	if c.GetRemoveAllDs() {
		d.DS = nil
	}
	for _, ds := range c.GetRemoveDs() {
		at := slices.Index(d.DS, dsText(ds))
		if at < 0 {
			return registry.CodeParameterPolicy
		}
		d.DS = slices.Delete(slices.Clone(d.DS), at, at+1)
	}
	d.DS = slices.Clone(d.DS)
	return m.addDS(d, c.GetAddDs())
}
