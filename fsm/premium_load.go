package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maxListEntries bounds the labels that one command puts on a list or takes off, so that its
// entry stays well below what one may hold.
const maxListEntries = 500

// premiumLoad puts labels on the list of premium names of a TLD, or changes their prices. Names
// that are registered keep theirs.
func (r *run) premiumLoad(c *fsmpb.PremiumLoad) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	for _, name := range c.GetNames() {
		r.tx.PutPremiumName(tld.Name, premiumNameFromProto(name))
	}
	if !tld.HasPremiumList {
		next := *tld
		next.HasPremiumList = true
		r.tx.PutTLD(&next)
	}
	return ok(), nil
}

func premiumNameFromProto(name *fsmpb.PremiumName) *registry.PremiumName {
	return &registry.PremiumName{
		Label: name.GetLabel(), Class: name.GetClass(), CreatePriceMinor: name.GetCreatePriceMinor(),
		RenewPriceMinor: name.GetRenewPriceMinor(), RestorePriceMinor: name.GetRestorePriceMinor(),
	}
}
