package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

func (e *encoder) phase(num protowire.Number, p registry.Phase) {
	if p != (registry.Phase{}) {
		e.msg(num, func(e *encoder) { e.str(1, p.Type); e.str(2, p.Name) })
	}
}

func (d *decoder) phase() registry.Phase {
	var p registry.Phase
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				p.Type = d.str()
			case 2:
				p.Name = d.str()
			default:
				d.unknown()
			}
		}
	})
	return p
}

func (e *encoder) domainLaunch(domain *registry.Domain) {
	e.phase(fieldDomainPhase, domain.LaunchPhase)
	for i := range domain.ClaimsNotices {
		n := &domain.ClaimsNotices[i]
		e.msg(fieldDomainNotice, func(e *encoder) {
			e.str(1, n.ID)
			e.str(2, n.ValidatorID)
			e.time(3, n.NotAfter)
			e.time(4, n.AcceptedAt)
		})
	}
}

func (d *decoder) claimsNotice() registry.ClaimsNotice {
	var n registry.ClaimsNotice
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				n.ID = d.str()
			case 2:
				n.ValidatorID = d.str()
			case 3:
				n.NotAfter = d.time()
			case 4:
				n.AcceptedAt = d.time()
			default:
				d.unknown()
			}
		}
	})
	return n
}

func (e *encoder) launchPhases(phases []registry.LaunchPhase) {
	for i := range phases {
		p := &phases[i]
		e.msg(fieldPolicyLaunchPhase, func(e *encoder) {
			e.phase(1, p.Phase)
			e.time(2, p.StartsAt)
			e.time(3, p.EndsAt)
			e.bool(4, p.Applications)
			e.bool(5, p.NoticeRequired)
		})
	}
}

func (d *decoder) launchPhase() registry.LaunchPhase {
	var p registry.LaunchPhase
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				p.Phase = d.phase()
			case 2:
				p.StartsAt = d.time()
			case 3:
				p.EndsAt = d.time()
			case 4:
				p.Applications = d.bool()
			case 5:
				p.NoticeRequired = d.bool()
			default:
				d.unknown()
			}
		}
	})
	return p
}

func (e *encoder) applicationStep(s *registry.ApplicationStep) {
	if s == nil {
		return
	}
	e.msg(fieldPollApplication, func(e *encoder) {
		e.str(1, s.ID)
		e.phase(2, s.Phase)
		e.uint(3, uint64(s.Status))
		e.str(4, s.StatusName)
		e.str(5, s.Reason)
	})
}

func (d *decoder) applicationStep() *registry.ApplicationStep {
	s := &registry.ApplicationStep{}
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				s.ID = d.str()
			case 2:
				s.Phase = d.phase()
			case 3:
				s.Status = registry.ApplicationStatus(d.val)
			case 4:
				s.StatusName = d.str()
			case 5:
				s.Reason = d.str()
			default:
				d.unknown()
			}
		}
	})
	return s
}
