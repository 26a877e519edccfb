package eppxml

// AppendRequest appends a client frame, without the length header. It is the inverse of Decode.
func AppendRequest(dst []byte, r *Request) []byte {
	if r.Command == nil {
		return AppendHello(dst)
	}
	return AppendCommand(dst, r.Command)
}

// AppendHello appends a hello frame.
func AppendHello(dst []byte) []byte {
	return append(dst, frameOpen+"<hello/>"+frameClose...)
}

// AppendCommand appends a command frame. The values are the caller's: what breaks a schema is refused by the server.
func AppendCommand(dst []byte, c *Command) []byte {
	dst = append(dst, frameOpen+"<command>"...)
	dst = c.Body.appendBody(dst)
	if len(c.Extensions) > 0 {
		dst = append(dst, "<extension>"...)
		for i := range c.Extensions {
			dst = AppendElement(dst, &c.Extensions[i], NSEPP)
		}
		dst = append(dst, "</extension>"...)
	}
	dst = appendOptional(dst, "clTRID", c.ClTRID)
	return append(dst, "</command>"+frameClose...)
}

// AppendLogin appends a login frame.
func AppendLogin(dst []byte, l *Login, clTRID string) []byte {
	return AppendCommand(dst, &Command{Body: l, ClTRID: clTRID})
}

// AppendLogout appends a logout frame.
func AppendLogout(dst []byte, clTRID string) []byte {
	return AppendCommand(dst, &Command{Body: &Logout{}, ClTRID: clTRID})
}

func (l *Login) appendBody(dst []byte) []byte {
	dst = appendLeaf(append(dst, "<login>"...), "clID", l.ClID)
	dst = appendLeaf(dst, "pw", l.Password)
	dst = appendOptional(dst, "newPW", l.NewPassword)
	dst = appendLeaf(append(dst, "<options>"...), "version", l.Version)
	dst = appendLeaf(dst, "lang", l.Lang)
	dst = append(dst, "</options><svcs>"...)
	dst = appendURIs(dst, l.ObjURIs, l.ExtURIs)
	return append(dst, "</svcs></login>"...)
}

func (*Logout) appendBody(dst []byte) []byte { return append(dst, "<logout/>"...) }

func (p *Poll) appendBody(dst []byte) []byte {
	dst = appendAttr(append(dst, "<poll"...), "op", string(p.Op))
	if p.MsgID != "" {
		dst = appendAttr(dst, "msgID", p.MsgID)
	}
	return append(dst, "/>"...)
}

// appendVerb appends the start of a command on an object, and appendVerbEnd its end.
func appendVerb(dst []byte, verb Verb, prefix, ns string) []byte {
	dst = append(append(append(dst, '<'), verb...), '>')
	return appendObjectOpen(dst, prefix, ns, string(verb))
}

func appendVerbEnd(dst []byte, verb Verb, prefix string) []byte {
	dst = append(append(append(append(dst, "</"...), prefix...), ':'), verb...)
	return append(append(append(dst, "></"...), verb...), '>')
}

// appendTransfer is appendVerb for a transfer with its operation.
func appendTransfer(dst []byte, op TransferOp, prefix, ns string) []byte {
	dst = append(appendAttr(append(dst, "<transfer"...), "op", string(op)), '>')
	return appendObjectOpen(dst, prefix, ns, string(VerbTransfer))
}

// appendLeaves appends one element for each text.
func appendLeaves(dst []byte, qname string, texts []string) []byte {
	for _, s := range texts {
		dst = appendLeaf(dst, qname, s)
	}
	return dst
}
