package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// registrarPassword sets the password of the acting registrar. Open sessions go on.
func (r *run) registrarPassword(c *fsmpb.RegistrarPassword) (*fsmpb.Result, error) {
	old, found := r.tx.Registrar(r.registrarID())
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "clID", r.actor.GetId(), "there is no such registrar")
	}
	next := *old
	next.PasswordHash = c.GetPasswordHash()
	next.UpdatedAt = r.now
	r.tx.PutRegistrar(&next)
	return ok(), nil
}
