package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// premiumRemove takes labels off the list of premium names of a TLD.
func (r *run) premiumRemove(c *fsmpb.PremiumRemove) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	for _, label := range c.GetLabels() {
		if _, found := r.tx.PremiumName(tld.Name, label); !found {
			return nil, refuse(registry.CodeObjectDoesNotExist, "label", label, "the label is not on the list of premium names; those of the policy document are changed with it")
		}
		r.tx.DeletePremiumName(tld.Name, label)
	}
	return ok(), nil
}
