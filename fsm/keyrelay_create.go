package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// keyrelayCreate puts keys into the queue of the sponsor of a domain, for whoever knows the
// domain's authorisation information (RFC 8063 section 3.2.1).
func (r *run) keyrelayCreate(c *fsmpb.KeyrelayCreate) (*fsmpb.Result, error) {
	domain, tld, err := r.pendingDomain(c.GetName())
	if err != nil {
		return nil, err
	}
	if _, err := r.requireAccredited(tld.Name); err != nil {
		return nil, err
	}
	if domain.Sponsor == r.registrarID() {
		return nil, refuse(registry.CodeParameterPolicy, "name", c.GetName(), "the registrar sponsors the domain: the keys would come back to it")
	}
	if err := r.requireDomainProof(domain, c.GetAuthProof()); err != nil {
		return nil, err
	}
	if domain.Phase != registry.PhaseNone {
		return nil, refuse(registry.CodeStatusProhibits, "name", c.GetName(), "the domain is being deleted")
	}
	relay := &registry.KeyRelay{From: r.registrarID()}
	for _, given := range c.GetKeys() {
		relayed := registry.RelayedKey{Key: publicKeyFromProto(given.GetKey()), For: given.GetFor()}
		if err := policy.CheckRelayedKey(&relayed.Key); err != nil {
			return nil, err
		}
		if given.UntilMs != nil {
			relayed.Until = time.UnixMilli(given.GetUntilMs()).UTC()
		}
		relay.Keys = append(relay.Keys, relayed)
	}
	r.notifyDomain(domain.Sponsor, domain, registry.PollMessage{Kind: registry.PollKeyRelay, KeyRelay: relay})
	return ok(), nil
}
