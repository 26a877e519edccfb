package epp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/registry"
)

// session is one client's connection from the greeting on. Its goroutine owns all of it.
type session struct {
	server  *Server
	log     *slog.Logger
	frames  *frames
	decoder eppxml.Decoder
	client  netip.Addr // stands for the client in limits
	source  netip.Addr // where the client is

	// certRegistrar and fingerprint come from the client's certificate.
	certRegistrar string
	fingerprint   []byte
	certNotAfter  time.Time

	registrar    registry.RegistrarID // empty before login
	record       *registry.Registrar  // of the registrar, as of the present command
	services     services             // empty before login
	failedLogins int
	commands     int
	loginBy      time.Time
}

func newSession(s *Server, conn *tls.Conn, log *slog.Logger, client netip.Addr, certRegistrar string, fingerprint []byte) *session {
	var notAfter time.Time
	if peers := conn.ConnectionState().PeerCertificates; len(peers) > 0 {
		notAfter = peers[0].NotAfter
	}
	return &session{
		certNotAfter: notAfter,
		server:       s, log: log, frames: newFrames(conn, s.cfg.Limits), client: client, source: addressOf(conn.RemoteAddr()),
		certRegistrar: certRegistrar, fingerprint: fingerprint,
		loginBy: time.Now().Add(s.cfg.Limits.LoginTimeout),
	}
}

