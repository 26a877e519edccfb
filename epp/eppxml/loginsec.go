package eppxml

import "time"

// NSLoginSec is the namespace of the login security extension (RFC 8807).
const NSLoginSec = "urn:ietf:params:xml:ns:epp:loginSec-1.0"

// LoginSecMarker stands in <pw> or <newPW> of a login for the password that the extension carries (RFC 8807 section 3.2).
const LoginSecMarker = "[LOGIN-SECURITY]"

// Namespaces of extensions that have no elements of their own: they name a practice.
const (
	// NSUnhandledNamespaces is RFC 9038.
	NSUnhandledNamespaces = "urn:ietf:params:xml:ns:epp:unhandled-namespaces-1.0"
	// NSSecureAuthInfo is RFC 9154.
	NSSecureAuthInfo = "urn:ietf:params:xml:ns:epp:secure-authinfo-transfer-1.0"
)

// LoginSec is <loginSec:loginSec>, which a login carries (RFC 8807 section 4.1). Password and NewPassword are secrets:
// never log them. Both are empty if not given.
type LoginSec struct {
	UserAgent             *UserAgent
	Password, NewPassword string
}

// UserAgent says what software the client runs; one of the fields at least was given.
type UserAgent struct {
	App, Tech, OS string
}

// DecodeLoginSec decodes <loginSec:loginSec>.
func DecodeLoginSec(e *Element) (*LoginSec, *Error) {
	var out *LoginSec
	err := decodeElement(e, func(d *decoder, n int32) { out = d.loginSec(d.rootOf(n, NSLoginSec, "loginSec")) })
	return out, err
}

func (d *decoder) loginSec(n int32) *LoginSec {
	c := d.sequence(n)
	out := &LoginSec{}
	if n, ok := c.optional("userAgent"); ok {
		out.UserAgent = d.userAgent(n)
	}
	if n, ok := c.optional("pw"); ok {
		out.Password = d.longPassword(n)
	}
	if n, ok := c.optional("newPW"); ok {
		out.NewPassword = d.longPassword(n)
	}
	c.end()
	return out
}

// longPassword reads loginSec:pwType, which has no maximum; an error never shows it.
func (d *decoder) longPassword(n int32) string {
	d.noAttributes(n)
	s := collapse(d.simple(n))
	d.length(n, s, minPassword, noMax, "")
	return s
}

func (d *decoder) userAgent(n int32) *UserAgent {
	c := d.sequence(n)
	out := &UserAgent{}
	if c.at == noNode {
		c.mismatch("expected element app, tech or os")
	}
	for _, part := range []struct {
		name string
		text *string
	}{{"app", &out.App}, {"tech", &out.Tech}, {"os", &out.OS}} {
		if n, ok := c.optional(part.name); ok {
			*part.text = d.token(n, 0, noMax)
		}
	}
	c.end()
	return out
}

// AppendLoginSec appends <loginSec:loginSec>.
func AppendLoginSec(dst []byte, l *LoginSec) []byte {
	dst = appendObjectOpen(dst, "loginSec", NSLoginSec, "loginSec")
	if u := l.UserAgent; u != nil {
		dst = appendOptional(append(dst, "<loginSec:userAgent>"...), "loginSec:app", u.App)
		dst = appendOptional(dst, "loginSec:tech", u.Tech)
		dst = appendOptional(dst, "loginSec:os", u.OS)
		dst = append(dst, "</loginSec:userAgent>"...)
	}
	dst = appendOptional(dst, "loginSec:pw", l.Password)
	dst = appendOptional(dst, "loginSec:newPW", l.NewPassword)
	return appendClose(dst, "loginSec:loginSec")
}

// LoginSecEvent is something about a login that the client should look after (RFC 8807 section 4.1).
type LoginSecEvent struct {
	// Type is password, certificate, cipher, tlsProtocol, newPW, stat or custom.
	Type string
	// Level is warning or error.
	Level string
	// ExDate is when what the event is about expires; zero leaves it out.
	ExDate time.Time
	// Text is for people.
	Text string
}

// AppendLoginSecData appends <loginSec:loginSecData>. The schema asks for one event at least.
func AppendLoginSecData(dst []byte, events []LoginSecEvent) []byte {
	dst = appendObjectOpen(dst, "loginSec", NSLoginSec, "loginSecData")
	for i := range events {
		e := &events[i]
		dst = appendAttr(append(dst, "<loginSec:event"...), "type", e.Type)
		dst = appendAttr(dst, "level", e.Level)
		if !e.ExDate.IsZero() {
			dst = appendAttr(dst, "exDate", e.ExDate.UTC().Format(timeLayout))
		}
		dst = appendClose(appendText(append(dst, '>'), e.Text), "loginSec:event")
	}
	return appendClose(dst, "loginSec:loginSecData")
}
