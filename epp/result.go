package epp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cadastre/epp/eppxml"
	"cadastre/registry"
)

// Result codes of RFC 5730 section 3 that this server gives.
const (
	codeOK                     = 1000
	codeOKPending              = 1001
	codeOKNoMessages           = 1300
	codeOKMessage              = 1301
	codeOKEndingSession        = 1500
	codeUnknownCommand         = 2000
	codeSyntaxError            = 2001
	codeUseError               = 2002
	codeParameterMissing       = 2003
	codeParameterRange         = 2004
	codeParameterSyntax        = 2005
	codeUnimplementedVersion   = 2100
	codeUnimplementedCommand   = 2101
	codeUnimplementedOption    = 2102
	codeUnimplementedExtension = 2103
	codeBilling                = 2104
	codeNotRenewable           = 2105
	codeNotTransferable        = 2106
	codeAuthentication         = 2200
	codeAuthorization          = 2201
	codeInvalidAuthInfo        = 2202
	codePendingTransfer        = 2300
	codeNotPendingTransfer     = 2301
	codeObjectExists           = 2302
	codeObjectDoesNotExist     = 2303
	codeStatusProhibits        = 2304
	codeAssociationProhibits   = 2305
	codeParameterPolicy        = 2306
	codeUnimplementedObject    = 2307
	codeDataPolicy             = 2308
	codeCommandFailed          = 2400
	codeFailedClosing          = 2500
	codeAuthenticationClosing  = 2501
	codeSessionLimitClosing    = 2502

	firstClosing = 2500 // the codes from here on close the connection
)

// endsSession says whether the server closes the connection after the code.
func endsSession(code int) bool { return code == codeOKEndingSession || code >= firstClosing }

// message returns the text of a code, word for word as RFC 5730 section 3 has it.
func message(code int) string {
	switch code {
	case codeUnknownCommand:
		return "Unknown command"
	case codeSyntaxError:
		return "Command syntax error"
	case codeUseError:
		return "Command use error"
	case codeParameterMissing:
		return "Required parameter missing"
	case codeParameterRange:
		return "Parameter value range error"
	case codeParameterSyntax:
		return "Parameter value syntax error"
	case codeUnimplementedVersion:
		return "Unimplemented protocol version"
	case codeUnimplementedCommand:
		return "Unimplemented command"
	case codeUnimplementedOption:
		return "Unimplemented option"
	case codeUnimplementedExtension:
		return "Unimplemented extension"
	case codeBilling:
		return "Billing failure"
	case codeNotRenewable:
		return "Object is not eligible for renewal"
	case codeNotTransferable:
		return "Object is not eligible for transfer"
	case codeAuthentication:
		return "Authentication error"
	case codeAuthorization:
		return "Authorization error"
	case codeInvalidAuthInfo:
		return "Invalid authorization information"
	case codePendingTransfer:
		return "Object pending transfer"
	case codeNotPendingTransfer:
		return "Object not pending transfer"
	case codeObjectExists:
		return "Object exists"
	case codeObjectDoesNotExist:
		return "Object does not exist"
	case codeStatusProhibits:
		return "Object status prohibits operation"
	case codeAssociationProhibits:
		return "Object association prohibits operation"
	case codeParameterPolicy:
		return "Parameter value policy error"
	case codeUnimplementedObject:
		return "Unimplemented object service"
	case codeDataPolicy:
		return "Data management policy violation"
	case codeFailedClosing:
		return "Command failed; server closing connection"
	case codeAuthenticationClosing:
		return "Authentication error; server closing connection"
	case codeSessionLimitClosing:
		return "Session limit exceeded; server closing connection"
	case codeCommandFailed:
		return "Command failed"
	default:
		return successMessage(code)
	}
}

func successMessage(code int) string {
	switch code {
	case codeOKPending:
		return "Command completed successfully; action pending"
	case codeOKNoMessages:
		return "Command completed successfully; no messages"
	case codeOKMessage:
		return "Command completed successfully; ack to dequeue"
	case codeOKEndingSession:
		return "Command completed successfully; ending session"
	default: // codeOK
		return "Command completed successfully"
	}
}

