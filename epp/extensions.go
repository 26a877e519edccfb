package epp

import (
	"slices"

	"cadastre/epp/eppxml"
	"cadastre/registry"
)

// extension is a service extension that the greeting offers (RFC 5730 section 2.7.3).
type extension struct {
	uri string
	// elements are what commands may carry; none for an extension that names a practice or
	// only adds to responses.
	elements []extensionElement
}

// extensionElement is an element of an extension and the commands on which it has a meaning.
type extensionElement struct {
	name   string
	on     func(eppxml.Body) bool
	decode func(*eppxml.Element, *commandExtensions) *eppxml.Error
}

// commandExtensions is what the extension elements of a command say; nil is not given.
type commandExtensions struct {
	secDNSCreate *eppxml.SecDNS
	secDNSUpdate *eppxml.SecDNSUpdate
	restore      *eppxml.RGPRestore
	feeCheck     *eppxml.FeeCheck
	fee          *eppxml.FeeTransform
	loginSec     *eppxml.LoginSec
	ttlInfo      *eppxml.TTLInfo
	ttls         []eppxml.TTL
	addlEmail    *eppxml.AddlEmail
	orgCreate    []eppxml.OrgLink
	orgUpdate    *eppxml.OrgExtUpdate
	idn          *eppxml.IDNData

	allocationToken *eppxml.AllocationToken
	tokenInfo       *eppxml.AllocationTokenInfo
	launchCheck     *eppxml.LaunchCheck
	launchInfo      *eppxml.LaunchInfo
	launchCreate    *eppxml.LaunchCreate
	launchUpdate    *eppxml.LaunchID
	launchDelete    *eppxml.LaunchID
}

// extensions is the table of all that the server implements: what is not here is refused,
// and all that is here is offered.
func extensions() []extension {
	return []extension{
		{uri: eppxml.NSSecDNS, elements: []extensionElement{
			{"create", isBody[*eppxml.DomainCreate], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
				x.secDNSCreate, err = eppxml.DecodeSecDNSCreate(e)
				return err
			}},
			{"update", isBody[*eppxml.DomainUpdate], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
				x.secDNSUpdate, err = eppxml.DecodeSecDNSUpdate(e)
				return err
			}},
		}},
		{uri: eppxml.NSRGP, elements: []extensionElement{
			{"update", isBody[*eppxml.DomainUpdate], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
				x.restore, err = eppxml.DecodeRGPUpdate(e)
				return err
			}},
		}},
		{uri: eppxml.NSChangePoll},
		{uri: eppxml.NSTTL, elements: ttlElements()},
		{uri: eppxml.NSAddlEmail, elements: []extensionElement{{"addlEmail", isContactChange, func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.addlEmail, err = eppxml.DecodeAddlEmail(e)
			return err
		}}}},
		{uri: eppxml.NSFee, elements: feeElements()},
		{uri: eppxml.NSOrgExt, elements: orgExtElements()},
		{uri: eppxml.NSIDN, elements: idnElements()},
		{uri: eppxml.NSAllocationToken, elements: allocationTokenElements()},
		{uri: eppxml.NSLaunch, elements: launchElements()},
		{uri: eppxml.NSUnhandledNamespaces},
		{uri: eppxml.NSSecureAuthInfo},
		{uri: eppxml.NSLoginSec, elements: []extensionElement{
			{"loginSec", isBody[*eppxml.Login], func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
				x.loginSec, err = eppxml.DecodeLoginSec(e)
				return err
			}},
		}},
	}
}

func isBody[B eppxml.Body](body eppxml.Body) bool {
	_, is := body.(B)
	return is
}

// isContactChange says whether a command can carry the second e-mail address of a contact.
func isContactChange(body eppxml.Body) bool {
	return isBody[*eppxml.ContactCreate](body) || isBody[*eppxml.ContactUpdate](body)
}

// extensionURIs are the service extensions on offer.
func extensionURIs() []string {
	var uris []string
	for _, x := range extensions() {
		uris = append(uris, x.uri)
	}
	return uris
}

// services are the objects and extensions that a session may use: those that its login named.
type services struct {
	objects, extensions []string
}

func (s *services) hasObject(uri string) bool    { return slices.Contains(s.objects, uri) }
func (s *services) hasExtension(uri string) bool { return slices.Contains(s.extensions, uri) }

