package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// allocationTokenRevoke makes a token useless from now on.
func (r *run) allocationTokenRevoke(c *fsmpb.AllocationTokenRevoke) (*fsmpb.Result, error) {
	token, found := r.tx.AllocationToken(c.GetTokenSha256())
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "token", "", "there is no such token; see: cadastre token list")
	}
	if !token.RevokedAt.IsZero() {
		return nil, refuse(registry.CodeStatusProhibits, "token", "", "the token was revoked already")
	}
	next := *token
	next.RevokedAt = r.now
	r.tx.PutAllocationToken(&next)
	return ok(), nil
}
