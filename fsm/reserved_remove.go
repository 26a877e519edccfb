package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// reservedRemove takes labels off the list of reserved ones of a TLD.
func (r *run) reservedRemove(c *fsmpb.ReservedRemove) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	for _, label := range c.GetLabels() {
		if !r.tx.IsReserved(tld.Name, label) {
			return nil, refuse(registry.CodeObjectDoesNotExist, "label", label, "the label is not on the list of reserved ones; those of the policy document are changed with it")
		}
		r.tx.DeleteReserved(tld.Name, label)
	}
	return ok(), nil
}
