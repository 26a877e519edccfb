package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// Deny by default: a command is refused unless its row here admits the kind of actor.
// Which objects a registrar may touch is decided by each command from the sponsor.

// authorizeKind says whether an actor of this kind may send such a command at all.
func authorizeKind(command *fsmpb.Command) error {
	kind := command.GetActor().GetKind()
	switch command.GetBody().(type) {
	case *fsmpb.Command_Tick, *fsmpb.Command_ZonePublish, *fsmpb.Command_NodeJoin, *fsmpb.Command_ClusterInit,
		*fsmpb.Command_NodeUpdate, *fsmpb.Command_DisclosureRecord,
		*fsmpb.Command_ZoneKeyStep, *fsmpb.Command_ZoneHold:
		if kind == fsmpb.ActorKind_ACTOR_KIND_SYSTEM {
			return nil
		}
	case *fsmpb.Command_JoinTokenCreate, *fsmpb.Command_NodeRemove, *fsmpb.Command_ClockSet,
		*fsmpb.Command_RegistrarCreate, *fsmpb.Command_RegistrarUpdate, *fsmpb.Command_TldPut,
		*fsmpb.Command_PremiumLoad, *fsmpb.Command_PremiumRemove, *fsmpb.Command_ReservedLoad, *fsmpb.Command_ReservedRemove,
		*fsmpb.Command_HostReturn, *fsmpb.Command_DomainServerUpdate, *fsmpb.Command_HostServerUpdate, *fsmpb.Command_ContactServerUpdate,
		*fsmpb.Command_FeatureLevelRaise, *fsmpb.Command_OrgServerUpdate, *fsmpb.Command_HostImport, *fsmpb.Command_DomainImport,
		*fsmpb.Command_MaintenanceCreate, *fsmpb.Command_MaintenanceUpdate, *fsmpb.Command_MaintenanceCancel,
		*fsmpb.Command_LaunchApplicationDecide, *fsmpb.Command_AllocationTokenCreate, *fsmpb.Command_AllocationTokenRevoke,
		*fsmpb.Command_NodeRole, *fsmpb.Command_TrustPut, *fsmpb.Command_OperatorRevoke,
		*fsmpb.Command_DisclosureGrant, *fsmpb.Command_DisclosureRevoke,
		*fsmpb.Command_ZoneKeyRetire, *fsmpb.Command_ZoneRelease, *fsmpb.Command_ZoneDsGone:
		if kind == fsmpb.ActorKind_ACTOR_KIND_OPERATOR {
			return nil
		}
	case *fsmpb.Command_ZoneKeyAdd, *fsmpb.Command_ZoneKeyDsSeen: // by policy and by hand
		if kind == fsmpb.ActorKind_ACTOR_KIND_SYSTEM || kind == fsmpb.ActorKind_ACTOR_KIND_OPERATOR {
			return nil
		}
	case *fsmpb.Command_ContactCreate, *fsmpb.Command_ContactUpdate, *fsmpb.Command_ContactDelete,
		*fsmpb.Command_HostCreate, *fsmpb.Command_HostUpdate, *fsmpb.Command_HostDelete,
		*fsmpb.Command_DomainCreate, *fsmpb.Command_DomainUpdate, *fsmpb.Command_DomainDelete, *fsmpb.Command_DomainRenew,
		*fsmpb.Command_DomainTransferRequest, *fsmpb.Command_DomainTransferApprove, *fsmpb.Command_DomainTransferReject, *fsmpb.Command_DomainTransferCancel,
		*fsmpb.Command_ContactTransferRequest, *fsmpb.Command_ContactTransferApprove, *fsmpb.Command_ContactTransferReject, *fsmpb.Command_ContactTransferCancel,
		*fsmpb.Command_PollAck,
		*fsmpb.Command_LaunchApplicationCreate, *fsmpb.Command_LaunchApplicationUpdate, *fsmpb.Command_LaunchApplicationDelete,
		*fsmpb.Command_OrgCreate, *fsmpb.Command_OrgUpdate, *fsmpb.Command_OrgDelete, *fsmpb.Command_KeyrelayCreate,
		*fsmpb.Command_DomainRestoreRequest, *fsmpb.Command_DomainRestoreReport, *fsmpb.Command_RegistrarPassword, *fsmpb.Command_AuthInfoFailure:
		if kind == fsmpb.ActorKind_ACTOR_KIND_REGISTRAR {
			return nil
		}
	}
	return refuse(registry.CodeAuthorization, "command", Verb(command), "this kind of actor may not send this command")
}

// isOpenToSuspended says whether a suspended registrar may send the command: one that
// changes nothing but its own queue and its count of failures.
func isOpenToSuspended(command *fsmpb.Command) bool {
	switch command.GetBody().(type) {
	case *fsmpb.Command_PollAck, *fsmpb.Command_AuthInfoFailure:
		return true
	default:
		return false
	}
}

// requireActiveRegistrar says whether the actor is a registrar that may send the command.
func (r *run) requireActiveRegistrar(command *fsmpb.Command) error {
	registrar, found := r.tx.Registrar(r.registrarID())
	if !found {
		return refuse(registry.CodeAuthorization, "clID", string(r.registrarID()), "there is no such registrar")
	}
	switch {
	case registrar.State == registry.RegistrarActive, registrar.State == registry.RegistrarSuspended && r.tx.FeatureLevel() >= registry.LevelRegistrarAccess && isOpenToSuspended(command):
		return nil
	case registrar.State == registry.RegistrarSuspended:
		return refuse(registry.CodeAuthorization, "clID", string(r.registrarID()), "the registrar is suspended and may only read")
	default:
		return refuse(registry.CodeAuthorization, "clID", string(r.registrarID()), "the registrar is disabled")
	}
}

func (r *run) registrarID() registry.RegistrarID {
	if r.behalf != "" {
		return r.behalf
	}
	return registry.RegistrarID(r.actor.GetId())
}

// requireSponsor says whether the acting registrar sponsors the object.
func (r *run) requireSponsor(p *registry.Provenance, field, value string) error {
	if p.Sponsor != r.registrarID() {
		return refuse(registry.CodeAuthorization, field, value, "the object is sponsored by another registrar")
	}
	return nil
}

// requireAccredited says whether the acting registrar may register under the TLD, and
// returns the registrar.
func (r *run) requireAccredited(tld registry.DomainName) (*registry.Registrar, error) {
	registrar, found := r.tx.Registrar(r.registrarID())
	if found {
		for _, accredited := range registrar.TLDs {
			if accredited == tld {
				return registrar, nil
			}
		}
	}
	return nil, refuse(registry.CodeAuthorization, "clID", string(r.registrarID()), "the registrar is not accredited for .%s", tld)
}
