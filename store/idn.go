package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Fields of rows that have to do with internationalised names.
const (
	fieldDomainIDNTable        protowire.Number = 100
	fieldDomainIDNKey          protowire.Number = 101
	fieldPolicyIDNTable        protowire.Number = 100
	fieldPolicyIDNCustomTable  protowire.Number = 101
	fieldPolicyIDNVariants     protowire.Number = 102
	fieldPolicyIDNTableRequire protowire.Number = 103
	fieldPolicyIDNOnly         protowire.Number = 104
)

// variantKey is the prefix of the names under a TLD that are variants of each other.
func variantKey(tld registry.DomainName, common string) key {
	return tableVariant.key().str(string(tld)).str(common)
}

// RegisteredVariants returns up to limit other names registered under the TLD that have the
// same key as the name.
func (tx *ReadTx) RegisteredVariants(tld, name registry.DomainName, common string, limit int) []registry.DomainName {
	var names []registry.DomainName
	// An ASCII label is its own key, so that it has no row.
	if plain := registry.DomainName(common) + "." + tld; plain != name && tx.HasDomain(plain) {
		names = append(names, plain)
	}
	tx.scan(variantKey(tld, common), nil, func(rest, _ []byte) bool {
		if other := registry.DomainName(rest); other != name {
			names = append(names, other)
		}
		return len(names) < limit
	})
	return names
}

// HasIDNs says whether any internationalised name is registered under the TLD.
func (tx *ReadTx) HasIDNs(tld registry.DomainName) bool {
	some := false
	tx.scan(tableVariant.key().str(string(tld)), nil, func(_, _ []byte) bool {
		some = true
		return false
	})
	return some
}

func (e *encoder) policyIDN(p *registry.TLDPolicy) {
	for _, tag := range p.IDNTables {
		e.elem(fieldPolicyIDNTable, []byte(tag))
	}
	for _, text := range p.IDNCustomTables {
		e.elem(fieldPolicyIDNCustomTable, []byte(text))
	}
	e.bool(fieldPolicyIDNVariants, p.IDNVariantsForRegistrar)
	e.bool(fieldPolicyIDNTableRequire, p.IDNTableRequired)
	e.bool(fieldPolicyIDNOnly, p.IDNOnly)
}

func (d *decoder) policyIDN(p *registry.TLDPolicy) {
	switch d.num {
	case fieldPolicyIDNTable:
		p.IDNTables = append(p.IDNTables, d.str())
	case fieldPolicyIDNCustomTable:
		p.IDNCustomTables = append(p.IDNCustomTables, d.str())
	case fieldPolicyIDNVariants:
		p.IDNVariantsForRegistrar = d.bool()
	case fieldPolicyIDNTableRequire:
		p.IDNTableRequired = d.bool()
	case fieldPolicyIDNOnly:
		p.IDNOnly = d.bool()
	default:
		d.unknown()
	}
}
