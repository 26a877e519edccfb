package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// requireRegistrations says whether names are registered in the phase that the command
// names, or now if it names none, and notes the phase and the claims notices.
func (r *run) requireRegistrations(o *offer, c *fsmpb.DomainCreate) error {
	if c.GetLaunchPhase() == nil {
		phase, err := policy.OpenPhase(o.tld, r.now)
		if err != nil {
			return err
		}
		return r.noteNotices(o, phase, c)
	}
	phase, err := policy.RunningPhase(o.tld, phaseFromProto(c.GetLaunchPhase()), r.now)
	if err != nil {
		return err
	}
	if phase.Applications {
		return refuse(registry.CodeParameterPolicy, "phase", phase.Type, "the phase %s takes applications, not registrations", phase.Phase)
	}
	o.domain.LaunchPhase = phase.Phase
	return r.noteNotices(o, phase, c)
}

// noteNotices checks the claims notices of a create and keeps them with the domain.
func (r *run) noteNotices(o *offer, phase *registry.LaunchPhase, c *fsmpb.DomainCreate) error {
	for _, n := range c.GetClaimsNotices() {
		o.domain.ClaimsNotices = append(o.domain.ClaimsNotices, registry.ClaimsNotice{
			ID: n.GetId(), ValidatorID: n.GetValidatorId(), NotAfter: optionalInstant(n.GetNotAfterMs()), AcceptedAt: optionalInstant(n.GetAcceptedAtMs()),
		})
	}
	return policy.CheckNotices(phase, o.domain.ClaimsNotices, r.now)
}

// ownApplication returns an application of the acting registrar that is not decided, given
// its phase and its name (RFC 8334 sections 3.4 and 3.5).
func (r *run) ownApplication(id string, phase *fsmpb.LaunchPhaseName, name string) (*registry.Application, error) {
	a, found := r.tx.Application(id)
	if !found || string(a.Domain.Name) != name {
		return nil, refuse(registry.CodeObjectDoesNotExist, "applicationID", id, "there is no such application for the name")
	}
	if err := r.requireSponsor(&a.Domain.Provenance, "applicationID", id); err != nil {
		return nil, err
	}
	if phaseFromProto(phase) != a.Phase {
		return nil, refuse(registry.CodeParameterPolicy, "phase", phase.GetType(), "the application is of the phase %s", a.Phase)
	}
	if a.Status.IsFinal() {
		return nil, refuse(registry.CodeStatusProhibits, "applicationID", id, "the application is %s, which is final", a.Status)
	}
	return a, nil
}

// notifyApplication tells the applicant of the status to which the application came.
func (r *run) notifyApplication(a *registry.Application) {
	r.notifyDomain(a.Domain.Sponsor, &a.Domain, registry.PollMessage{
		Kind: registry.PollApplication, Action: a.Action, ActAt: r.now,
		Application: &registry.ApplicationStep{ID: a.ID, Phase: a.Phase, Status: a.Status, StatusName: a.StatusName, Reason: r.reason},
	})
}

func phaseFromProto(p *fsmpb.LaunchPhaseName) registry.Phase {
	return registry.Phase{Type: p.GetType(), Name: p.GetName()}
}

func launchPhasesFromProto(phases []*fsmpb.LaunchPhase) []registry.LaunchPhase {
	var out []registry.LaunchPhase
	for _, p := range phases {
		out = append(out, registry.LaunchPhase{
			Phase: phaseFromProto(p.GetPhase()), StartsAt: optionalInstant(p.GetStartsAtMs()), EndsAt: optionalInstant(p.GetEndsAtMs()),
			Applications: p.GetApplications(), NoticeRequired: p.GetNoticeRequired(),
		})
	}
	return out
}

func launchPhasesToProto(phases []registry.LaunchPhase) []*fsmpb.LaunchPhase {
	var out []*fsmpb.LaunchPhase
	for i := range phases {
		p := &phases[i]
		message := &fsmpb.LaunchPhase{
			Phase: &fsmpb.LaunchPhaseName{Type: p.Type, Name: p.Name}, Applications: p.Applications, NoticeRequired: p.NoticeRequired,
		}
		if !p.StartsAt.IsZero() {
			message.StartsAtMs = p.StartsAt.UnixMilli()
		}
		if !p.EndsAt.IsZero() {
			message.EndsAtMs = p.EndsAt.UnixMilli()
		}
		out = append(out, message)
	}
	return out
}
