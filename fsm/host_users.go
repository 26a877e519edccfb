package fsm

import (
	"fmt"
	"strings"

	"cadastre/registry"
)

// Bounds of what a refusal says about the users of hosts.
const (
	maxCountedUsers = 500
	maxNamedUsers   = 20
)

// requireReleasable says whether a domain may be deleted with the hosts below it. They have to
// go first (RFC 5731 section 3.2.2), unless the TLD takes care of them when the domain is
// purged. Host attributes of others below it cannot be moved anywhere.
func (r *run) requireReleasable(tld *registry.TLD, d *registry.Domain) error {
	hosts := r.tx.SubordinateHosts(d.Name, 1)
	if len(hosts) > 0 && tld.Policy.SacrificialDomain == "" {
		if r.tx.FeatureLevel() < registry.LevelLifecycle {
			return refuse(registry.CodeAssociationForbids, "name", string(d.Name),
				"the domain has subordinate hosts, such as %s; delete or rename them first (RFC 5731 section 3.2.2)", hosts[0])
		}
		return refuse(registry.CodeAssociationForbids, "name", string(d.Name), "the domain has subordinate hosts, such as %s%s; delete or rename them first (RFC 5731 section 3.2.2)",
			hosts[0], r.usersText(r.usersBelow(d, maxCountedUsers)))
	}
	if tld.Policy.HostAttributes {
		if users := r.usersBelow(d, maxCountedUsers); len(users) > 0 {
			return refuse(registry.CodeAssociationForbids, "name", string(d.Name), "other domains have name servers below this one%s", r.usersText(users))
		}
	}
	return nil
}

// usersText says how many domains use something, and which of them the acting registrar
// sponsors; "" for none. Whose the others are is for the registry alone to know.
func (r *run) usersText(users []registry.DomainName) string {
	if len(users) == 0 {
		return ""
	}
	var own []string
	others := 0
	for _, user := range users {
		domain, found := r.tx.Domain(user)
		switch {
		case !found:
		case domain.Sponsor != r.registrarID():
			others++
		case len(own) < maxNamedUsers:
			own = append(own, string(user))
		case len(own) == maxNamedUsers:
			own = append(own, "...")
		}
	}
	count := fmt.Sprint(len(users))
	if len(users) == maxCountedUsers {
		count = "at least " + count
	}
	text := fmt.Sprintf(" (used by %s domains", count)
	if len(users) == 1 {
		text = " (used by 1 domain"
	}
	if len(own) > 0 {
		text += ": " + strings.Join(own, ", ")
	}
	if others > 0 {
		text += fmt.Sprintf("; %d of other registrars", others)
	}
	return text + ")"
}
