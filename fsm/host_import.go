package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// hostImport makes a host outside the TLDs for a registrar, unless there is one already, whoever sponsors it: such hosts
// may serve the domains of all registrars.
func (r *run) hostImport(c *fsmpb.HostImport) (*fsmpb.Result, error) {
	if err := r.actFor(c.GetRegistrar()); err != nil {
		return nil, err
	}
	name := registry.DomainName(c.GetName())
	if r.tx.HasHost(name) {
		return ok(), nil
	}
	if tld, inside := r.tx.TLDOf(name); inside {
		return nil, refuse(registry.CodeParameterPolicy, "name", c.GetName(), "a host inside .%s comes with its superordinate domain", tld.Name)
	}
	return r.hostCreate(&fsmpb.HostCreate{Name: c.GetName(), Roid: c.GetRoid()})
}

// actFor lets an operator do what follows as the registrar, whose objects they become. The history names the operator.
func (r *run) actFor(registrar string) error {
	r.behalf = registry.RegistrarID(registrar)
	return r.requireActiveRegistrar(nil)
}
