package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

// facts lists what an object was like, for people. Authorisation information is never among
// them, only whether it was set.
type facts []*clusterpb.ObjectFact

func (f *facts) add(name, value string) {
	if value != "" {
		*f = append(*f, &clusterpb.ObjectFact{Name: name, Value: value})
	}
}

func (f *facts) time(name string, at time.Time) {
	if !at.IsZero() {
		f.add(name, at.UTC().Format(time.RFC3339))
	}
}

// versionFacts returns the facts of a version that is not a deletion.
func versionFacts(v *store.Version) facts {
	var f facts
	switch v.Kind {
	case registry.KindDomain:
		f.domain(v.Domain())
	case registry.KindHost:
		f.host(v.Host())
	case registry.KindContact:
		f.contact(v.Contact())
	case registry.KindOrg:
		f.org(v.Org())
	}
	return f
}

func (f *facts) provenance(p *registry.Provenance, statuses registry.Statuses) {
	f.add("sponsor", string(p.Sponsor))
	f.add("creator", string(p.Creator))
	f.time("created_at", p.CreatedAt)
	f.time("updated_at", p.UpdatedAt)
	f.time("transferred_at", p.TransferredAt)
	f.add("statuses", joined(statuses))
}

func (f *facts) domain(d *registry.Domain) {
	f.provenance(&d.Provenance, d.Statuses)
	f.time("expires_at", d.ExpiresAt)
	f.add("registrant", string(d.Registrant))
	for _, c := range d.Contacts {
		f.add("contact_"+string(c.Role), string(c.ID))
	}
	f.add("name_servers", joined(d.NameServerNames()))
	for _, ds := range d.DS {
		f.add("ds", fmt.Sprintf("%d %d %d %X", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest))
	}
	for _, key := range d.Keys {
		f.add("key", fmt.Sprintf("%d %d %d, %d octets", key.Flags, key.Protocol, key.Algorithm, len(key.Data)))
	}
	f.add("price_class", d.PriceClass)
	f.orgs(d.Orgs)
	f.add("deletion_phase", map[registry.DeletionPhase]string{
		registry.PhaseRedemption: "redemption", registry.PhasePendingRestore: "pending restore", registry.PhasePendingDelete: "pending delete",
	}[d.Phase])
	f.time("phase_ends_at", d.PhaseEndsAt)
	f.transfer(d.Transfer)
	f.authInfo(d.AuthInfo)
}

// authInfo shows that there is authorisation information, and until when; never what.
func (f *facts) authInfo(a registry.AuthInfo) {
	f.add("auth_info_set", strconv.FormatBool(len(a.Hash) > 0))
	f.time("auth_info_expires_at", a.ExpiresAt)
}

func (f *facts) transfer(t *registry.Transfer) {
	if t != nil {
		f.add("transfer", fmt.Sprintf("%s, %s to %s", t.Status, t.Losing, t.Requester))
	}
}

func (f *facts) host(h *registry.Host) {
	f.provenance(&h.Provenance, h.Statuses)
	f.add("superordinate", string(h.Superordinate))
	var addresses []string
	for _, addr := range h.Addresses {
		addresses = append(addresses, addr.String())
	}
	f.add("addresses", strings.Join(addresses, " "))
	f.orgs(h.Orgs)
}

func (f *facts) contact(c *registry.Contact) {
	f.provenance(&c.Provenance, c.Statuses)
	f.postal(c.Postal)
	f.add("voice", c.Voice.Number)
	f.add("fax", c.Fax.Number)
	f.add("email", c.Email)
	f.orgs(c.Orgs)
	f.transfer(c.Transfer)
	f.authInfo(c.AuthInfo)
}

func (f *facts) postal(forms []registry.PostalInfo) {
	for _, p := range forms {
		f.add("name_"+p.Type, p.Name)
		f.add("organization_"+p.Type, p.Organization)
		var address []string
		for _, part := range append(append([]string{}, p.Street...), p.City, p.StateProvince, p.PostalCode, p.CountryCode) {
			if part != "" {
				address = append(address, part)
			}
		}
		f.add("address_"+p.Type, strings.Join(address, ", "))
	}
}

// orgs lists the organisations of an object by role.
func (f *facts) orgs(links []registry.OrgLink) {
	for _, link := range links {
		f.add("org_"+string(link.Role), string(link.ID))
	}
}

func (f *facts) org(o *registry.Org) {
	f.provenance(&o.Provenance, o.Statuses)
	for _, role := range o.Roles {
		f.add("role", strings.TrimSpace(fmt.Sprintf("%s %s %s", role.Type, role.ID, joined(role.Statuses))))
	}
	f.add("parent", string(o.Parent))
	f.postal(o.Postal)
	f.add("voice", o.Voice.Number)
	f.add("fax", o.Fax.Number)
	f.add("email", o.Email)
	f.add("url", o.URL)
	for _, c := range o.Contacts {
		f.add("contact_"+c.Type, strings.TrimSpace(string(c.ID)+" "+c.TypeName))
	}
}

func joined[S ~string](list []S) string {
	texts := make([]string, 0, len(list))
	for _, s := range list {
		texts = append(texts, string(s))
	}
	return strings.Join(texts, " ")
}
