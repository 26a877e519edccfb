package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// launchApplicationUpdate changes what an application that is not decided asks for (RFC 8334
// section 3.4). Statuses come with the domain.
func (r *run) launchApplicationUpdate(c *fsmpb.LaunchApplicationUpdate) (*fsmpb.Result, error) {
	change := c.GetChange()
	a, err := r.ownApplication(c.GetApplicationId(), c.GetLaunchPhase(), change.GetName())
	if err != nil {
		return nil, err
	}
	if len(change.GetAddStatuses())+len(change.GetRemoveStatuses()) > 0 {
		return nil, refuse(registry.CodeParameterPolicy, "status", "", "an application has no statuses that can be set; the domain has, once it is allocated")
	}
	tld, err := r.requireTLD(a.Domain.TLD)
	if err != nil {
		return nil, err
	}
	next := *a
	if err := r.changeDomainLinks(tld, &next.Domain, change); err != nil {
		return nil, err
	}
	if err := changeSecurity(tld, &next.Domain, change); err != nil {
		return nil, err
	}
	if next.Domain.TTLs, err = changeTTLs(tld, registry.KindDomain, a.Domain.TTLs, change.GetTtls()); err != nil {
		return nil, err
	}
	if err := policy.CheckAuthInfo(tld, change.GetAuthInfo().GetWeak()); err != nil {
		return nil, err
	}
	if change.AuthInfo != nil {
		next.Domain.AuthInfo = r.newAuthInfo(change.GetAuthInfo(), tld)
	}
	r.updated(&next.Domain.Provenance)
	r.tx.PutApplication(&next)
	return ok(), nil
}
