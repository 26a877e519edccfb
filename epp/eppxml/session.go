package eppxml

// Login is the <login> command (RFC 5730 section 2.9.1.1).
type Login struct {
	ClID string
	// Password and NewPassword are secrets: never log them. NewPassword is empty if no change is asked for.
	Password, NewPassword string
	Version, Lang         string
	ObjURIs, ExtURIs      []string
}

// Verb implements Body.
func (*Login) Verb() Verb { return VerbLogin }

func (d *decoder) login(n int32) *Login {
	c := d.sequence(n)
	l := &Login{ClID: d.id(c.expect("clID")), Password: d.password(c.expect("pw"))}
	if n, ok := c.optional("newPW"); ok {
		l.NewPassword = d.password(n)
	}
	options := d.sequence(c.expect("options"))
	version := options.expect("version")
	d.noAttributes(version)
	l.Version = d.oneOf(version, d.simple(version), protocolVersion)
	lang := options.expect("lang")
	d.noAttributes(lang)
	l.Lang = d.language(lang, d.simple(lang))
	options.end()
	services := d.sequence(c.expect("svcs"))
	l.ObjURIs = services.manyURIs("objURI")
	if n, ok := services.optional("svcExtension"); ok {
		extensions := d.sequence(n)
		l.ExtURIs = extensions.manyURIs("extURI")
		extensions.end()
	}
	services.end()
	c.end()
	return l
}

// protocolVersion is the only version of EPP.
const protocolVersion = "1.0"

// Logout is the <logout> command (RFC 5730 section 2.9.1.2).
type Logout struct{}

// Verb implements Body.
func (*Logout) Verb() Verb { return VerbLogout }

// PollOp is what a <poll> asks for.
type PollOp string

// The operations of <poll>.
const (
	PollRequest PollOp = "req"
	PollAck     PollOp = "ack"
)

// Poll is the <poll> command (RFC 5730 section 2.9.2.3).
type Poll struct {
	Op PollOp
	// MsgID names the message to acknowledge; the schema allows it to be missing or empty with either operation.
	MsgID string
}

// Verb implements Body.
func (*Poll) Verb() Verb { return VerbPoll }

func (d *decoder) poll(n int32) *Poll {
	a := d.attributes(n)
	p := &Poll{Op: PollOp(d.oneOf(n, a.required("op"), string(PollRequest), string(PollAck)))}
	if id, ok := a.optional("msgID"); ok {
		p.MsgID = collapse(id)
	}
	a.end()
	d.empty(n)
	return p
}
