package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func signingFromProto(p *fsmpb.SigningPolicy) registry.SigningPolicy {
	return registry.SigningPolicy{
		Denial: registry.Denial(p.GetDenial()), OptOut: p.GetOptOut(), ValidityDays: p.GetValidityDays(), RefreshDays: p.GetRefreshDays(),
	}
}

func signingToProto(s *registry.SigningPolicy) *fsmpb.SigningPolicy {
	if *s == (registry.SigningPolicy{}) {
		return nil
	}
	return &fsmpb.SigningPolicy{Denial: uint32(s.Denial), OptOut: s.OptOut, ValidityDays: s.ValidityDays, RefreshDays: s.RefreshDays}
}
