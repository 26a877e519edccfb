package fsm

import (
	"fmt"
	"slices"
	"strings"

	"cadastre/registry"
)

// What becomes of the hosts below a domain that ends follows RFC 9874: no delegation is left
// that points to a name which somebody else could register.

const (
	// purgeSubordinateLimit bounds the hosts that one step of a purge looks at; it is far above
	// what a domain of a name server operator has.
	purgeSubordinateLimit = 1000
	// releaseStep bounds the delegations of others that one step changes.
	releaseStep = 100
	// maxMovedHosts bounds the list of a domain's hosts that live on; further ones are deleted.
	maxMovedHosts = 1000
)

// registryName stands for the registry in messages about what it did by itself.
const registryName = "registry"

// purgeSoon has the next tick purge a deleted domain.
func (r *run) purgeSoon(name registry.DomainName) {
	domain, found := r.tx.Domain(name)
	if !found {
		return
	}
	next := *domain
	next.Phase, next.PhaseEndsAt = registry.PhasePendingDelete, r.now
	r.tx.PutDomain(domain, &next)
}

// purgeDomain makes the name free again, together with the hosts below it. While the cluster
// cannot release hosts yet, those that others use stay behind, unpublished.
func (r *run) purgeDomain(domain *registry.Domain) {
	releases := r.tx.FeatureLevel() >= registry.LevelLifecycle
	for _, name := range r.tx.SubordinateHosts(domain.Name, purgeSubordinateLimit) {
		if host, found := r.tx.Host(name); found && (releases || !r.isUsedByOthers(name, domain.Name)) {
			r.forgetHost(host)
		}
		r.markDirty(domain.TLD, name)
	}
	r.tx.DeleteDomain(domain)
	r.markDelegationDirty(domain, nil)
}

func (r *run) isUsedByOthers(host, domain registry.DomainName) bool {
	users := r.tx.HostUsers(host, 2)
	return slices.ContainsFunc(users, func(user registry.DomainName) bool { return user != domain })
}

// forgetHost deletes a host or, if it lives on under another name, this name of it.
func (r *run) forgetHost(host *registry.Host) {
	if _, name, found := r.tx.ROID(host.ROID); found && name != string(host.Name) {
		r.tx.ForgetHostName(host)
		return
	}
	r.tx.DeleteHost(host)
}

// releaseHosts takes the name servers below a domain that is purged out of the delegations
// of others, or puts those under the TLD's sacrificial domain in their place, a bounded number
// with each call. It says whether nobody uses them any more.
func (r *run) releaseHosts(tld *registry.TLD, d *registry.Domain) bool {
	users := r.usersBelow(d, releaseStep+1)
	done := len(users) <= releaseStep
	if !done {
		users = users[:releaseStep]
	}
	for _, user := range users {
		r.releaseUser(tld, d, user)
	}
	r.extraWork += len(users)
	if hosts := r.tx.SubordinateHosts(d.Name, purgeSubordinateLimit); done && len(hosts) == purgeSubordinateLimit {
		for _, name := range hosts {
			if host, found := r.tx.Host(name); found {
				r.forgetHost(host)
			}
			r.markDirty(d.TLD, name)
		}
		r.extraWork += len(hosts)
		return false
	}
	return done
}

// usersBelow returns up to limit domains, other than d, with a name server in or below d.
func (r *run) usersBelow(d *registry.Domain, limit int) []registry.DomainName {
	var users []registry.DomainName
	add := func(user registry.DomainName) bool {
		if user != d.Name && !slices.Contains(users, user) {
			users = append(users, user)
		}
		return len(users) < limit
	}
	for _, host := range r.tx.SubordinateHosts(d.Name, purgeSubordinateLimit) {
		if r.tx.EachHostUser(host, add); len(users) == limit {
			return users
		}
	}
	r.tx.EachAttributeUser(d.Name, add)
	return users
}

