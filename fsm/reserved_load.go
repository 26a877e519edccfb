package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// reservedLoad puts labels on the list of reserved ones of a TLD. Names that are registered stay so.
func (r *run) reservedLoad(c *fsmpb.ReservedLoad) (*fsmpb.Result, error) {
	tld, err := r.requireTLD(registry.DomainName(c.GetTld()))
	if err != nil {
		return nil, err
	}
	for _, label := range c.GetLabels() {
		r.tx.PutReserved(tld.Name, label)
	}
	if !tld.HasReservedList {
		next := *tld
		next.HasReservedList = true
		r.tx.PutTLD(&next)
	}
	return ok(), nil
}
