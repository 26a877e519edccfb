package eppxml

import "time"

// NSLaunch is the namespace of the launch phase extension (RFC 8334).
const NSLaunch = "urn:ietf:params:xml:ns:launch-1.0"

// NSMark and NSSignedMark are the namespaces of marks and of signed marks (RFC 7848).
const (
	NSMark       = "urn:ietf:params:xml:ns:mark-1.0"
	NSSignedMark = "urn:ietf:params:xml:ns:signedMark-1.0"
)

// The forms of a launch check.
const (
	LaunchClaims    = "claims"
	LaunchAvail     = "avail"
	LaunchTrademark = "trademark"
)

// The types of what a create makes.
const (
	LaunchApplication  = "application"
	LaunchRegistration = "registration"
)

// LaunchPhase is <launch:phase>.
type LaunchPhase struct {
	// Type is sunrise, landrush, claims, open or custom.
	Type string
	// Name is that of a custom phase or of a part of another one; it may be empty.
	Name string
}

// LaunchCheck is <launch:check>.
type LaunchCheck struct {
	// Form is claims, avail or trademark.
	Form string
	// Phase is nil if none was given.
	Phase *LaunchPhase
}

// LaunchInfo is <launch:info>.
type LaunchInfo struct {
	Phase LaunchPhase
	// ApplicationID is nil if the phase of a registration is asked for.
	ApplicationID *string
	IncludeMark   bool
}

// LaunchID is <launch:update>, <launch:delete> or <launch:creData>: which application is meant.
type LaunchID struct {
	Phase         LaunchPhase
	ApplicationID string
}

// LaunchCreate is <launch:create>.
type LaunchCreate struct {
	Phase LaunchPhase
	// Type is application or registration, empty if the client leaves it to the server.
	Type  string
	Codes []LaunchCode
	// Signed are signed marks, encoded or not, as XML elements. That they are there is all that is checked of them.
	Signed  [][]byte
	Notices []LaunchNotice
}

// LaunchCode is <launch:codeMark>.
type LaunchCode struct {
	// Code and ValidatorID are empty if they were not given.
	Code, ValidatorID string
	// Mark is a <mark:mark> element, nil if none was given.
	Mark []byte
}

// LaunchNotice is <launch:notice>: which claims notice was accepted.
type LaunchNotice struct {
	ID string
	// ValidatorID is empty if it was not given.
	ValidatorID            string
	NotAfter, AcceptedDate time.Time
}

// DecodeLaunchCheck decodes <launch:check>.
func DecodeLaunchCheck(e *Element) (*LaunchCheck, *Error) {
	out := &LaunchCheck{Form: LaunchClaims}
	err := decodeElement(e, func(d *decoder, n int32) {
		a := d.attributes(d.rootOf(n, NSLaunch, "check"))
		if form, ok := a.optional("type"); ok {
			out.Form = d.oneOf(n, form, LaunchClaims, LaunchAvail, LaunchTrademark)
		}
		a.end()
		c := d.sequenceOnly(n)
		if n, ok := c.optional("phase"); ok {
			phase := d.launchPhase(n)
			out.Phase = &phase
		}
		c.end()
	})
	return out, err
}

// DecodeLaunchInfo decodes <launch:info>.
func DecodeLaunchInfo(e *Element) (*LaunchInfo, *Error) {
	out := &LaunchInfo{}
	err := decodeElement(e, func(d *decoder, n int32) {
		a := d.attributes(d.rootOf(n, NSLaunch, "info"))
		if include, ok := a.optional("includeMark"); ok {
			out.IncludeMark = d.boolean(n, include)
		}
		a.end()
		c := d.sequenceOnly(n)
		out.Phase = d.launchPhase(c.expect("phase"))
		if n, ok := c.optional("applicationID"); ok {
			id := d.token(n, 0, noMax)
			out.ApplicationID = &id
		}
		c.end()
	})
	return out, err
}

// DecodeLaunchUpdate decodes <launch:update>.
func DecodeLaunchUpdate(e *Element) (*LaunchID, *Error) { return decodeLaunchID(e, "update") }

// DecodeLaunchDelete decodes <launch:delete>.
func DecodeLaunchDelete(e *Element) (*LaunchID, *Error) { return decodeLaunchID(e, "delete") }

