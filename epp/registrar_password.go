package epp

import (
	"context"
	"fmt"

	"cadastre/fsm/fsmpb"
	"cadastre/internal/argon2id"
)

// registrarPassword sets the acting registrar's password: <newPW> of a login. Only the hash
// leaves this node.
func (c *call) registrarPassword(ctx context.Context, password string) error {
	hash, err := c.server.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	_, err = c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_RegistrarPassword{RegistrarPassword: &fsmpb.RegistrarPassword{PasswordHash: hash}}})
	return err
}

// hashPassword waits for its turn like verifyPassword.
func (s *Server) hashPassword(ctx context.Context, password string) (string, error) {
	salt, err := newSalt()
	if err != nil {
		return "", err
	}
	select {
	case s.passwordChecks <- struct{}{}:
		defer func() { <-s.passwordChecks }()
	case <-ctx.Done():
		return "", fmt.Errorf("wait for a password hash: %w", ctx.Err())
	}
	return argon2id.Hash(password, salt), nil
}
