package epp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/internal/argon2id"
	"cadastre/registry"
	"cadastre/store"
)

// login is <login> (RFC 5730 section 2.9.1.1). The client must present a certificate that
// stands for the registrar and the registrar's password. All that can be wrong with either
// gets the same answer after the same work, so that nothing can be learned from it.
func (s *session) login(ctx context.Context, c *call, l *eppxml.Login) (*answer, error) {
	if err := checkServices(l); err != nil {
		return nil, err
	}
	password, newPassword, err := credentials(l, c.extensions.loginSec)
	if err != nil {
		return nil, err
	}
	throttled := s.throttleKeys()
	if s.server.throttle.closed(time.Now(), throttled...) {
		return &answer{code: codeAuthenticationClosing}, nil
	}
	denial, err := s.authenticate(ctx, c, l.ClID, password)
	if err != nil {
		return nil, err
	}
	if denial != "" { // the log says why, the client learns that it failed
		s.server.loginsRefused.Add(1)
		s.server.throttle.failed(time.Now(), throttled...)
		if s.failedLogins++; s.failedLogins >= maxLogins {
			return &answer{code: codeAuthenticationClosing, cause: errors.New(denial)}, nil
		}
		return &answer{code: codeAuthentication, cause: errors.New(denial)}, nil
	}
	registrar := registry.RegistrarID(s.certRegistrar)
	if !s.server.slots.takeSession(registrar) {
		return c.refused(codeSessionLimitClosing, c.key(), "the registrar has too many sessions on this server"), nil
	}
	if newPassword != "" {
		c.registrar = registrar
		if err := c.registrarPassword(ctx, newPassword); err != nil {
			s.server.slots.releaseSession(registrar)
			return nil, err
		}
	}
	s.registrar = registrar
	s.services = services{objects: slices.Clone(l.ObjURIs), extensions: slices.Clone(l.ExtURIs)}
	return &answer{code: codeOK, svTRID: c.svTRID, extensions: s.loginEvents(time.Now())}, nil
}

// checkServices refuses a login that asks for what the greeting does not offer.
func checkServices(l *eppxml.Login) error {
	wrong := func(code int, element, text, reason string) error {
		return &refusal{code: code, value: eppxml.Value{NS: eppxml.NSEPP, Name: element, Text: text}, reason: reason}
	}
	if !isLanguage(l.Lang) {
		return wrong(codeUnimplementedOption, "lang", l.Lang, "the server speaks en only")
	}
	for _, uri := range l.ObjURIs {
		if !slices.Contains(objectURIs(), uri) {
			return wrong(codeUnimplementedObject, "objURI", uri, "the greeting does not offer this object service")
		}
	}
	for _, uri := range l.ExtURIs {
		if !slices.Contains(extensionURIs(), uri) {
			return wrong(codeUnimplementedExtension, "extURI", uri, "the greeting does not offer this extension")
		}
	}
	return nil
}

// authenticate says why the client is not the registrar that it claims to be, "" if it is.
func (s *session) authenticate(ctx context.Context, c *call, id, password string) (denial string, err error) {
	var registrar *registry.Registrar
	var queue registry.PollQueue
	err = c.view(ctx, func(tx *store.ReadTx) error {
		registrar, _ = tx.Registrar(registry.RegistrarID(id))
		queue = tx.PollQueue(registry.RegistrarID(id))
		return nil
	})
	if err != nil {
		return "", err
	}
	hash := s.server.decoyHash // of a password that nobody knows
	if registrar != nil && registrar.PasswordHash != "" {
		hash = registrar.PasswordHash
	}
	matches, err := s.server.verifyPassword(ctx, hash, password)
	if err != nil {
		return "", err
	}
	if denial = s.denial(registrar); denial == "" && !matches {
		denial = "the password is wrong"
	}
	if denial == "" {
		c.queue = queue
	}
	return denial, nil
}

// verifyPassword waits for its turn, because each check takes memory and a core.
func (s *Server) verifyPassword(ctx context.Context, hash, password string) (bool, error) {
	select {
	case s.passwordChecks <- struct{}{}:
		defer func() { <-s.passwordChecks }()
	case <-ctx.Done():
		return false, fmt.Errorf("wait for a password check: %w", ctx.Err())
	}
	matches, err := argon2id.Verify(hash, password)
	if err != nil {
		return false, fmt.Errorf("check the password: %w", err)
	}
	return matches, nil
}

// throttleKeys returns what failed logins count against; nothing on loopback.
func (s *session) throttleKeys() []string {
	if s.client.IsLoopback() {
		return nil
	}
	return []string{"certificate " + s.certRegistrar, "address " + s.client.String()}
}