// run greets and answers frames in order until the session ends. Waiting for a frame ends
// with serving, the work on a command with working.
func (s *session) run(serving, working context.Context) {
	defer func() {
		if s.registrar != "" {
			s.server.slots.releaseSession(s.registrar)
		}
	}()
	wake := context.AfterFunc(serving, func() { _ = s.frames.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer wake()
	if err := s.frames.write(s.server.greeting()); err != nil {
		s.log.Info("epp session ended", "registrar", string(s.registrar), "error", err)
		return
	}
	for {
		frame, err := s.frames.read(serving, s.deadline())
		if err != nil {
			s.farewell(serving, err)
			return
		}
		s.commands++
		response, goOn := s.answer(working, frame)
		if err := s.frames.write(response); err != nil {
			s.log.Info("epp session ended", "registrar", string(s.registrar), "error", err)
			return
		}
		if !goOn {
			return
		}
	}
}

// deadline is when the next frame must have begun.
func (s *session) deadline() time.Time {
	idle := time.Now().Add(s.server.cfg.Limits.IdleTimeout)
	if s.registrar == "" && s.loginBy.Before(idle) {
		return s.loginBy
	}
	return idle
}

// farewell ends a session that has no command running. Unless the client is gone it is
// told why; if it has sent a command meanwhile, that is the right answer to it too.
func (s *session) farewell(serving context.Context, err error) {
	reason := ""
	tooLong, isFrame := errors.AsType[*eppxml.FrameError](err)
	switch {
	case serving.Err() != nil:
		reason = "the server is stopping; connect to another one"
	case isFrame:
		reason = tooLong.Error()
	case errors.Is(err, os.ErrDeadlineExceeded) && s.registrar == "":
		reason = "no login came in time"
	case errors.Is(err, os.ErrDeadlineExceeded):
		reason = "nothing came in time"
	case errors.Is(err, io.EOF):
		s.log.Debug("epp session ended by the client", "registrar", string(s.registrar))
		return
	default:
		s.log.Info("epp session ended", "registrar", string(s.registrar), "error", err)
		return
	}
	s.log.Info("epp session ended", "registrar", string(s.registrar), "reason", reason)
	c := &call{server: s.server, object: eppxml.Value{NS: eppxml.NSEPP, Name: "command"}}
	// The client may have gone without a word; then there is nobody to tell.
	_ = s.frames.write(s.response(c.refused(codeFailedClosing, c.key(), reason), ""))
}

// answer returns the response to a frame and whether the session goes on.
func (s *session) answer(working context.Context, frame []byte) (response []byte, goOn bool) {
	started := time.Now()
	request, err := s.decoder.Decode(frame)
	overLimit := s.commands > s.server.cfg.Limits.CommandsPerSession
	if err == nil && request.Hello && !overLimit {
		return s.server.greeting(), true
	}
	ctx, cancel := context.WithTimeout(working, s.server.cfg.Limits.CommandTimeout)
	defer cancel()
	c := &call{server: s.server, registrar: s.registrar}
	var verb eppxml.Verb
	var a *answer
	switch {
	case err != nil:
		a, verb = s.undecodable(c, err)
	case !request.Hello:
		c.clTRID, c.object, verb = request.Command.ClTRID, objectOf(request.Command.Body), request.Command.Body.Verb()
	}
	if overLimit {
		a = c.refused(codeFailedClosing, eppxml.Value{NS: eppxml.NSEPP, Name: "command"}, "the session has had as many commands as one may have; open another one")
	}
	if ending := s.recheck(ctx, c); ending != nil {
		a = ending
	}
	if a == nil {
		if a, err = s.execute(ctx, c, request.Command); err != nil {
			a = c.failure(err)
		}
	}
	if a.svTRID == "" {
		a.svTRID = s.server.trids.next()
	}
	if a.msgQ == nil && c.queue.Count > 0 {
		a.msgQ = &eppxml.MsgQ{Count: c.queue.Count, ID: messageID(c.queue.Head)}
	}
	s.server.commands.note(verb, a.code, time.Since(started))
	s.note(c, verb, a, time.Since(started))
	return s.response(a, c.clTRID), !endsSession(a.code)
}

// undecodable answers a frame that is no command.
func (s *session) undecodable(c *call, err error) (*answer, eppxml.Verb) {
	bad, found := errors.AsType[*eppxml.Error](err)
	if !found {
		return &answer{code: codeSyntaxError, cause: err}, ""
	}
	c.clTRID = bad.ClTRID
	a := &answer{code: codeSyntaxError}
	switch bad.Kind {
	case eppxml.KindUnknownCommand:
		a.code = codeUnknownCommand
	case eppxml.KindUnimplementedObject:
		a.code = codeUnimplementedObject
	case eppxml.KindUnimplementedExtension:
		a.code = codeUnimplementedExtension
	case eppxml.KindSyntax:
		if bad.Verb == eppxml.VerbLogin && bad.NS == eppxml.NSEPP && bad.Element == "version" {
			a.code = codeUnimplementedVersion
		}
	}
	if value, known := bad.ExtValue(); known {
		a.extValues = []eppxml.ExtValue{value}
	}
	return a, bad.Verb
}

// execute runs a decoded command according to the state of the session.
func (s *session) execute(ctx context.Context, c *call, command *eppxml.Command) (*answer, error) {
	login, isLogin := command.Body.(*eppxml.Login)
	_, isLogout := command.Body.(*eppxml.Logout)
	value := commandValue(command.Body.Verb())
	switch {
	case isLogin && s.registrar != "":
		return nil, &refusal{code: codeUseError, value: value, reason: "the session is logged in already"}
	case !isLogin && s.registrar == "":
		return nil, &refusal{code: codeUseError, value: value, reason: "log in first"}
	}
	offered := &s.services
	if isLogin {
		offered = &services{extensions: login.ExtURIs}
	} else if err := offered.checkObject(command.Body); err != nil {
		return nil, err
	}
	c.services = offered
	var err error
	if c.extensions, err = offered.readExtensions(command); err != nil {
		return nil, err
	}
	switch {
	case isLogin:
		return s.login(ctx, c, login)
	case isLogout:
		return &answer{code: codeOKEndingSession}, nil
	default:
		if refused, err := s.slowDown(ctx, c, command.Body); err != nil || refused != nil {
			return refused, err
		}
		a, err := c.run(ctx, command.Body)
		if failure := c.countAttempt(ctx); failure != nil {
			return nil, failure
		}
		return a, err
	}
}

// response encodes an answer.
func (s *session) response(a *answer, clTRID string) []byte {
	svTRID := a.svTRID
	if svTRID == "" {
		svTRID = s.server.trids.next()
	}
	data, extValues := a.data, a.extValues
	if a.dataURI != "" && len(data) > 0 && !s.services.hasObject(a.dataURI) {
		extValues = append(extValues, s.services.unhandled(a.dataURI, data)...)
		data = nil
	}
	extension, unhandled := s.services.divide(a.extensions)
	return eppxml.AppendResponse(nil, &eppxml.Response{
		Results: []eppxml.Result{{Code: a.code, Msg: message(a.code), ExtValues: append(extValues, unhandled...)}},
		MsgQ:    a.msgQ, ResData: data, Extension: extension, ClTRID: clTRID, SvTRID: svTRID,
	})
}

// note writes the command's line of the log. Only faults of the server are errors; queries
// are many and change nothing.
func (s *session) note(c *call, verb eppxml.Verb, a *answer, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case a.overRate: // as many as the client likes
	case a.code == codeCommandFailed || a.code == codeFailedClosing:
		level = slog.LevelError
	case isTransform(verb) || verb == eppxml.VerbLogin:
		level = slog.LevelInfo
	}
	attrs := []slog.Attr{
		slog.String("verb", string(verb)), slog.String("object", c.object.Text), slog.Int("code", a.code), slog.String("registrar", string(s.registrar)),
		slog.String("cltrid", c.clTRID), slog.String("svtrid", a.svTRID), slog.Int64("duration_ms", took.Milliseconds()),
	}
	if sec := c.extensions.loginSec; sec != nil && sec.UserAgent != nil {
		attrs = append(attrs, slog.Group("user_agent", "app", sec.UserAgent.App, "tech", sec.UserAgent.Tech, "os", sec.UserAgent.OS))
	}
	if a.cause != nil {
		attrs = append(attrs, slog.Any("error", a.cause))
	}
	s.log.LogAttrs(context.Background(), level, "epp command", attrs...)
}