func isInOrBelow(name, domain registry.DomainName) bool {
	return name == domain || name.IsBelow(domain)
}

// releaseUser takes the name servers below d out of another domain's delegation.
func (r *run) releaseUser(tld *registry.TLD, d *registry.Domain, user registry.DomainName) {
	domain, found := r.tx.Domain(user)
	if !found {
		return
	}
	next := *domain
	next.NameServers, next.HostAttributes = nil, nil
	moved := false
	for _, ns := range domain.NameServers {
		if isInOrBelow(ns, d.Name) {
			if ns = r.sacrifice(tld, d, ns); ns == "" {
				continue
			}
			moved = true
		}
		next.NameServers = append(next.NameServers, ns)
	}
	for _, attribute := range domain.HostAttributes {
		if !isInOrBelow(attribute.Name, d.Name) {
			next.HostAttributes = append(next.HostAttributes, attribute)
		}
	}
	reason := fmt.Sprintf("%s is purged; its name servers left", d.Name)
	if moved {
		reason = fmt.Sprintf("%s is purged; its name servers moved below %s", d.Name, tld.Policy.SacrificialDomain)
	}
	r.changeDelegation(domain, &next, reason+" (RFC 9874)")
}

// changeDelegation writes a domain whose name servers the registry changed by itself, and
// tells its sponsor.
func (r *run) changeDelegation(old, next *registry.Domain, reason string) {
	r.serverUpdated(&next.Provenance)
	r.tx.PutDomain(old, next)
	r.markDelegationDirty(next, old)
	r.notifyRegistryChange(registry.KindDomain, &next.Provenance, string(next.Name), reason)
}

// sacrifice returns the name under the TLD's sacrificial domain by which a host of a domain
// that is purged lives on, "" if it does not. The first to ask has the host moved.
func (r *run) sacrifice(tld *registry.TLD, d *registry.Domain, name registry.DomainName) registry.DomainName {
	host, found := r.tx.Host(name)
	if tld.Policy.SacrificialDomain == "" || !found {
		return ""
	}
	if _, now, known := r.tx.ROID(host.ROID); known && now != string(name) {
		return registry.DomainName(now) // moved by an earlier step
	}
	next := *host
	next.Name = sacrificialName(tld, host)
	if r.tx.HasHost(next.Name) || len(r.tx.MovedHosts(d.Name)) >= maxMovedHosts {
		return ""
	}
	next.Superordinate, next.FormerName = tld.Policy.SacrificialDomain, name
	next.WasLocked = host.Statuses.Has(registry.StatusServerUpdateProhibited)
	next.Statuses = host.Statuses.With(registry.StatusServerUpdateProhibited)
	r.serverUpdated(&next.Provenance)
	r.tx.MoveHost(&next)
	r.tx.AddMovedHost(d.Name, next.Name)
	r.markHostDirty(next.Name)
	r.notifyRegistryChange(registry.KindHost, &next.Provenance, string(next.Name), fmt.Sprintf("%s is purged; its host %s moved to %s (RFC 9874)", d.Name, name, next.Name))
	return next.Name
}

// sacrificialName is a name that no other host ever has: the former one without its TLD, the
// ROID, and the sacrificial domain; without the former one where that would be too long.
func sacrificialName(tld *registry.TLD, host *registry.Host) registry.DomainName {
	id := strings.ReplaceAll(strings.ToLower(string(host.ROID)), "_", "-")
	if len(id) > maxLabelChars {
		id = id[len(id)-maxLabelChars:]
	}
	base := registry.DomainName(strings.Trim(id, "-") + "." + string(tld.Policy.SacrificialDomain))
	full := registry.DomainName(strings.TrimSuffix(string(host.Name), string(tld.Name)) + string(base))
	if _, err := registry.ParseDomainName(string(full)); err != nil {
		return base
	}
	return full
}

// maxLabelChars is how long a label can be (RFC 1035 section 2.3.4).
const maxLabelChars = 63
