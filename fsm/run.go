package fsm

import (
	"errors"
	"fmt"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// run is the application of one command.
type run struct {
	tx     *store.Tx
	now    time.Time // registry time
	actor  *fsmpb.Actor
	reason string // why an operator does it
	// behalf is the registrar for whom an operator acts; "": the actor acts for itself.
	behalf  registry.RegistrarID
	clTRID  string
	effects *Effects
	watched []watchedBalance
	// extraWork is what a thing that was due took beyond the usual.
	extraWork int
}

// apply checks the command's shape and the actor's kind, and does what it says. A
// *registry.Error means that the rules refuse it; whatever was written is dropped then.
func (r *run) apply(command *fsmpb.Command) (*fsmpb.Result, error) {
	if len(command.ProtoReflect().GetUnknown()) > 0 || command.GetBody() == nil {
		panic(&Halt{Index: r.tx.At().Index, Reason: "it holds a command that this program does not know"})
	}
	if err := Validate(command); err != nil {
		return nil, err
	}
	if err := authorizeKind(command); err != nil {
		return nil, err
	}
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_ClusterInit:
		return r.clusterInit(body.ClusterInit)
	case *fsmpb.Command_JoinTokenCreate:
		return r.joinTokenCreate(body.JoinTokenCreate)
	case *fsmpb.Command_NodeJoin:
		return r.nodeJoin(body.NodeJoin)
	case *fsmpb.Command_NodeRemove:
		return r.nodeRemove(body.NodeRemove)
	case *fsmpb.Command_NodeUpdate:
		return r.nodeUpdate(body.NodeUpdate)
	case *fsmpb.Command_NodeRole:
		return r.nodeRole(body.NodeRole)
	case *fsmpb.Command_Tick:
		return r.tick(body.Tick)
	case *fsmpb.Command_ClockSet:
		return r.clockSet(body.ClockSet)
	case *fsmpb.Command_FeatureLevelRaise:
		return r.featureLevelRaise(body.FeatureLevelRaise)
	case *fsmpb.Command_TrustPut:
		return r.trustPut(body.TrustPut)
	case *fsmpb.Command_OperatorRevoke:
		return r.operatorRevoke(body.OperatorRevoke)
	default:
		return r.applyOperator(command)
	}
}

// applyOperator does the commands of operators, and those of the leader's own loops.
func (r *run) applyOperator(command *fsmpb.Command) (*fsmpb.Result, error) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_RegistrarCreate:
		return r.registrarCreate(body.RegistrarCreate)
	case *fsmpb.Command_RegistrarUpdate:
		return r.registrarUpdate(body.RegistrarUpdate)
	case *fsmpb.Command_TldPut:
		return r.tldPut(body.TldPut)
	case *fsmpb.Command_ZonePublish:
		return r.zonePublish(body.ZonePublish)
	case *fsmpb.Command_DomainServerUpdate:
		return r.domainServerUpdate(body.DomainServerUpdate)
	case *fsmpb.Command_HostServerUpdate:
		return r.hostServerUpdate(body.HostServerUpdate)
	case *fsmpb.Command_HostReturn:
		return r.hostReturn(body.HostReturn)
	case *fsmpb.Command_ContactServerUpdate:
		return r.contactServerUpdate(body.ContactServerUpdate)
	case *fsmpb.Command_LaunchApplicationDecide:
		return r.launchApplicationDecide(body.LaunchApplicationDecide)
	case *fsmpb.Command_AllocationTokenCreate:
		return r.allocationTokenCreate(body.AllocationTokenCreate)
	case *fsmpb.Command_AllocationTokenRevoke:
		return r.allocationTokenRevoke(body.AllocationTokenRevoke)
	case *fsmpb.Command_OrgServerUpdate:
		return r.orgServerUpdate(body.OrgServerUpdate)
	case *fsmpb.Command_HostImport:
		return r.hostImport(body.HostImport)
	case *fsmpb.Command_DomainImport:
		return r.domainImport(body.DomainImport)
	case *fsmpb.Command_MaintenanceCreate:
		return r.maintenanceCreate(body.MaintenanceCreate)
	case *fsmpb.Command_MaintenanceUpdate:
		return r.maintenanceUpdate(body.MaintenanceUpdate)
	case *fsmpb.Command_MaintenanceCancel:
		return r.maintenanceCancel(body.MaintenanceCancel)
	case *fsmpb.Command_ZoneKeyAdd:
		return r.zoneKeyAdd(body.ZoneKeyAdd)
	case *fsmpb.Command_ZoneKeyStep:
		return r.zoneKeyStep(body.ZoneKeyStep)
	case *fsmpb.Command_ZoneKeyDsSeen:
		return r.zoneKeyDSSeen(body.ZoneKeyDsSeen)
	case *fsmpb.Command_ZoneKeyRetire:
		return r.zoneKeyRetire(body.ZoneKeyRetire)
	case *fsmpb.Command_ZoneHold:
		return r.zoneHold(body.ZoneHold)
	case *fsmpb.Command_ZoneRelease:
		return r.zoneRelease(body.ZoneRelease)
	case *fsmpb.Command_ZoneDsGone:
		return r.zoneDSGone(body.ZoneDsGone)
	default:
		if known, result, err := r.applyDisclosure(command); known {
			return result, err
		}
		if known, result, err := r.applyList(command); known {
			return result, err
		}
		return r.applyObject(command)
	}
}