// resultCode maps the codes of the registry. What is not listed is a fault of the server.
func resultCode(code registry.Code) int {
	switch code {
	case registry.CodeOK:
		return codeOK
	case registry.CodeOKPending:
		return codeOKPending
	case registry.CodeParameterSyntax:
		return codeParameterSyntax
	case registry.CodeParameterRange:
		return codeParameterRange
	case registry.CodeParameterPolicy:
		return codeParameterPolicy
	case registry.CodeParameterMissing:
		return codeParameterMissing
	case registry.CodeObjectExists:
		return codeObjectExists
	case registry.CodeObjectDoesNotExist:
		return codeObjectDoesNotExist
	case registry.CodeStatusProhibits:
		return codeStatusProhibits
	case registry.CodeAssociationForbids:
		return codeAssociationProhibits
	case registry.CodeAuthorization:
		return codeAuthorization
	case registry.CodeInvalidAuthInfo:
		return codeInvalidAuthInfo
	case registry.CodeBilling:
		return codeBilling
	case registry.CodeNotRenewable:
		return codeNotRenewable
	case registry.CodeNotTransferable:
		return codeNotTransferable
	case registry.CodeAuthentication:
		return codeAuthentication
	case registry.CodeUnimplementedOption:
		return codeUnimplementedOption
	case registry.CodeDataPolicy:
		return codeDataPolicy
	case registry.CodeUnavailable, registry.CodeOutcomeUnknown:
		return codeFailedClosing
	case registry.CodePendingTransfer:
		return codePendingTransfer
	case registry.CodeNotPendingTransfer:
		return codeNotPendingTransfer
	case registry.CodeUnimplementedObject:
		return codeUnimplementedObject
	default: // CodeConflict, CodeInternal, CodeOverloaded
		return codeCommandFailed
	}
}

// answer is how a command ended.
type answer struct {
	code int
	data []byte // encoded response data, if any
	// dataURI is the object service that data belongs to where the login may not have named
	// it, as with messages of the queue; empty: that of the command.
	dataURI    string
	extensions []extensionData
	msgQ       *eppxml.MsgQ
	extValues  []eppxml.ExtValue
	svTRID     string // empty: the exchange left no trace in the log
	cause      error  // for the log only
}

// ok is the answer of a query.
func ok(data []byte) *answer { return &answer{code: codeOK, data: data} }

// refusal is a refusal for which the registry has no code, because only EPP knows it.
type refusal struct {
	code   int
	value  eppxml.Value
	reason string
}

// Error returns the reason.
func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.code, r.reason) }

// failure turns an error into the answer that the client gets. The reasons of refusals are
// shown; of faults only that there was one.
func (c *call) failure(err error) *answer {
	if own, found := errors.AsType[*refusal](err); found {
		return c.refused(own.code, own.value, own.reason)
	}
	known, found := errors.AsType[*registry.Error](err)
	switch {
	case found && known.Code == registry.CodeInternal:
		return &answer{code: codeCommandFailed, cause: err, svTRID: c.svTRID}
	case found:
		a := c.refused(resultCode(known.Code), c.errorValue(known), reasonOf(known))
		a.cause = known.Err
		if known.Code == registry.CodeOverloaded {
			a.cause = err // why is for the registry to know
		}
		return a
	case errors.Is(err, registry.CodeUnavailable), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		a := c.refused(codeFailedClosing, c.key(), "the server cannot finish the command now; ask for the object before sending it again")
		a.cause = err
		return a
	default:
		return &answer{code: codeCommandFailed, cause: err, svTRID: c.svTRID}
	}
}

func (c *call) refused(code int, value eppxml.Value, reason string) *answer {
	a := &answer{code: code, svTRID: c.svTRID}
	if reason != "" {
		value.Text = strings.ToValidUTF8(value.Text, "�")
		a.extValues = []eppxml.ExtValue{{Value: value, Reason: reason}}
	}
	return a
}

func reasonOf(e *registry.Error) string {
	switch {
	case e.Code == registry.CodeOutcomeUnknown:
		return "the command may or may not have been done; ask for the object before sending it again"
	case e.Code == registry.CodeOverloaded:
		return "the registry takes no changes at the moment; nothing was done, send the command again later"
	case e.Reason == "":
		return e.Code.String()
	default:
		return e.Reason
	}
}

// errorValue returns the element at fault (RFC 5730 section 2.6): the field if the object's
// schema has such an element, otherwise what names the object.
func (c *call) errorValue(e *registry.Error) eppxml.Value {
	name := e.Field
	if c.object.NS == eppxml.NSDomain && name == "ns" && strings.Contains(e.Value, ".") {
		name = "hostObj"
	}
	if ns := extensionOf(name); ns != "" {
		return eppxml.Value{NS: ns, Name: name, Text: e.Value}
	}
	if !hasElement(c.object.NS, name) {
		return c.key()
	}
	return eppxml.Value{NS: c.object.NS, Name: name, Text: e.Value}
}

// key is the element that names the object of the command.
func (c *call) key() eppxml.Value { return c.object }

// hasElement says whether the schema of the namespace has an element that errors name.
func hasElement(ns, name string) bool {
	switch name {
	case "name", "status":
		return ns == eppxml.NSDomain || ns == eppxml.NSHost || ns == eppxml.NSContact
	case "authInfo":
		return ns == eppxml.NSDomain || ns == eppxml.NSContact
	case "period", "ns", "hostObj", "hostAttr", "registrant", "contact", "curExpDate":
		return ns == eppxml.NSDomain
	case "addr":
		return ns == eppxml.NSHost || ns == eppxml.NSContact
	case "id", "postalInfo", "street", "city", "cc", "voice", "fax", "email", "disclose":
		return ns == eppxml.NSContact
	case "clID", "pw", "newPW", "lang", "objURI", "extURI", "options":
		return ns == eppxml.NSEPP
	default:
		return false
	}
}
