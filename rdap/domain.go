package rdap

import (
	"fmt"

	"cadastre/disclose"
)

// domain writes an answer about a domain (RFC 9083 section 5.3).
func (w *writer) domain(rq *request, d *disclose.Domain, fresh disclose.Freshness) {
	w.begin("")
	w.notices(rq, fresh, d.TermsURI, true, nil)
	w.domainMembers(rq, d, &fresh)
	w.close('}')
}

// domainMembers writes the domain itself; fresh is nil within the results of a search.
func (w *writer) domainMembers(rq *request, d *disclose.Domain, fresh *disclose.Freshness) {
	w.member("objectClassName", "domain")
	w.member("handle", string(d.ROID))
	w.member("ldhName", string(d.Name))
	if d.Unicode != string(d.Name) {
		w.member("unicodeName", d.Unicode)
	}
	w.statuses(d.Statuses)
	w.array("events")
	w.event("registration", d.CreatedAt)
	w.event("expiration", d.ExpiresAt)
	w.event("last changed", d.UpdatedAt)
	w.event("transfer", d.TransferredAt)
	if fresh != nil {
		w.lastUpdate(*fresh)
	}
	w.close(']')
	w.array("links")
	w.link(rq, "self", rq.base+"domain/"+string(d.Name), mediaType)
	if r := d.Sponsor; r.Public.RDAPBaseURL != "" && r.IANAID != registryAsRegistrar {
		w.link(rq, "related", r.Public.RDAPBaseURL+"domain/"+string(d.Name), mediaType)
	}
	w.close(']')
	w.security(d)
	if len(d.NameServers) > 0 {
		w.array("nameservers")
		for _, server := range d.NameServers {
			w.open('{')
			w.member("objectClassName", "nameserver")
			w.member("ldhName", string(server.Name))
			if server.Unicode != string(server.Name) {
				w.member("unicodeName", server.Unicode)
			}
			w.close('}')
		}
		w.close(']')
	}
	w.array("entities")
	w.registrarEntity(rq, d.Sponsor)
	for _, c := range d.Contacts {
		w.contactEntity(rq, c, nil)
	}
	w.close(']')
	w.redactions(d)
}

// registryAsRegistrar is the number of a registry that registers names itself.
const registryAsRegistrar = 9999

// security writes whether the delegation is secure (RFC 9083 section 5.3).
func (w *writer) security(d *disclose.Domain) {
	w.object("secureDNS")
	w.boolean("delegationSigned", len(d.Signers) > 0)
	if d.MaxSigLifeSeconds > 0 {
		w.number("maxSigLife", uint64(d.MaxSigLifeSeconds))
	}
	if len(d.Signers) > 0 {
		w.array("dsData")
		for _, ds := range d.Signers {
			w.open('{')
			w.number("keyTag", uint64(ds.KeyTag))
			w.number("algorithm", uint64(ds.Algorithm))
			w.member("digest", fmt.Sprintf("%X", ds.Digest))
			w.number("digestType", uint64(ds.DigestType))
			w.close('}')
		}
		w.close(']')
	}
	w.close('}')
}

// redactions lists what is withheld (RFC 9537 section 4.2).
func (w *writer) redactions(d *disclose.Domain) {
	if d.IsWhole {
		return
	}
	listed := len(d.Removed) > 0
	for _, c := range d.Contacts {
		listed = listed || len(c.Withheld) > 0
	}
	if !listed {
		return
	}
	w.array("redacted")
	for _, c := range d.Contacts {
		w.contactRedactions(c, "$.entities[?(@.roles[0]=='"+string(c.Role)+"')]")
	}
	for _, role := range d.Removed {
		w.redaction(redaction{description: role.Label() + " Contact", method: "removal", prePath: "$.entities[?(@.roles[0]=='" + string(role) + "')]"})
	}
	w.close(']')
}
