package eppxml

// TransferOp is what a <transfer> asks for.
type TransferOp string

// The operations of <transfer> (RFC 5730 section 2.9.3.4).
const (
	TransferApprove TransferOp = "approve"
	TransferCancel  TransferOp = "cancel"
	TransferQuery   TransferOp = "query"
	TransferReject  TransferOp = "reject"
	TransferRequest TransferOp = "request"
)

// AuthInfo is the authorisation information of a domain or contact. Password is a secret: never log it.
type AuthInfo struct {
	// Password may be empty: the schema has no minimum length.
	Password string
	// ROID names the object whose password this is, if it is another one (a contact of the domain).
	ROID string
	// Ext is set instead of a password if an extension defines the information.
	Ext *Element
	// Null is set in a domain update that takes the information away (RFC 5731 section 3.2.5).
	Null bool
}

// authInfo decodes authInfoType of the domain and contact mappings, and with null the domain's authInfoChgType.
func (d *decoder) authInfo(n int32, null bool) *AuthInfo {
	return d.authInfoIn(n, "", null)
}

// authInfoIn is authInfo for an element whose content is in the namespace ns; empty means its own.
func (d *decoder) authInfoIn(n int32, ns string, null bool) *AuthInfo {
	c := d.sequence(n)
	if ns != "" {
		c.ns = ns
	}
	info := &AuthInfo{}
	if n, ok := c.optional("ext"); ok {
		inner := d.sequence(n)
		child := inner.any()
		d.foreign(child, NSCommon)
		inner.end()
		if d.err == nil {
			e := d.t.element(child)
			info.Ext = &e
		}
	} else if _, ok := c.optional("null"); ok && null {
		info.Null = true // no declared type: any content is valid
	} else if ok {
		d.fail(n, "", "authInfo cannot be taken away here")
	} else {
		n := c.expect("pw")
		a := d.attributes(n)
		if roid, ok := a.optional("roid"); ok {
			info.ROID = d.roid(n, roid)
		}
		a.end()
		info.Password = replaceSpace(d.simple(n))
	}
	c.end()
	return info
}

// Status is a status value with its optional human-readable text.
type Status struct {
	Value string
	// Lang is the language of Text; empty means the schema's default, en.
	Lang string
	Text string
}

// status decodes statusType; valid tells the values of the object.
func (d *decoder) status(n int32, valid func(string) bool) Status {
	a := d.attributes(n)
	s := Status{Value: collapse(a.required("s"))}
	if lang, ok := a.optional("lang"); ok {
		s.Lang = d.language(n, lang)
	}
	a.end()
	if d.err == nil && !valid(s.Value) {
		d.fail(n, s.Value, "not a status of this object")
	}
	s.Text = replaceSpace(d.simple(n))
	return s
}

// statuses decodes consecutive <status> elements.
func (c *cursor) statuses(least, most int, valid func(string) bool) []Status {
	var out []Status
	c.many("status", least, most, func(n int32) { out = append(out, c.d.status(n, valid)) })
	return out
}

// HostAddr is an IP address of a host as the client wrote it; whether it is one is for the host's rules to say.
type HostAddr struct {
	// IP is "v4" or "v6"; decoding fills in the default, v4.
	IP   string
	Addr string
}

// addresses decodes consecutive elements of host:addrType.
func (c *cursor) addresses(name string) []HostAddr {
	count := c.count(name)
	if count == 0 {
		return nil
	}
	d := c.d
	out := make([]HostAddr, 0, count)
	c.many(name, 0, unbounded, func(n int32) {
		h := HostAddr{IP: ipV4}
		a := d.attributes(n)
		if ip, ok := a.optional("ip"); ok {
			h.IP = d.oneOf(n, ip, ipV4, ipV6)
		}
		a.end()
		h.Addr = d.tokenBody(n, minAddress, maxAddress)
		out = append(out, h)
	})
	return out
}

// The values of host:ipType.
const (
	ipV4 = "v4"
	ipV6 = "v6"
)