// checkObject refuses a command on objects that the login did not name.
func (s *services) checkObject(body eppxml.Body) error {
	object := objectOf(body)
	if object.NS == eppxml.NSEPP || s.hasObject(object.NS) {
		return nil
	}
	return &refusal{code: codeUnimplementedObject, value: object, reason: "the login did not ask for this object service"}
}

// readExtensions decodes the extension elements of a command. Each must be of an extension
// that the login named and have a meaning on the command.
func (s *services) readExtensions(command *eppxml.Command) (commandExtensions, error) {
	var read commandExtensions
	for i := range command.Extensions {
		e := &command.Extensions[i]
		if slices.ContainsFunc(command.Extensions[:i], func(other eppxml.Element) bool { return other.NS == e.NS && other.Name == e.Name }) {
			return read, refuseExtension(codeSyntaxError, e, "the element is given twice")
		}
		at := slices.IndexFunc(extensions(), func(x extension) bool { return x.uri == e.NS })
		if at < 0 {
			return read, refuseExtension(codeUnimplementedExtension, e, "the server implements no extension of this namespace")
		}
		if !s.hasExtension(e.NS) {
			return read, refuseExtension(codeUnimplementedExtension, e, "the login did not ask for this extension")
		}
		elements := extensions()[at].elements
		which := slices.IndexFunc(elements, func(x extensionElement) bool { return x.name == e.Name && x.on(command.Body) })
		if which < 0 {
			return read, refuseExtension(codeUnimplementedExtension, e, "the extension has no such element for this command")
		}
		if bad := elements[which].decode(e, &read); bad != nil {
			refused := &refusal{code: codeSyntaxError, value: eppxml.Value{NS: e.NS, Name: e.Name}, reason: bad.Reason}
			if value, known := bad.ExtValue(); known {
				refused.value = value.Value
			}
			return read, refused
		}
	}
	return read, nil
}

func refuseExtension(code int, e *eppxml.Element, reason string) error {
	return &refusal{code: code, value: eppxml.Value{NS: e.NS, Name: e.Name}, reason: reason}
}

// extensionData is what an extension adds to a response.
type extensionData struct {
	uri string
	xml []byte // the encoded element
}

// divide sorts what extensions add to a response: what the client logged in for goes into
// <extension>. The rest is returned as values of the result if the client knows unhandled
// namespaces (RFC 9038 section 3), and left out otherwise.
func (s *services) divide(data []extensionData) (extension []byte, unhandled []eppxml.ExtValue) {
	for _, d := range data {
		if s.hasExtension(d.uri) {
			extension = append(extension, d.xml...)
		} else {
			unhandled = append(unhandled, s.unhandled(d.uri, d.xml)...)
		}
	}
	return extension, unhandled
}

// unhandled returns the element in the form of RFC 9038 section 3, nothing for a client
// that does not know it.
func (s *services) unhandled(uri string, xml []byte) []eppxml.ExtValue {
	if !s.hasExtension(eppxml.NSUnhandledNamespaces) {
		return nil
	}
	return []eppxml.ExtValue{{Value: eppxml.Value{NS: uri, Name: "value", XML: string(xml)}, Reason: uri + " not in login services"}}
}

// extensionOf returns the namespace of the extension that has an element which errors name,
// "" if none has.
func extensionOf(element string) string {
	switch element {
	case "maxSigLife", "dsData", "keyTag", "alg", "digestType", "digest", "keyData", "flags", "protocol", "pubKey":
		return eppxml.NSSecDNS
	case "ttl":
		return eppxml.NSTTL
	case "table", "uname":
		return eppxml.NSIDN
	case "fee", "currency", "command":
		return eppxml.NSFee
	case "phase", "applicationID", "codeMark", "notice", "noticeID", "notAfter", "acceptedDate":
		return eppxml.NSLaunch
	case "allocationToken":
		return eppxml.NSAllocationToken
	case "restore", "report", "preData", "postData", "delTime", "resTime", "resReason", "statement", "other":
		return eppxml.NSRGP
	default:
		return ""
	}
}

// rgpStatuses returns the values of grace period statuses.
func rgpStatuses(statuses []registry.RGPStatus) []string {
	values := make([]string, 0, len(statuses))
	for _, s := range statuses {
		values = append(values, string(s))
	}
	return values
}