// applyList does the commands on lists of labels and says whether the command is one.
func (r *run) applyList(command *fsmpb.Command) (known bool, result *fsmpb.Result, err error) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_PremiumLoad:
		result, err = r.premiumLoad(body.PremiumLoad)
	case *fsmpb.Command_PremiumRemove:
		result, err = r.premiumRemove(body.PremiumRemove)
	case *fsmpb.Command_ReservedLoad:
		result, err = r.reservedLoad(body.ReservedLoad)
	case *fsmpb.Command_ReservedRemove:
		result, err = r.reservedRemove(body.ReservedRemove)
	default:
		return false, nil, nil
	}
	return true, result, err
}

// applyObject does the commands that come from registrars.
func (r *run) applyObject(command *fsmpb.Command) (*fsmpb.Result, error) {
	if err := r.requireActiveRegistrar(command); err != nil {
		return nil, err
	}
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_ContactCreate:
		return r.contactCreate(body.ContactCreate)
	case *fsmpb.Command_ContactUpdate:
		return r.contactUpdate(body.ContactUpdate)
	case *fsmpb.Command_ContactDelete:
		return r.contactDelete(body.ContactDelete)
	case *fsmpb.Command_HostCreate:
		return r.hostCreate(body.HostCreate)
	case *fsmpb.Command_HostUpdate:
		return r.hostUpdate(body.HostUpdate)
	case *fsmpb.Command_HostDelete:
		return r.hostDelete(body.HostDelete)
	case *fsmpb.Command_DomainCreate:
		return r.domainCreate(body.DomainCreate)
	case *fsmpb.Command_DomainUpdate:
		return r.domainUpdate(body.DomainUpdate)
	case *fsmpb.Command_DomainDelete:
		return r.domainDelete(body.DomainDelete)
	case *fsmpb.Command_DomainRenew:
		return r.domainRenew(body.DomainRenew)
	case *fsmpb.Command_DomainRestoreRequest:
		return r.domainRestoreRequest(body.DomainRestoreRequest)
	case *fsmpb.Command_DomainRestoreReport:
		return r.domainRestoreReport(body.DomainRestoreReport)
	case *fsmpb.Command_RegistrarPassword:
		return r.registrarPassword(body.RegistrarPassword)
	case *fsmpb.Command_OrgCreate:
		return r.orgCreate(body.OrgCreate)
	case *fsmpb.Command_OrgUpdate:
		return r.orgUpdate(body.OrgUpdate)
	case *fsmpb.Command_OrgDelete:
		return r.orgDelete(body.OrgDelete)
	case *fsmpb.Command_AuthInfoFailure:
		return r.authInfoFailure(body.AuthInfoFailure)
	case *fsmpb.Command_LaunchApplicationCreate:
		return r.launchApplicationCreate(body.LaunchApplicationCreate)
	case *fsmpb.Command_LaunchApplicationUpdate:
		return r.launchApplicationUpdate(body.LaunchApplicationUpdate)
	case *fsmpb.Command_LaunchApplicationDelete:
		return r.launchApplicationDelete(body.LaunchApplicationDelete)
	default:
		return r.applyTransferOrPoll(command)
	}
}

