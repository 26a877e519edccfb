package fsm

import (
	"slices"

	"cadastre/policy"
	"cadastre/registry"
)

// requireVariantsFree says whether the acting registrar may register the name in view of
// its variants.
func (r *run) requireVariantsFree(tld *registry.TLD, d *registry.Domain) error {
	others := r.variantsOf(tld, d)
	if len(others) == 0 {
		return nil
	}
	return policy.CheckVariant(tld, d.Name, r.registrarID(), others)
}

// variantsOf returns the registered variants of a name, the oldest first.
func (r *run) variantsOf(tld *registry.TLD, d *registry.Domain) []*registry.Domain {
	if !policy.OffersIDNs(tld) {
		return nil
	}
	var all []*registry.Domain
	for _, name := range r.tx.RegisteredVariants(tld.Name, d.Name, policy.VariantKey(d.Name, d.IDN), maxVariants) {
		if other, found := r.tx.Domain(name); found {
			all = append(all, other)
		}
	}
	slices.SortStableFunc(all, func(a, b *registry.Domain) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all
}

// maxVariants bounds how many variants are looked at: one that is not the registrar's own
// settles the matter, and who holds hundreds of one label gets no more.
const maxVariants = 256

// requireNoVariants says whether the domain can go to another registrar: together with its
// variants it stays with one.
func (r *run) requireNoVariants(tld *registry.TLD, d *registry.Domain) error {
	if others := r.variantsOf(tld, d); len(others) > 0 {
		return refuse(registry.CodeNotTransferable, "name", string(d.Name), "variants of a name have one registrar: %s is registered too", others[0].Name)
	}
	return nil
}

// checkIDNChange says whether the tables of a TLD can be replaced.
func (r *run) checkIDNChange(old, next *registry.TLD) error {
	if !r.tx.HasIDNs(old.Name) {
		return nil
	}
	return policy.CheckIDNChange(old, next)
}
