package eppxml

// ParsedResponse is a response as a client reads it. Its data stays generic.
type ParsedResponse struct {
	// Results are one at least.
	Results []ParsedResult
	MsgQ    *MsgQ
	// ResData and Extensions are the children of <resData> and <extension>.
	ResData, Extensions []Element
	ClTRID, SvTRID      string
}

// ParsedResult is one <result> of a response.
type ParsedResult struct {
	Code int
	Msg  string
	// Values are the elements that the server names as the cause, those of <extValue> included.
	Values []Element
	// Reasons are the texts of <extValue>.
	Reasons []string
}

// Code returns the code of the first result.
func (r *ParsedResponse) Code() int { return r.Results[0].Code }

// OK says whether the first result is a success (RFC 5730 section 3: the codes 1xxx).
func (r *ParsedResponse) OK() bool { return r.Code() < 2000 }

// Data returns the first element of the response data called name in the namespace ns, or nil.
func (r *ParsedResponse) Data(ns, name string) *Element {
	for i := range r.ResData {
		if e := &r.ResData[i]; e.NS == ns && e.Name == name {
			return e
		}
	}
	return nil
}

// The range of result codes; servers may use codes that this package does not know.
const minCode, maxCode = 1000, 2999

// ParseResponse decodes a response frame of at most MaxResponseFrame bytes. Every error is an *Error.
func ParseResponse(frame []byte) (*ParsedResponse, error) {
	t, err := parseTree(frame, limits{frameBytes: MaxResponseFrame, tokens: maxResponseTokens})
	if err != nil {
		return nil, err
	}
	d := &decoder{t: t}
	r := &ParsedResponse{}
	c := d.frameOf("response")
	c.many("result", 1, unbounded, func(n int32) { r.Results = append(r.Results, d.result(n)) })
	if n, ok := c.optional("msgQ"); ok {
		r.MsgQ = d.msgQ(n)
	}
	if n, ok := c.optional("resData"); ok {
		r.ResData = d.extensions(n)
	}
	if n, ok := c.optional("extension"); ok {
		r.Extensions = d.extensions(n)
	}
	ids := d.sequence(c.expect("trID"))
	if n, ok := ids.optional("clTRID"); ok {
		r.ClTRID = d.token(n, minTRID, maxTRID)
	}
	r.SvTRID = d.token(ids.expect("svTRID"), minTRID, maxTRID)
	ids.end()
	c.end()
	if d.err != nil {
		return nil, d.err
	}
	return r, nil
}

// frameOf opens the only child of the root, which must be called name.
func (d *decoder) frameOf(name string) cursor {
	if nd := &d.t.nodes[0]; nd.name != "epp" || nd.ns != NSEPP {
		d.fail(0, "", "the root element must be epp of "+NSEPP)
	}
	root := d.sequence(0)
	n := root.expect(name)
	root.end()
	return d.sequence(n)
}

func (d *decoder) result(n int32) ParsedResult {
	a := d.attributes(n)
	r := ParsedResult{Code: int(d.unsigned(n, a.required("code"), minCode, maxCode))}
	a.end()
	c := d.sequenceOnly(n)
	r.Msg, _ = d.message(c.expect("msg"))
	for d.err == nil {
		if v, ok := c.optional("value"); ok {
			r.Values = append(r.Values, d.errorValue(v)...)
			continue
		}
		x, ok := c.optional("extValue")
		if !ok {
			break
		}
		in := d.sequence(x)
		r.Values = append(r.Values, d.errorValue(in.expect("value"))...)
		reason, _ := d.message(in.expect("reason"))
		r.Reasons = append(r.Reasons, reason)
		in.end()
	}
	c.end()
	return r
}

// errorValue reads epp:errValueType: any attributes, mixed content, one element.
func (d *decoder) errorValue(n int32) []Element {
	if d.err != nil || n == noNode {
		return nil
	}
	out := d.t.elements(n)
	if len(out) != 1 {
		d.fail(n, "", "exactly one child element is required")
	}
	return out
}

// message reads epp:msgType.
func (d *decoder) message(n int32) (text, lang string) {
	a := d.attributes(n)
	if l, ok := a.optional("lang"); ok {
		lang = d.language(n, l)
	}
	a.end()
	return replaceSpace(d.simple(n)), lang
}

// msgQ reads epp:msgQType; of a message with markup only the text between the markup is kept.
func (d *decoder) msgQ(n int32) *MsgQ {
	q := &MsgQ{}
	a := d.attributes(n)
	q.Count = d.unsigned(n, a.required("count"), 0, 1<<64-1)
	q.ID = collapse(a.required("id"))
	a.end()
	d.length(n, q.ID, 1, noMax, "")
	c := d.sequenceOnly(n)
	if n, ok := c.optional("qDate"); ok {
		q.Date = d.dateTime(n)
	}
	if n, ok := c.optional("msg"); ok {
		a := d.attributes(n)
		if l, ok := a.optional("lang"); ok {
			q.Lang = d.language(n, l)
		}
		a.end()
		q.Msg = d.t.nodes[n].text
	}
	c.end()
	return q
}

// ParseGreeting decodes a greeting frame. Every error is an *Error.
func ParseGreeting(frame []byte) (*Greeting, error) {
	t, err := parseTree(frame, limits{frameBytes: MaxResponseFrame, tokens: maxResponseTokens})
	if err != nil {
		return nil, err
	}
	d := &decoder{t: t}
	g := &Greeting{}
	c := d.frameOf("greeting")
	g.ServerID = d.line(c.expect("svID"), minServerID, maxServerID)
	g.Date = d.dateTime(c.expect("svDate"))
	menu := d.sequence(c.expect("svcMenu"))
	g.Versions = menu.manyTokens("version", 1, 1, noMax)
	g.Langs = menu.manyTokens("lang", 1, 1, noMax)
	g.ObjURIs = menu.manyURIs("objURI")
	if n, ok := menu.optional("svcExtension"); ok {
		in := d.sequence(n)
		g.ExtURIs = in.manyURIs("extURI")
		in.end()
	}
	menu.end()
	c.expect("dcp")
	c.end()
	if d.err != nil {
		return nil, d.err
	}
	return g, nil
}