func decodeLaunchID(e *Element, name string) (*LaunchID, *Error) {
	out := &LaunchID{}
	err := decodeElement(e, func(d *decoder, n int32) {
		c := d.sequence(d.rootOf(n, NSLaunch, name))
		out.Phase = d.launchPhase(c.expect("phase"))
		out.ApplicationID = d.token(c.expect("applicationID"), 0, noMax)
		c.end()
	})
	return out, err
}

// DecodeLaunchCreate decodes <launch:create>.
func DecodeLaunchCreate(e *Element) (*LaunchCreate, *Error) {
	out := &LaunchCreate{}
	err := decodeElement(e, func(d *decoder, n int32) {
		a := d.attributes(d.rootOf(n, NSLaunch, "create"))
		if of, ok := a.optional("type"); ok {
			out.Type = d.oneOf(n, of, LaunchApplication, LaunchRegistration)
		}
		a.end()
		c := d.sequenceOnly(n)
		out.Phase = d.launchPhase(c.expect("phase"))
		c.many("codeMark", 0, unbounded, func(n int32) { out.Codes = append(out.Codes, d.launchCode(n)) })
		if len(out.Codes) == 0 {
			out.Signed = c.signedMarks()
		}
		c.many("notice", 0, unbounded, func(n int32) { out.Notices = append(out.Notices, d.launchNotice(n)) })
		c.end()
	})
	return out, err
}

// launchPhase decodes launch:phaseType.
func (d *decoder) launchPhase(n int32) LaunchPhase {
	out := LaunchPhase{}
	a := d.attributes(n)
	if name, ok := a.optional("name"); ok {
		out.Name = collapse(name)
	}
	a.end()
	out.Type = d.oneOf(n, d.simple(n), "sunrise", "landrush", "claims", "open", "custom")
	return out
}

// validated reads a token of one character at least that may say who vouches for it.
func (d *decoder) validated(n int32) (value, validatorID string) {
	a := d.attributes(n)
	if id, ok := a.optional("validatorID"); ok {
		validatorID = collapse(id)
		d.length(n, validatorID, 1, noMax, validatorID)
	}
	a.end()
	return d.tokenBody(n, 1, noMax), validatorID
}

// launchCode decodes launch:codeMarkType.
func (d *decoder) launchCode(n int32) LaunchCode {
	out := LaunchCode{}
	c := d.sequence(n)
	if n, ok := c.optional("code"); ok {
		out.Code, out.ValidatorID = d.validated(n)
	}
	if n, ok := c.optionalOf(NSMark, "mark"); ok {
		if d.mark(n); d.err == nil {
			mark := d.t.element(n)
			out.Mark = AppendElement(nil, &mark, "")
		}
	}
	c.end()
	return out
}

// launchNotice decodes launch:createNoticeType.
func (d *decoder) launchNotice(n int32) LaunchNotice {
	out := LaunchNotice{}
	c := d.sequence(n)
	out.ID, out.ValidatorID = d.validated(c.expect("noticeID"))
	out.NotAfter = d.dateTime(c.expect("notAfter"))
	out.AcceptedDate = d.dateTime(c.expect("acceptedDate"))
	c.end()
	return out
}

// signedMarks takes the signed marks that come next, which are all encoded or all not.
func (c *cursor) signedMarks() [][]byte {
	var out [][]byte
	take := func(name string) bool {
		n, ok := c.optionalOf(NSSignedMark, name)
		if !ok {
			return false
		}
		if name == "encodedSignedMark" {
			a := c.d.attributes(n)
			_, _ = a.optional("encoding") // a token, which every value is
			a.end()
			_ = c.d.simple(n)
		}
		signed := c.d.t.element(n)
		out = append(out, AppendElement(nil, &signed, ""))
		return true
	}
	for take("signedMark") {
	}
	for len(out) == 0 && take("encodedSignedMark") {
		for take("encodedSignedMark") {
		}
	}
	return out
}

// optionalOf is optional for an element of another namespace.
func (c *cursor) optionalOf(ns, name string) (int32, bool) {
	own := c.ns
	c.ns = ns
	n, ok := c.optional(name)
	c.ns = own
	return n, ok
}
