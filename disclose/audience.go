package disclose

import (
	"slices"
	"strings"
	"time"

	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// Audience is who asks; the zero value is the public.
type Audience struct {
	// Registrar is the registrar that has proved who it is. It sees its own objects whole.
	Registrar registry.RegistrarID
	// Grant is that of a requester who has proved who it is, in force; nil for others.
	Grant *registry.DisclosureGrant
}

// IsPublic says whether nothing is known of who asks.
func (a Audience) IsPublic() bool { return a.Registrar == "" && a.Grant == nil }

// owns says whether the object is the asking registrar's own.
func (a Audience) owns(sponsor registry.RegistrarID) bool {
	return a.Registrar != "" && a.Registrar == sponsor
}

// Freshness says how old the data of a replica are.
type Freshness struct {
	// At is registry time as of the last command that was applied.
	At time.Time
	// Age is for how long this replica has not heard of the cluster, zero while that is within the
	// bound.
	Age time.Duration
}

// FreshnessBound is how old data may be before an answer says so: a dozen ticks, which come at
// least every five seconds while there is a leader.
const FreshnessBound = time.Minute

// FreshnessOf compares what is applied with the clock of this machine.
func FreshnessOf(tx *store.ReadTx, now time.Time) Freshness {
	f := Freshness{At: tx.Now()}
	if heard := tx.LeaderNow(); !heard.IsZero() && now.Sub(heard) > FreshnessBound {
		f.Age = now.Sub(heard).Round(time.Second)
	}
	return f
}

// shows says whether everybody may see the field of a contact under the policies: all of them
// disclose it or the contact consents, and the contact does not object (RFC 5733 section 2.9). Consent is
// to a form of the postal data and does not open the other; an objection to one counts for both.
func shows(policies []*registry.RDDSPolicy, c *registry.Contact, field string) bool {
	disclosed := len(policies) > 0
	for _, p := range policies {
		disclosed = disclosed && slices.Contains(p.Disclosed, field)
	}
	if c.Disclose == nil {
		return disclosed
	}
	form := "." + postalOf(c).Type
	if slices.ContainsFunc(c.Disclose.Fields, func(named string) bool {
		_, _, isPostal := strings.Cut(named, ".")
		return fieldOfDisclose(named, field) && (!c.Disclose.Flag || !isPostal || strings.HasSuffix(named, form))
	}) {
		return c.Disclose.Flag
	}
	return disclosed
}

// fieldOfDisclose says whether an element of EPP's disclose means the field.
func fieldOfDisclose(named, field string) bool {
	switch named {
	case "name.int", "name.loc":
		return field == policy.FieldName
	case "org.int", "org.loc":
		return field == policy.FieldOrg
	case "addr.int", "addr.loc":
		return field == policy.FieldStreet || field == policy.FieldCity || field == policy.FieldPostalCode
	case "voice":
		return field == policy.FieldPhone
	default:
		return named == field // fax, email
	}
}