// applyTransferOrPoll does the commands that two registrars have to do with.
func (r *run) applyTransferOrPoll(command *fsmpb.Command) (*fsmpb.Result, error) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_DomainTransferRequest:
		return r.domainTransferRequest(body.DomainTransferRequest)
	case *fsmpb.Command_DomainTransferApprove:
		return r.domainTransferApprove(body.DomainTransferApprove)
	case *fsmpb.Command_DomainTransferReject:
		return r.domainTransferReject(body.DomainTransferReject)
	case *fsmpb.Command_DomainTransferCancel:
		return r.domainTransferCancel(body.DomainTransferCancel)
	case *fsmpb.Command_ContactTransferRequest:
		return r.contactTransferRequest(body.ContactTransferRequest)
	case *fsmpb.Command_ContactTransferApprove:
		return r.contactTransferApprove(body.ContactTransferApprove)
	case *fsmpb.Command_ContactTransferReject:
		return r.contactTransferReject(body.ContactTransferReject)
	case *fsmpb.Command_ContactTransferCancel:
		return r.contactTransferCancel(body.ContactTransferCancel)
	case *fsmpb.Command_PollAck:
		return r.pollAck(body.PollAck)
	case *fsmpb.Command_KeyrelayCreate:
		return r.keyrelayCreate(body.KeyrelayCreate)
	default:
		panic(&Halt{Index: r.tx.At().Index, Reason: fmt.Sprintf("it holds a command of type %T, which this program does not apply", body)})
	}
}

// refusal turns an error of the rules into a result. Any other error is a defect or a
// storage failure and stops the node.
func refusal(err error) *fsmpb.Result {
	var refused *registry.Error
	if !errors.As(err, &refused) {
		panic(&store.Fault{Op: "apply", Err: err})
	}
	return &fsmpb.Result{
		Code:   uint32(refused.Code),
		Errors: []*fsmpb.FieldError{{Field: refused.Field, Value: refused.Value, Reason: refused.Reason}},
	}
}

// ok returns a result that says only that it is done.
func ok() *fsmpb.Result { return &fsmpb.Result{Code: uint32(registry.CodeOK)} }

// ResultError returns the refusal that the result stands for, nil if it is none.
func ResultError(result *fsmpb.Result) error {
	code := registry.Code(result.GetCode())
	if code.IsSuccess() {
		return nil
	}
	e := &registry.Error{Code: code}
	if list := result.GetErrors(); len(list) > 0 {
		e.Field, e.Value, e.Reason = list[0].GetField(), list[0].GetValue(), list[0].GetReason()
	}
	return e
}

// refuse makes a refusal by the rules.
func refuse(code registry.Code, field, value, reason string, args ...any) error {
	return &registry.Error{Code: code, Field: field, Value: value, Reason: fmt.Sprintf(reason, args...)}
}

// Verb returns the command's name as history and logs show it: that of its file.
func Verb(command *fsmpb.Command) string {
	message := command.ProtoReflect()
	body := message.WhichOneof(message.Descriptor().Oneofs().Get(0)) // a command has this one only
	if body == nil {
		return "unknown"
	}
	return string(body.Name())
}
