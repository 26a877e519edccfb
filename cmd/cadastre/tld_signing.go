package main

import (
	"fmt"

	"cadastre/registry"
)

// publicationDocument says how far the zone may shrink by itself.
type publicationDocument struct {
	MaxRemovedDelegations uint32 `toml:"max_removed_delegations" json:"max_removed_delegations" comment:"may leave the zone within an hour; 0 stands for 1000"`
	MaxRemovedPercent     uint32 `toml:"max_removed_percent" json:"max_removed_percent" comment:"of all delegations, if that is more; 0 stands for 10, 100: no limit"`
}

// signingDocument says how a zone is signed.
type signingDocument struct {
	Denial             string `toml:"denial" json:"denial" comment:"how absence is proved: nsec3, nsec, or none: not signed"`
	OptOut             bool   `toml:"opt_out" json:"opt_out" comment:"insecure delegations are left out of the proof (RFC 5155 section 6)"`
	Algorithm          uint8  `toml:"algorithm" json:"algorithm" comment:"of new keys: 13 (ECDSA P-256), 15 (Ed25519) or 8 (RSA-2048); 0 stands for 13"`
	Layout             string `toml:"layout" json:"layout" comment:"of the first keys: csk, or ksk-zsk"`
	ValidityDays       uint32 `toml:"validity_days" json:"validity_days" comment:"of signatures; 0 stands for 14"`
	RefreshDays        uint32 `toml:"refresh_days" json:"refresh_days" comment:"before their end signatures are renewed; 0 stands for 7"`
	DNSKEYTTLSeconds   uint32 `toml:"dnskey_ttl_seconds" json:"dnskey_ttl_seconds" comment:"0 stands for apex_ttl_seconds"`
	ZSKLifetimeDays    uint32 `toml:"zsk_lifetime_days" json:"zsk_lifetime_days" comment:"after which a ZSK is replaced by itself; 0: never"`
	PropagationSeconds uint32 `toml:"propagation_seconds" json:"propagation_seconds" comment:"until the slowest server shows a publication; 0 stands for 3600"`
	DSTTLSeconds       uint32 `toml:"ds_ttl_seconds" json:"ds_ttl_seconds" comment:"TTL of the DS set at the parent; 0 stands for 86400"`
	ParentServer       string `toml:"parent_server" json:"parent_server" comment:"host:port that is asked for the DS set; empty: an operator says when it has changed"`
}

func signingDocumentOf(s *registry.SigningPolicy) signingDocument {
	return signingDocument{
		Denial: s.Denial.String(), OptOut: s.OptOut, Algorithm: s.Algorithm, Layout: s.Layout.String(), ValidityDays: s.ValidityDays,
		RefreshDays: s.RefreshDays, DNSKEYTTLSeconds: s.DNSKEYTTLSeconds, ZSKLifetimeDays: s.ZSKLifetimeDays,
		PropagationSeconds: s.PropagationSeconds, DSTTLSeconds: s.DSTTLSeconds, ParentServer: s.ParentServer,
	}
}

func (d *signingDocument) parse() (registry.SigningPolicy, error) {
	s := registry.SigningPolicy{
		OptOut: d.OptOut, Algorithm: d.Algorithm, ValidityDays: d.ValidityDays, RefreshDays: d.RefreshDays, DNSKEYTTLSeconds: d.DNSKEYTTLSeconds,
		ZSKLifetimeDays: d.ZSKLifetimeDays, PropagationSeconds: d.PropagationSeconds, DSTTLSeconds: d.DSTTLSeconds, ParentServer: d.ParentServer,
	}
	switch d.Denial {
	case "", registry.DenialNone.String():
	case registry.DenialNSEC3.String():
		s.Denial = registry.DenialNSEC3
	case registry.DenialNSEC.String():
		s.Denial = registry.DenialNSEC
	default:
		return s, fmt.Errorf(`key "signing.denial": %q is none of nsec3, nsec and none`, d.Denial)
	}
	switch d.Layout {
	case "", registry.LayoutCSK.String():
	case registry.LayoutSplit.String():
		s.Layout = registry.LayoutSplit
	default:
		return s, fmt.Errorf(`key "signing.layout": %q is neither csk nor ksk-zsk`, d.Layout)
	}
	return s, nil
}
