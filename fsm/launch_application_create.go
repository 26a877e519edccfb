package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// launchApplicationCreate applies for a name (RFC 8334 section 3.3). The price is set
// aside until the application is decided.
func (r *run) launchApplicationCreate(c *fsmpb.LaunchApplicationCreate) (*fsmpb.Result, error) {
	o, err := r.offer(c.GetDomain())
	if err != nil {
		return nil, err
	}
	phase, err := policy.RunningPhase(o.tld, phaseFromProto(c.GetDomain().GetLaunchPhase()), r.now)
	if err != nil {
		return nil, err
	}
	if !phase.Applications {
		return nil, refuse(registry.CodeParameterPolicy, "phase", phase.Type, "the phase %s takes registrations, not applications", phase.Phase)
	}
	if err := policy.CheckCodes(phase, len(c.GetCodes())); err != nil {
		return nil, err
	}
	if err := r.noteNotices(o, phase, c.GetDomain()); err != nil {
		return nil, err
	}
	if err := r.pricedOffer(o, c.GetDomain()); err != nil {
		return nil, err
	}
	id, err := r.newROID(c.GetApplicationRoid(), o.tld.Policy.ROIDSuffix)
	if err != nil {
		return nil, err
	}
	o.domain.LaunchPhase = phase.Phase
	o.domain.Statuses = o.domain.Statuses.With(registry.StatusPendingCreate)
	at := r.tx.At()
	a := &registry.Application{
		ID: string(id), Phase: phase.Phase, Status: policy.FirstStatus(len(c.GetCodes())), StatusAt: r.now, Domain: *o.domain, PeriodYears: o.years,
		Action:      registry.Action{CLTRID: r.clTRID, Term: at.Term, Index: at.Index, InEntry: at.InEntry},
		ReservedRow: r.reserve(o.tld, o.domain, o.years, o.price),
	}
	a.Domain.ExpiresAt = time.Time{} // the years begin when the name is allocated
	for _, code := range c.GetCodes() {
		a.Codes = append(a.Codes, registry.LaunchCode{Code: code.GetCode(), ValidatorID: code.GetValidatorId(), Mark: code.GetMark()})
	}
	r.spendToken(o.token, o.domain.Name)
	r.tx.PutApplication(a)
	result := r.createdResult(o.domain.ROID)
	result.Code, result.ApplicationId = uint32(registry.CodeOKPending), a.ID
	r.settled(result, o.tld, o.price, o.years)
	return result, nil
}
