package fsm

import (
	"fmt"
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// returnStep bounds the delegations that one tick gives a returning host to.
const returnStep = 200

// hostReturn has the following ticks give a host under a sacrificial domain its former name.
func (r *run) hostReturn(c *fsmpb.HostReturn) (*fsmpb.Result, error) {
	host, found := r.tx.Host(registry.DomainName(c.GetName()))
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "name", c.GetName(), "there is no such host")
	}
	if _, err := r.requireReturnable(host); err != nil {
		return nil, err
	}
	r.tx.PutTask(store.TaskHostReturn, c.GetName(), "")
	return ok(), nil
}

// requireReturnable says whether a host can have its former name again: only below a domain
// of its own sponsor. It returns that domain.
func (r *run) requireReturnable(host *registry.Host) (*registry.Domain, error) {
	if host.FormerName == "" {
		return nil, refuse(registry.CodeParameterPolicy, "name", string(host.Name), "the host is not under a sacrificial domain")
	}
	name := formerSuperordinate(host)
	domain, found := r.tx.Domain(name)
	switch {
	case !found:
		return nil, refuse(registry.CodeObjectDoesNotExist, "name", string(name), "the domain is not registered")
	case domain.Sponsor != host.Sponsor:
		return nil, refuse(registry.CodeAssociationForbids, "name", string(name), "the domain is sponsored by %s by now, not by %s as the host", domain.Sponsor, host.Sponsor)
	case domain.Phase != registry.PhaseNone:
		return nil, refuse(registry.CodeStatusProhibits, "name", string(name), "the domain is being deleted")
	case r.tx.HasHost(host.FormerName):
		return nil, refuse(registry.CodeObjectExists, "name", string(host.FormerName), "there is another host of the former name by now")
	}
	return domain, nil
}

// formerSuperordinate is the domain that a moved host was below. The sacrificial domain has
// as many labels.
func formerSuperordinate(host *registry.Host) registry.DomainName {
	return host.FormerName.AncestorWithLabels(host.Superordinate.Labels())
}

// returnHosts has the hosts of a domain come back that its registrar left behind when the
// domain was purged; those of other registrars stay where they are.
func (r *run) returnHosts(d *registry.Domain) {
	for _, name := range r.tx.MovedHosts(d.Name) {
		if host, found := r.tx.Host(name); found && host.Sponsor == d.Sponsor {
			r.tx.PutTask(store.TaskHostReturn, string(name), "")
		}
	}
}

// carryOnReturn carries on with the first host that returns.
func (r *run) carryOnReturn() {
	task, found := r.tx.FirstTask(store.TaskHostReturn)
	if !found {
		return
	}
	host, found := r.tx.Host(registry.DomainName(task.Subject))
	if !found { // deleted meanwhile
		r.tx.EndTask(store.TaskHostReturn, task.Subject)
		return
	}
	if task.Cursor == "" {
		domain, err := r.requireReturnable(host)
		if err != nil { // the conditions have changed since
			r.tx.EndTask(store.TaskHostReturn, task.Subject)
			return
		}
		r.beginReturn(host, domain)
		r.tx.PutTask(store.TaskHostReturn, task.Subject, string(host.FormerName))
	}
	users := r.tx.HostUsers(host.Name, returnStep)
	for _, user := range users {
		r.returnUser(host, user)
	}
	if len(users) < returnStep {
		r.tx.ForgetHostName(host)
		r.tx.DropMovedHost(formerSuperordinate(host), host.Name)
		r.markHostDirty(host.Name)
		r.tx.EndTask(store.TaskHostReturn, task.Subject)
	}
}

// beginReturn makes the host stand under its former name too.
func (r *run) beginReturn(host *registry.Host, domain *registry.Domain) {
	next := *host
	next.Name, next.Superordinate = host.FormerName, domain.Name
	if !host.WasLocked {
		next.Statuses = host.Statuses.Without(registry.StatusServerUpdateProhibited)
	}
	next.FormerName, next.WasLocked = "", false
	r.serverUpdated(&next.Provenance)
	r.tx.MoveHost(&next)
	r.markHostDirty(next.Name)
	r.notifyRegistryChange(registry.KindHost, &next.Provenance, string(next.Name), fmt.Sprintf("%s is registered again; its host is back (RFC 9874)", domain.Name))
}

// returnUser puts the former name of a host in the place of the present one.
func (r *run) returnUser(host *registry.Host, user registry.DomainName) {
	domain, found := r.tx.Domain(user)
	if !found {
		return
	}
	next := *domain
	next.NameServers = slices.Clone(domain.NameServers)
	at := slices.Index(next.NameServers, host.Name)
	if slices.Contains(next.NameServers, host.FormerName) { // its registrar was faster
		next.NameServers = slices.Delete(next.NameServers, at, at+1)
	} else {
		next.NameServers[at] = host.FormerName
	}
	r.changeDelegation(domain, &next, fmt.Sprintf("%s has its former name %s again (RFC 9874)", host.Name, host.FormerName))
}
