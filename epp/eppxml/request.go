package eppxml

// Verb is the name of an EPP command.
type Verb string

// The commands of RFC 5730 section 2.9.
const (
	VerbLogin    Verb = "login"
	VerbLogout   Verb = "logout"
	VerbPoll     Verb = "poll"
	VerbCheck    Verb = "check"
	VerbInfo     Verb = "info"
	VerbCreate   Verb = "create"
	VerbUpdate   Verb = "update"
	VerbDelete   Verb = "delete"
	VerbRenew    Verb = "renew"
	VerbTransfer Verb = "transfer"
)

// Request is one decoded client frame: a hello or a command. Its strings share one copy of the frame; whoever keeps one of
// them beyond the request clones it.
type Request struct {
	Hello   bool
	Command *Command
}

// Command is a decoded <command>.
type Command struct {
	// ClTRID is the client's transaction identifier, or empty.
	ClTRID string
	// Body is the command proper.
	Body Body
	// Extensions are the children of <extension>, well-formed and bounded but not yet checked against their schemas.
	Extensions []Element
}

// Body is one of *Login, *Logout, *Poll; *DomainCheck, *DomainInfo, *DomainCreate, *DomainUpdate, *DomainDelete,
// *DomainRenew, *DomainTransfer; *HostCheck, *HostInfo, *HostCreate, *HostUpdate, *HostDelete; *ContactCheck,
// *ContactInfo, *ContactCreate, *ContactUpdate, *ContactDelete, *ContactTransfer; *OrgCheck, *OrgInfo, *OrgCreate,
// *OrgUpdate, *OrgDelete; *KeyrelayCreate; *MaintenanceInfo.
type Body interface {
	// Verb returns the command's name.
	Verb() Verb
	// appendBody appends the command element, as a client sends it.
	appendBody(dst []byte) []byte
}

// Decoder decodes frames one after the other and keeps its working memory between them: one for each connection. The
// zero Decoder is ready for use. It must not be used by several goroutines at once.
type Decoder struct {
	s scanner
}

// Decode decodes one client frame with a Decoder of its own.
func Decode(frame []byte) (*Request, error) {
	var d Decoder
	return d.Decode(frame)
}

// Decode decodes one client frame of at most MaxFrame bytes (without the length header). Every error is an *Error. The
// request does not refer to the frame or to the Decoder.
func (dec *Decoder) Decode(frame []byte) (*Request, error) {
	defer dec.s.reset()
	t, err := dec.s.parse(frame, limits{frameBytes: MaxFrame, tokens: MaxTokens})
	if err == nil {
		d := decoder{t: t}
		req := d.request()
		if d.err == nil {
			return req, nil
		}
		err = d.err
	}
	recoverContext(t, err)
	return nil, err
}

// recoverContext adds to an error what the response must echo: the verb, and the clTRID if the frame holds a valid one.
func recoverContext(t *tree, err *Error) {
	if len(t.nodes) == 0 || t.nodes[0].name != "epp" || t.nodes[0].ns != NSEPP {
		return
	}
	command := t.child(0, NSEPP, "command")
	if command == noNode {
		return
	}
	if verb := t.nodes[command].first; verb != noNode && t.nodes[verb].ns == NSEPP {
		if v, ok := knownVerb(t.nodes[verb].name); ok {
			err.Verb = v
		}
	}
	n := t.child(command, NSEPP, "clTRID")
	if n == noNode || t.nodes[n].open {
		return
	}
	d := decoder{t: t}
	if id := d.token(n, minTRID, maxTRID); d.err == nil {
		err.ClTRID = clip(id, maxTRID)
	}
}

// knownVerb finds the command of that name.
func knownVerb(name string) (Verb, bool) {
	switch v := Verb(name); v {
	case VerbLogin, VerbLogout, VerbPoll, VerbCheck, VerbInfo, VerbCreate, VerbUpdate, VerbDelete, VerbRenew, VerbTransfer:
		return v, true
	}
	return "", false
}

// request decodes the root element.
func (d *decoder) request() *Request {
	root := int32(0)
	if nd := &d.t.nodes[root]; nd.name != "epp" || nd.ns != NSEPP {
		d.fail(root, "", "the root element must be epp of "+NSEPP)
		return nil
	}
	c := d.sequence(root)
	req := &Request{}
	if _, ok := c.optional("hello"); ok {
		req.Hello = true // no declared type: any content is valid
	} else if n, ok := c.optional("extension"); ok {
		d.extensions(n)
		c.end()
		d.failKind(KindUnimplementedExtension, n, "", "protocol extensions are not implemented")
	} else {
		req.Command = d.command(c.expect("command"))
	}
	c.end()
	return req
}

// command decodes epp:commandType.
func (d *decoder) command(n int32) *Command {
	c := d.sequence(n)
	verb := c.any()
	if d.err != nil {
		return nil
	}
	cmd := &Command{Body: d.body(verb)}
	if n, ok := c.optional("extension"); ok {
		cmd.Extensions = d.extensions(n)
	}
	if n, ok := c.optional("clTRID"); ok {
		cmd.ClTRID = d.token(n, minTRID, maxTRID)
	}
	c.end()
	return cmd
}

