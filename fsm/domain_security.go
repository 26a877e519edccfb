package fsm

import (
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// addSecurity checks and adds DS records and keys to a domain. What is there already is
// refused.
func addSecurity(tld *registry.TLD, domain *registry.Domain, ds []*fsmpb.DelegationSigner, keys []*fsmpb.PublicKey) error {
	for _, add := range ds {
		record := delegationSignerFromProto(add)
		if err := policy.CheckDelegationSigner(tld, &record); err != nil {
			return err
		}
		if slices.ContainsFunc(domain.DS, func(have registry.DelegationSigner) bool { return have.SameAs(&record) }) {
			return refuse(registry.CodeParameterPolicy, "dsData", "", "the DS record with key tag %d is there already", record.KeyTag)
		}
		domain.DS = append(slices.Clone(domain.DS), record)
	}
	for _, add := range keys {
		key := publicKeyFromProto(add)
		if err := policy.CheckPublicKey(tld, &key); err != nil {
			return err
		}
		if slices.ContainsFunc(domain.Keys, func(have registry.PublicKey) bool { return have.SameAs(&key) }) {
			return refuse(registry.CodeParameterPolicy, "keyData", "", "the key is there already")
		}
		domain.Keys = append(slices.Clone(domain.Keys), key)
	}
	return policy.CheckDelegationSignerCount(tld, len(domain.DS)+len(domain.Keys))
}

// changeSecurity removes first, so that a rollover stays within the bounds (RFC 5910
// section 5.2.5).
func changeSecurity(tld *registry.TLD, domain *registry.Domain, c *fsmpb.DomainUpdate) error {
	if c.GetRemoveAllDs() {
		domain.DS, domain.Keys = nil, nil
	}
	for _, remove := range c.GetRemoveDs() {
		record := delegationSignerFromProto(remove)
		at := slices.IndexFunc(domain.DS, func(have registry.DelegationSigner) bool { return have.SameAs(&record) })
		if at < 0 {
			return refuse(registry.CodeParameterPolicy, "dsData", "", "the DS record to remove, with key tag %d, is not there", record.KeyTag)
		}
		domain.DS = slices.Delete(slices.Clone(domain.DS), at, at+1)
	}
	for _, remove := range c.GetRemoveKeys() {
		key := publicKeyFromProto(remove)
		at := slices.IndexFunc(domain.Keys, func(have registry.PublicKey) bool { return have.SameAs(&key) })
		if at < 0 {
			return refuse(registry.CodeParameterPolicy, "keyData", "", "the key to remove is not there")
		}
		domain.Keys = slices.Delete(slices.Clone(domain.Keys), at, at+1)
	}
	setIf(&domain.MaxSigLifeSeconds, c.MaxSigLifeSeconds)
	return addSecurity(tld, domain, c.GetAddDs(), c.GetAddKeys())
}

// changesSecurity says whether the command touches DS records, keys or their wishes.
func changesSecurity(c *fsmpb.DomainUpdate) bool {
	return c.GetRemoveAllDs() || c.MaxSigLifeSeconds != nil ||
		len(c.GetRemoveDs())+len(c.GetRemoveKeys())+len(c.GetAddDs())+len(c.GetAddKeys()) > 0
}

// sameSecurity says whether both publish the same DS records.
func sameSecurity(a, b *registry.Domain) bool {
	return slices.EqualFunc(a.DS, b.DS, func(x, y registry.DelegationSigner) bool { return x.SameAs(&y) }) &&
		slices.EqualFunc(a.Keys, b.Keys, func(x, y registry.PublicKey) bool { return x.SameAs(&y) })
}

func delegationSignerFromProto(d *fsmpb.DelegationSigner) registry.DelegationSigner {
	record := registry.DelegationSigner{
		KeyTag: uint16(d.GetKeyTag()), Algorithm: uint8(d.GetAlgorithm()), DigestType: uint8(d.GetDigestType()), Digest: d.GetDigest(),
	}
	if d.GetKey() != nil {
		key := publicKeyFromProto(d.GetKey())
		record.Key = &key
	}
	return record
}

func publicKeyFromProto(k *fsmpb.PublicKey) registry.PublicKey {
	return registry.PublicKey{Flags: uint16(k.GetFlags()), Protocol: uint8(k.GetProtocol()), Algorithm: uint8(k.GetAlgorithm()), Data: k.GetData()}
}
