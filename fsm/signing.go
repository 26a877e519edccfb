package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func signingFromProto(p *fsmpb.SigningPolicy) registry.SigningPolicy {
	return registry.SigningPolicy{
		Denial: registry.Denial(p.GetDenial()), OptOut: p.GetOptOut(), ValidityDays: p.GetValidityDays(), RefreshDays: p.GetRefreshDays(),
		Algorithm: uint8(p.GetAlgorithm()), Layout: registry.KeyLayout(p.GetLayout()), DNSKEYTTLSeconds: p.GetDnskeyTtlSeconds(),
		ZSKLifetimeDays: p.GetZskLifetimeDays(), PropagationSeconds: p.GetPropagationSeconds(), DSTTLSeconds: p.GetDsTtlSeconds(),
		ParentServer: p.GetParentServer(),
	}
}

func signingToProto(s *registry.SigningPolicy) *fsmpb.SigningPolicy {
	if *s == (registry.SigningPolicy{}) {
		return nil
	}
	return &fsmpb.SigningPolicy{
		Denial: uint32(s.Denial), OptOut: s.OptOut, ValidityDays: s.ValidityDays, RefreshDays: s.RefreshDays,
		Algorithm: uint32(s.Algorithm), Layout: uint32(s.Layout), DnskeyTtlSeconds: s.DNSKEYTTLSeconds, ZskLifetimeDays: s.ZSKLifetimeDays,
		PropagationSeconds: s.PropagationSeconds, DsTtlSeconds: s.DSTTLSeconds, ParentServer: s.ParentServer,
	}
}
