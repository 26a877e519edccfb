package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// launchElements are what commands carry of launch phases (RFC 8334 section 3).
func launchElements() []extensionElement {
	return []extensionElement{
		{"check", isBody[*eppxml.DomainCheck], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.launchCheck, err = eppxml.DecodeLaunchCheck(e)
			return err
		}},
		{"info", isBody[*eppxml.DomainInfo], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.launchInfo, err = eppxml.DecodeLaunchInfo(e)
			return err
		}},
		{"create", isBody[*eppxml.DomainCreate], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.launchCreate, err = eppxml.DecodeLaunchCreate(e)
			return err
		}},
		{"update", isBody[*eppxml.DomainUpdate], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.launchUpdate, err = eppxml.DecodeLaunchUpdate(e)
			return err
		}},
		{"delete", isBody[*eppxml.DomainDelete], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.launchDelete, err = eppxml.DecodeLaunchDelete(e)
			return err
		}},
	}
}

// maxShownOctets bounds names and identifiers that the schemas leave open, so that an answer
// does not send back whatever a command brings.
const maxShownOctets = 255

// launchCreate is a create that names a phase: a registration or an application, as the
// client says or, if it does not, as the phase is (RFC 8334 section 3.3).
func (c *call) launchCreate(ctx context.Context, q *eppxml.DomainCreate) (*answer, error) {
	given := c.extensions.launchCreate
	if len(given.Signed) > 0 {
		return nil, &refusal{code: codeParameterPolicy, value: eppxml.Value{NS: eppxml.NSLaunch, Name: "create"},
			reason: "signed marks are not validated here; give a code or an unsigned mark with an application, where the phase takes them"}
	}
	command, err := c.domainCreateCommand(q)
	if err != nil {
		return nil, err
	}
	command.LaunchPhase = phaseName(given.Phase)
	for i := range given.Notices {
		n := &given.Notices[i]
		command.ClaimsNotices = append(command.ClaimsNotices, &fsmpb.ClaimsNotice{
			Id: n.ID, ValidatorId: n.ValidatorID, NotAfterMs: n.NotAfter.UnixMilli(), AcceptedAtMs: n.AcceptedDate.UnixMilli(),
		})
	}
	applies := given.Type == eppxml.LaunchApplication
	if given.Type == "" {
		if applies, err = c.takesApplications(ctx, command.GetName(), given.Phase); err != nil {
			return nil, err
		}
	}
	if applies {
		return c.launchApplicationCreate(ctx, command)
	}
	if len(given.Codes) > 0 {
		return nil, refuse(registry.CodeParameterPolicy, "codeMark", "", "codes and marks come with applications, not with registrations")
	}
	return c.createDomain(ctx, command)
}

// takesApplications says whether the phase, if it runs, is one of applications. One that
// does not is refused where the command is applied.
func (c *call) takesApplications(ctx context.Context, name string, phase eppxml.LaunchPhase) (takes bool, err error) {
	err = c.view(ctx, func(tx *store.ReadTx) error {
		if tld, inside := tx.TLDOf(registry.DomainName(name)); inside {
			running, _ := policy.RunningPhase(tld, registry.Phase(phase), tx.Now())
			takes = running != nil && running.Applications
		}
		return nil
	})
	return takes, err
}

func phaseName(p eppxml.LaunchPhase) *fsmpb.LaunchPhaseName {
	return &fsmpb.LaunchPhaseName{Type: p.Type, Name: p.Name}
}

// shownRegistrationPhase is what an info says of the phase in which a name was registered,
// which must be the one asked for. Names registered without naming a phase were registered
// in the open one.
func shownRegistrationPhase(domain *registry.Domain, asked *eppxml.LaunchInfo) ([]extensionData, error) {
	if asked == nil {
		return nil, nil
	}
	phase := domain.LaunchPhase
	if phase == (registry.Phase{}) {
		phase.Type = registry.PhaseOpen
	}
	if phase != registry.Phase(asked.Phase) {
		return nil, refuse(registry.CodeParameterPolicy, "phase", asked.Phase.Type, "the name was not registered in this phase")
	}
	return []extensionData{{uri: eppxml.NSLaunch, xml: eppxml.AppendLaunchInfData(nil, &eppxml.LaunchInfData{Phase: asked.Phase})}}, nil
}

// shownStep is what a message says of the status of an application (RFC 8334 section 2.5).
func shownStep(s *registry.ApplicationStep) []extensionData {
	return []extensionData{{uri: eppxml.NSLaunch, xml: eppxml.AppendLaunchInfData(nil, &eppxml.LaunchInfData{
		Phase: eppxml.LaunchPhase(s.Phase), ApplicationID: s.ID, Status: s.Status.String(), StatusName: s.StatusName,
	})}}
}