// extensions decodes epp:extAnyType: one or more elements of other namespaces.
func (d *decoder) extensions(n int32) []Element {
	c := d.sequence(n)
	first := c.any()
	if d.err != nil {
		return nil
	}
	for k := first; k != noNode; k = d.t.nodes[k].next {
		d.foreign(k, NSEPP)
	}
	if d.err != nil {
		return nil
	}
	return d.t.elements(n)
}

// foreign checks the wildcard ##other: n must be in a namespace, and not in that of the schema around it.
func (d *decoder) foreign(n int32, around string) {
	if d.err == nil && n != noNode && (d.t.nodes[n].ns == "" || d.t.nodes[n].ns == around) {
		d.fail(n, "", "an element of another namespace is required here")
	}
}

// body decodes the command element n.
func (d *decoder) body(n int32) Body {
	nd := &d.t.nodes[n]
	verb, ok := knownVerb(nd.name)
	if nd.ns != NSEPP || !ok {
		if nd.ns == NSEPP && nd.name != "extension" && nd.name != "clTRID" {
			d.failKind(KindUnknownCommand, n, "", "not a command that EPP defines")
		}
		d.fail(n, "", "a command element is required here")
		return nil
	}
	switch verb {
	case VerbLogin:
		return d.login(n)
	case VerbLogout:
		return &Logout{} // no declared type: any content is valid
	case VerbPoll:
		return d.poll(n)
	}
	op := TransferOp("")
	if verb == VerbTransfer {
		a := d.attributes(n)
		op = TransferOp(d.oneOf(n, a.required("op"), "approve", "cancel", "query", "reject", "request"))
		a.end()
	} else {
		d.noAttributes(n)
	}
	c := d.sequenceOnly(n)
	object := c.any()
	d.foreign(object, NSEPP)
	c.end()
	if d.err != nil {
		return nil
	}
	return d.object(verb, op, object)
}

// object decodes the object element within a command; it must carry the verb's name.
func (d *decoder) object(verb Verb, op TransferOp, n int32) Body {
	nd := &d.t.nodes[n]
	var body Body
	switch {
	case nd.ns != NSDomain && nd.ns != NSHost && nd.ns != NSContact && nd.ns != NSOrg && nd.ns != NSKeyRelay && nd.ns != NSMaintenance:
		d.failKind(KindUnimplementedObject, n, "", "objects of this namespace are not implemented")
		return nil
	case nd.name != string(verb):
	case nd.ns == NSMaintenance:
		if verb == VerbInfo {
			body = d.maintenanceInfo(n)
		}
	case nd.ns == NSDomain:
		body = d.domain(verb, op, n)
	case nd.ns == NSHost:
		body = d.host(verb, n)
	case nd.ns == NSOrg:
		body = d.org(verb, n)
	case nd.ns == NSKeyRelay:
		if verb == VerbCreate {
			body = d.keyrelayCreate(n)
		}
	default:
		body = d.contact(verb, op, n)
	}
	if body == nil {
		d.fail(n, "", "the object has no such element in this command")
	}
	return body
}

func (d *decoder) domain(verb Verb, op TransferOp, n int32) Body {
	switch verb {
	case VerbCheck:
		return d.domainCheck(n)
	case VerbInfo:
		return d.domainInfo(n)
	case VerbCreate:
		return d.domainCreate(n)
	case VerbUpdate:
		return d.domainUpdate(n)
	case VerbDelete:
		return d.domainDelete(n)
	case VerbRenew:
		return d.domainRenew(n)
	case VerbTransfer:
		return d.domainTransfer(op, n)
	}
	return nil
}

func (d *decoder) host(verb Verb, n int32) Body {
	switch verb {
	case VerbCheck:
		return d.hostCheck(n)
	case VerbInfo:
		return d.hostInfo(n)
	case VerbCreate:
		return d.hostCreate(n)
	case VerbUpdate:
		return d.hostUpdate(n)
	case VerbDelete:
		return d.hostDelete(n)
	}
	return nil
}

func (d *decoder) org(verb Verb, n int32) Body {
	switch verb {
	case VerbCheck:
		return d.orgCheck(n)
	case VerbInfo:
		return d.orgInfo(n)
	case VerbCreate:
		return d.orgCreate(n)
	case VerbUpdate:
		return d.orgUpdate(n)
	case VerbDelete:
		return d.orgDelete(n)
	}
	return nil
}

func (d *decoder) contact(verb Verb, op TransferOp, n int32) Body {
	switch verb {
	case VerbCheck:
		return d.contactCheck(n)
	case VerbInfo:
		return d.contactInfo(n)
	case VerbCreate:
		return d.contactCreate(n)
	case VerbUpdate:
		return d.contactUpdate(n)
	case VerbDelete:
		return d.contactDelete(n)
	case VerbTransfer:
		return d.contactTransfer(op, n)
	}
	return nil
}
