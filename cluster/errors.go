package cluster

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
)

// StatusFromError turns an error of a service into the gRPC status that carries it. Of an
// error that is none of ours only its being internal is told; the log has the rest.
func StatusFromError(err error) error {
	if err == nil {
		return nil
	}
	if nl, ok := asNotLeader(err); ok {
		return withDetail(codes.FailedPrecondition, nl.Error(),
			&clusterpb.NotLeader{LeaderId: nl.LeaderID, LeaderAddress: nl.LeaderAddress})
	}
	if re, ok := errors.AsType[*registry.Error](err); ok {
		// The cause may hold what only the log should know.
		shown := &registry.Error{Code: re.Code, Field: re.Field, Value: re.Value, Reason: re.Reason}
		return withDetail(grpcCode(re.Code), shown.Error(),
			&clusterpb.ErrorDetail{Code: uint32(re.Code), Field: re.Field, Value: re.Value, Reason: re.Reason})
	}
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "the time for the call is over")
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, "the call was cancelled")
	}
	return status.Error(codes.Internal, "internal error; the node's log has the details")
}

func withDetail(code codes.Code, message string, detail protoadapt.MessageV1) error {
	s, err := status.New(code, message).WithDetails(detail)
	if err != nil {
		return status.Error(code, message)
	}
	return s.Err()
}

// ErrorFromStatus is the inverse of StatusFromError for a client: a *registry.Error or a
// *raftnode.NotLeaderError where the status carries one, otherwise err as it is.
func ErrorFromStatus(err error) error {
	s, ok := status.FromError(err)
	if err == nil || !ok {
		return err
	}
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *clusterpb.NotLeader:
			return &raftnode.NotLeaderError{LeaderID: d.LeaderId, LeaderAddress: d.LeaderAddress}
		case *clusterpb.ErrorDetail:
			return &registry.Error{Code: registry.Code(d.Code), Field: d.Field, Value: d.Value, Reason: d.Reason}
		}
	}
	return err
}

// outcomeToProto is what a proposal ended with. An error that is none of ours leaves open
// whether the command takes effect; the log has what it was.
func outcomeToProto(result *fsmpb.Result, err error) (outcome *clusterpb.ProposeOutcome, isOurs bool) {
	if err == nil {
		return &clusterpb.ProposeOutcome{Outcome: &clusterpb.ProposeOutcome_Result{Result: result}}, true
	}
	if nl, ok := asNotLeader(err); ok {
		return &clusterpb.ProposeOutcome{Outcome: &clusterpb.ProposeOutcome_NotLeader{
			NotLeader: &clusterpb.NotLeader{LeaderId: nl.LeaderID, LeaderAddress: nl.LeaderAddress}}}, true
	}
	re, isOurs := errors.AsType[*registry.Error](err)
	if !isOurs {
		re = &registry.Error{Code: registry.CodeOutcomeUnknown, Reason: "internal error; the node's log has the details"}
	}
	return &clusterpb.ProposeOutcome{Outcome: &clusterpb.ProposeOutcome_Error{
		Error: &clusterpb.ErrorDetail{Code: uint32(re.Code), Field: re.Field, Value: re.Value, Reason: re.Reason}}}, isOurs
}

// outcomeFromProto is the inverse of outcomeToProto.
func outcomeFromProto(o *clusterpb.ProposeOutcome) outcomeOf {
	switch o := o.GetOutcome().(type) {
	case *clusterpb.ProposeOutcome_Result:
		return outcomeOf{result: o.Result}
	case *clusterpb.ProposeOutcome_NotLeader:
		return outcomeOf{err: &raftnode.NotLeaderError{LeaderID: o.NotLeader.GetLeaderId(), LeaderAddress: o.NotLeader.GetLeaderAddress()}}
	case *clusterpb.ProposeOutcome_Error:
		d := o.Error
		return outcomeOf{err: &registry.Error{Code: registry.Code(d.GetCode()), Field: d.GetField(), Value: d.GetValue(), Reason: d.GetReason()}}
	default:
		return outcomeOf{err: &registry.Error{Code: registry.CodeOutcomeUnknown, Reason: "the leader's answer cannot be read"}}
	}
}

func grpcCode(code registry.Code) codes.Code {
	switch code {
	case registry.CodeParameterSyntax, registry.CodeParameterRange, registry.CodeParameterPolicy,
		registry.CodeParameterMissing:
		return codes.InvalidArgument
	case registry.CodeObjectExists:
		return codes.AlreadyExists
	case registry.CodeObjectDoesNotExist:
		return codes.NotFound
	case registry.CodeAuthorization, registry.CodeInvalidAuthInfo:
		return codes.PermissionDenied
	case registry.CodeAuthentication:
		return codes.Unauthenticated
	case registry.CodeConflict:
		return codes.Aborted
	case registry.CodeUnavailable:
		return codes.Unavailable
	case registry.CodeOverloaded:
		return codes.ResourceExhausted
	case registry.CodeOutcomeUnknown:
		return codes.Unknown
	case registry.CodeInternal:
		return codes.Internal
	case registry.CodeFeatureLevel:
		return codes.FailedPrecondition
	case registry.CodeUnimplementedOption, registry.CodeUnimplementedObject:
		return codes.Unimplemented
	default:
		return codes.FailedPrecondition
	}
}

// ResultError returns the refusal that a result stands for, or nil if the command took
// effect.
func ResultError(result *fsmpb.Result) error {
	code := registry.Code(result.GetCode())
	if code.IsSuccess() {
		return nil
	}
	e := &registry.Error{Code: code}
	if errs := result.GetErrors(); len(errs) > 0 {
		e.Field, e.Value, e.Reason = errs[0].Field, errs[0].Value, errs[0].Reason
	}
	return e
}

func refuse(code registry.Code, field, value, reason string) error {
	return &registry.Error{Code: code, Field: field, Value: value, Reason: reason}
}
