package registry

import (
	"fmt"
	"strings"
)

// Code says how a command ended. The numbers are stored in the replicated state and are
// append-only. Only the epp package maps them to the result codes of RFC 5730 section 3.
type Code uint32

// The codes. Each is returned when its comment holds.
const (
	CodeOK                  Code = 0  // the command did what it says
	CodeOKPending           Code = 1  // accepted; the action completes later
	CodeParameterSyntax     Code = 2  // a value breaks the syntax of its field
	CodeParameterRange      Code = 3  // a value lies outside its range
	CodeParameterPolicy     Code = 4  // a value is well-formed but the TLD's policy refuses it
	CodeParameterMissing    Code = 5  // a required value is absent
	CodeObjectExists        Code = 6  // the object to be made is there already
	CodeObjectDoesNotExist  Code = 7  // the object named is not there
	CodeStatusProhibits     Code = 8  // a status of the object forbids the operation
	CodeAssociationForbids  Code = 9  // another object's link to this one forbids it
	CodeAuthorization       Code = 10 // the actor may not do this to this object
	CodeInvalidAuthInfo     Code = 11 // the authorisation information given is wrong
	CodeBilling             Code = 12 // the registrar's credit does not cover the charge
	CodeNotRenewable        Code = 13 // the object cannot be renewed now
	CodeNotTransferable     Code = 14 // the object cannot be transferred now
	CodeAuthentication      Code = 15 // who the actor is could not be established
	CodeUnimplementedOption Code = 16 // a known option is not offered here
	CodeDataPolicy          Code = 17 // the data management policy of the registry forbids it
	CodeConflict            Code = 18 // the command builds on a state that is no longer the current one
	CodeUnavailable         Code = 19 // no leader: nothing was done, try again
	CodeOutcomeUnknown      Code = 20 // it may or may not have been done; ask again with the same request id
	CodeInternal            Code = 21 // a fault of the server; details are in its log only
	CodePendingTransfer     Code = 22 // a transfer of the object is pending
	CodeNotPendingTransfer  Code = 23 // no transfer of the object is pending
	CodeUnimplementedObject Code = 24 // the object service is not offered
	CodeOverloaded          Code = 25 // the cluster takes no changes for now, for want of space or because it lags: nothing was done, try again later
	CodeFeatureLevel        Code = 55 // the cluster's feature level is too low for the command
	CodeKeyTagTaken         Code = 60 // another key of the zone has the tag: make another
	CodeZoneHeld            Code = 65 // the zone is not published until an operator releases it
)

// Error is the one error of the domain: a code for machines and, for people, the input,
// the rule it breaks and where to look.
type Error struct {
	Code   Code
	Field  string // the field at fault, in the words of the protocol, such as "period"
	Value  string // the offending value; never a password or authInfo
	Reason string // the rule, as a sentence without a full stop
	Err    error  // the cause, for logs
}

// Error returns the one-line form for people.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Reason)
	if b.Len() == 0 {
		b.WriteString(e.Code.String())
	}
	switch {
	case e.Field != "" && e.Value != "":
		fmt.Fprintf(&b, " (%s %q)", e.Field, e.Value)
	case e.Field != "":
		fmt.Fprintf(&b, " (%s)", e.Field)
	case e.Value != "":
		fmt.Fprintf(&b, " (%q)", e.Value)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap makes errors.Is and errors.As see both the code and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.Err}
}

// Error makes a Code usable as a target of errors.Is.
func (c Code) Error() string { return c.String() }

// String returns the code's name as logs and the command line show it.
func (c Code) String() string {
	if int(c) < len(codeNames()) {
		return codeNames()[c]
	}
	switch c {
	case CodeFeatureLevel:
		return "feature level too low"
	case CodeKeyTagTaken:
		return "key tag taken"
	case CodeZoneHeld:
		return "zone held"
	}
	return fmt.Sprintf("code %d", uint32(c))
}

// IsSuccess says whether the command took effect or will.
func (c Code) IsSuccess() bool { return c == CodeOK || c == CodeOKPending }

func codeNames() []string {
	return []string{
		"ok", "accepted, action pending", "parameter syntax error", "parameter value out of range",
		"parameter value refused by policy", "required parameter missing", "object exists", "object does not exist",
		"object status prohibits operation", "object association prohibits operation", "authorization error",
		"invalid authorization information", "billing failure", "object is not eligible for renewal",
		"object is not eligible for transfer", "authentication error", "unimplemented option",
		"data management policy violation", "conflict with a newer state", "temporarily unavailable",
		"outcome unknown", "internal error", "object pending transfer", "object not pending transfer",
		"unimplemented object service", "no changes are taken for now",
	}
}
