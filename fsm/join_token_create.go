package fsm

import (
	"encoding/hex"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// joinTokenCreate admits one node with the token for a while.
func (r *run) joinTokenCreate(c *fsmpb.JoinTokenCreate) (*fsmpb.Result, error) {
	if _, found := r.tx.JoinToken(c.GetTokenSha256()); found {
		return nil, refuse(registry.CodeObjectExists, "token_sha256", hex.EncodeToString(c.GetTokenSha256()), "the token exists already")
	}
	lifetime := time.Duration(c.GetLifetimeSeconds()) * time.Second
	r.tx.PutJoinToken(c.GetTokenSha256(), &store.JoinToken{
		Role:      registry.NodeRole(c.GetRole()),
		ExpiresAt: r.tx.LeaderNow().Add(lifetime),
	})
	return ok(), nil
}
