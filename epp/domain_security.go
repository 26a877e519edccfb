package epp

import (
	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// addSecurity puts the DNSSEC data of a create into the command (RFC 5910 section 5.2.1).
func addSecurity(command *fsmpb.DomainCreate, given *eppxml.SecDNS) {
	if given == nil {
		return
	}
	command.Ds, command.Keys = delegationSigners(given.DS), publicKeys(given.Keys)
	command.MaxSigLifeSeconds = given.MaxSigLife
}

// changeSecurity puts the DNSSEC data of an update into the command (RFC 5910 section 5.2.5).
func changeSecurity(command *fsmpb.DomainUpdate, given *eppxml.SecDNSUpdate) error {
	if given == nil {
		return nil
	}
	if given.Urgent {
		return &refusal{code: codeUnimplementedOption, value: eppxml.Value{NS: eppxml.NSSecDNS, Name: "update"},
			reason: "every change is published at once; none is more urgent (RFC 5910 section 5.2.5)"}
	}
	if given.Rem == nil && given.Add == nil && given.Chg == nil {
		return refuse(registry.CodeParameterMissing, "", "", "an update of DNSSEC data adds, removes or changes something (RFC 5910 section 5.2.5)")
	}
	if remove := given.Rem; remove != nil {
		command.RemoveAllDs = remove.All != nil && *remove.All
		command.RemoveDs, command.RemoveKeys = delegationSigners(remove.DS), publicKeys(remove.Keys)
	}
	if add := given.Add; add != nil {
		command.AddDs, command.AddKeys = delegationSigners(add.DS), publicKeys(add.Keys)
		if add.MaxSigLife != 0 {
			command.MaxSigLifeSeconds = &add.MaxSigLife
		}
	}
	if change := given.Chg; change != nil && change.MaxSigLife != 0 {
		command.MaxSigLifeSeconds = &change.MaxSigLife
	}
	return nil
}

func delegationSigners(given []eppxml.DSData) []*fsmpb.DelegationSigner {
	records := make([]*fsmpb.DelegationSigner, 0, len(given))
	for i := range given {
		ds := &given[i]
		record := &fsmpb.DelegationSigner{KeyTag: uint32(ds.KeyTag), Algorithm: uint32(ds.Alg), DigestType: uint32(ds.DigestType), Digest: ds.Digest}
		if ds.Key != nil {
			record.Key = publicKeys([]eppxml.KeyData{*ds.Key})[0]
		}
		records = append(records, record)
	}
	return records
}

func publicKeys(given []eppxml.KeyData) []*fsmpb.PublicKey {
	keys := make([]*fsmpb.PublicKey, 0, len(given))
	for _, key := range given {
		keys = append(keys, &fsmpb.PublicKey{Flags: uint32(key.Flags), Protocol: uint32(key.Protocol), Algorithm: uint32(key.Alg), Data: key.PublicKey})
	}
	return keys
}

// shownSecurity is the DNSSEC data of an info, nil if there is none. DS records are in the
// zone for everybody to see, so everybody sees them here too.
func shownSecurity(domain *registry.Domain) []extensionData {
	if len(domain.DS)+len(domain.Keys) == 0 {
		return nil
	}
	info := &eppxml.SecDNS{MaxSigLife: domain.MaxSigLifeSeconds}
	for i := range domain.DS {
		ds := &domain.DS[i]
		shown := eppxml.DSData{KeyTag: ds.KeyTag, Alg: ds.Algorithm, DigestType: ds.DigestType, Digest: ds.Digest}
		if ds.Key != nil {
			key := shownKey(ds.Key)
			shown.Key = &key
		}
		info.DS = append(info.DS, shown)
	}
	for i := range domain.Keys {
		info.Keys = append(info.Keys, shownKey(&domain.Keys[i]))
	}
	return []extensionData{{uri: eppxml.NSSecDNS, xml: eppxml.AppendSecDNSInfData(nil, info)}}
}

func shownKey(key *registry.PublicKey) eppxml.KeyData {
	return eppxml.KeyData{Flags: key.Flags, Protocol: key.Protocol, Alg: key.Algorithm, PublicKey: key.Data}
}
