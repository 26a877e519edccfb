package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func (r *run) hostDelete(c *fsmpb.HostDelete) (*fsmpb.Result, error) {
	host, err := r.ownHost(c.GetName())
	if err != nil {
		return nil, err
	}
	if err := requireDeletable(host.Statuses); err != nil {
		return nil, err
	}
	if users := r.tx.HostUsers(host.Name, maxCountedUsers); len(users) > 0 {
		return nil, refuse(registry.CodeAssociationForbids, "name", c.GetName(), "domains are delegated to this host%s; it cannot be deleted while linked (RFC 5732 section 3.2.2)", r.usersText(users))
	}
	if host.FormerName != "" {
		r.tx.DropMovedHost(formerSuperordinate(host), host.Name)
	}
	r.tx.DeleteHost(host)
	r.markHostDirty(host.Name)
	return ok(), nil
}
