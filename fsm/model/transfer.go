package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maxTermYears is the longest registration from now on (ICANN's agreements).
const maxTermYears = 10

// contactTransferDays is how long a losing registrar has to answer for a contact.
const contactTransferDays = 5

// Secret is authorisation information: whoever presents it has it (RFC 9154: hashed, and with
// a lifetime). The empty value is none.
type Secret struct {
	Value     string
	ExpiresAt time.Time // zero: never
}

func (m *Model) secret(a *fsmpb.AuthInfo) Secret {
	s := Secret{Value: string(a.GetSalt()) + string(a.GetHash())}
	if s.Value != "" && a.GetExpires() {
		s.ExpiresAt = m.Now.Add(30 * 24 * time.Hour)
	}
	return s
}

// proves says whether the proof is of the secret.
func (m *Model) proves(s Secret, proof *fsmpb.AuthProof) bool {
	expired := !s.ExpiresAt.IsZero() && !m.Now.Before(s.ExpiresAt)
	return s.Value != "" && !expired && s.Value == string(proof.GetSalt())+string(proof.GetHash())
}

// Transfer is the latest transfer of an object.
type Transfer struct {
	Status, Requester, Losing string
	RequestedAt, ActAt        time.Time
	ExpiresAt                 time.Time // of a domain
	Years                     int
	Reserved                  *Row
}

func (t *Transfer) pending() bool { return t != nil && t.Status == "pending" }

// String shows the transfer as comparisons have it.
func (t *Transfer) String() string {
	if t == nil {
		return "none"
	}
	return fmt.Sprintf("%s %s->%s requested %s act %s expires %s", t.Status, t.Losing, t.Requester, day(t.RequestedAt), day(t.ActAt), day(t.ExpiresAt))
}

// askable says whether the statuses let a registrar ask for the object.
func askable(statuses []string) registry.Code {
	if slices.Contains(statuses, "pendingTransfer") {
		return registry.CodePendingTransfer
	}
	for _, s := range []string{"clientTransferProhibited", "serverTransferProhibited", "pendingDelete"} {
		if slices.Contains(statuses, s) {
			return registry.CodeStatusProhibits
		}
	}
	return registry.CodeOK
}

// opens says whether the proof is of the domain's secret or, naming it, of that of a contact
// of the domain with the same sponsor.
func (m *Model) opens(d *Domain, proof *fsmpb.AuthProof) bool {
	roid := proof.GetRoid()
	if roid == "" || roid == d.ROID {
		return m.proves(d.Secret, proof)
	}
	for key, c := range m.Contacts {
		if c.ROID == roid && m.links(d, key) && c.Sponsor == d.Sponsor {
			return m.proves(c.Secret, proof)
		}
	}
	return false
}

func (m *Model) links(d *Domain, contactKey string) bool {
	return strings.EqualFold(d.Registrant, contactKey) || slices.ContainsFunc(d.Contacts, func(link string) bool {
		_, id, _ := strings.Cut(link, ":")
		return strings.EqualFold(id, contactKey)
	})
}

func (m *Model) domainTransferRequest(actor string, c *fsmpb.DomainTransferRequest) registry.Code {
	d := m.Domains[c.GetName()]
	switch {
	case d == nil:
		return registry.CodeObjectDoesNotExist
	case !m.Registrars[actor].Accredited:
		return registry.CodeAuthorization
	case d.Sponsor == actor:
		return registry.CodeNotTransferable
	case !m.opens(d, c.GetAuthProof()):
		return registry.CodeInvalidAuthInfo
	}
	if code := askable(d.Statuses); code != registry.CodeOK {
		return code
	}
	years := max(1, int(c.GetPeriodYears()))
	if years > int(m.Policy.MaxYears) {
		return registry.CodeParameterRange
	}
	wanted := addYears(d.ExpiresAt, years-min(years, m.autoRenewedYears(d, m.Now)))
	expires := m.capTerm(m.Now, d.ExpiresAt, wanted)
	if c.GetPeriodYears() > 0 && !expires.Equal(wanted) {
		return registry.CodeParameterPolicy
	}
	price := d.Prices.TransferMinor + d.Prices.RenewMinor*int64(years-1)
	if code := m.pay(actor, d.Prices, c.GetFee(), price); code != registry.CodeOK {
		return code
	}
	d.Transfer = &Transfer{
		Status: "pending", Requester: actor, Losing: d.Sponsor, RequestedAt: m.Now, ActAt: m.days(m.Policy.TransferPendingDays), ExpiresAt: expires, Years: years,
		Reserved: m.post(&Row{Kind: "reserve", From: actor, To: "reserved", AmountMinor: price, Object: d.Name, Years: years}),
	}
	d.Statuses = with(d.Statuses, "pendingTransfer")
	m.tell(d.Sponsor, "transfer", d.Name, d.Transfer.String())
	return registry.CodeOKPending
}

// autoRenewedYears are those of automatic renewals that a transfer would void.
func (m *Model) autoRenewedYears(d *Domain, at time.Time) int {
	years := 0
	for _, g := range m.running(d.Graces, at) {
		if g.Kind == "autoRenew" {
			years++
		}
	}
	return years
}

// capTerm cuts an expiry to ten years from now, but never takes away what is there.
func (m *Model) capTerm(at, current, expiry time.Time) time.Time {
	latest := addYears(at, maxTermYears)
	if latest.Before(current) {
		latest = current
	}
	if expiry.After(latest) {
		return latest
	}
	return expiry
}

// answer is an approval, rejection or cancellation.
func (m *Model) answer(actor, sponsor string, t *Transfer, operation string) registry.Code {
	if operation == "cancel" {
		switch {
		case !t.pending():
			return registry.CodeNotPendingTransfer
		case t.Requester != actor:
			return registry.CodeAuthorization
		}
		return registry.CodeOK
	}
	switch {
	case sponsor != actor:
		return registry.CodeAuthorization
	case !t.pending():
		return registry.CodeNotPendingTransfer
	}
	return registry.CodeOK
}

func (m *Model) domainTransferAnswer(actor, name, operation string) registry.Code {
	d := m.Domains[name]
	if d == nil {
		return registry.CodeObjectDoesNotExist
	}
	if code := m.answer(actor, d.Sponsor, d.Transfer, operation); code != registry.CodeOK {
		return code
	}
	switch operation {
	case "approve":
		m.moveDomain(d, "clientApproved", m.Now)
	case "reject":
		m.keepDomain(d, "clientRejected", m.Now)
	default:
		m.keepDomain(d, "clientCancelled", m.Now)
	}
	return registry.CodeOK
}

// moveDomain gives the domain and the hosts below it to the requester: the price that was set
// aside is charged, automatic renewals in their grace period are undone, other grace periods
// of the losing registrar end.
func (m *Model) moveDomain(d *Domain, status string, at time.Time) {
	voided := m.autoRenewedYears(d, at)
	for _, g := range m.running(d.Graces, at) {
		if g.Kind == "autoRenew" {
			m.undo("refund", g.Charge)
		}
	}
	t := *d.Transfer
	t.ExpiresAt = m.capTerm(at, d.ExpiresAt, addYears(d.ExpiresAt, t.Years-min(t.Years, voided)))
	before := m.without(d.ExpiresAt, slices.DeleteFunc(m.running(d.Graces, at), func(g Grace) bool { return g.Kind != "autoRenew" }))
	m.undo("release", t.Reserved)
	charge := m.charge("transfer", t.Requester, d.Name, t.Years, t.Reserved.AmountMinor)
	d.Sponsor, d.ExpiresAt, d.Secret, d.ExpiryGraceEndsAt = t.Requester, t.ExpiresAt, Secret{}, time.Time{}
	d.Statuses = without(d.Statuses, "pendingTransfer")
	d.Graces = []Grace{{Kind: "transfer", EndsAt: at.Add(time.Duration(m.Policy.TransferGraceDays) * 24 * time.Hour), Charge: charge, Before: before, After: t.ExpiresAt}}
	for name, h := range m.Hosts {
		if domain, inside := m.superordinate(name); inside && domain == d.Name {
			h.Sponsor = d.Sponsor
		}
	}
	d.Transfer = m.ended(&t, status, at, d.Name)
}

// keepDomain ends a transfer that fails.
func (m *Model) keepDomain(d *Domain, status string, at time.Time) {
	m.undo("release", d.Transfer.Reserved)
	t := *d.Transfer
	t.ExpiresAt = time.Time{}
	d.Statuses = without(d.Statuses, "pendingTransfer")
	d.Transfer = m.ended(&t, status, at, d.Name)
}

// ended tells whoever did not end the transfer.
func (m *Model) ended(t *Transfer, status string, at time.Time, object string) *Transfer {
	t.Status, t.ActAt = status, at
	if status != "clientApproved" && status != "clientRejected" {
		m.tell(t.Losing, "transfer", object, t.String())
	}
	if status != "clientCancelled" {
		m.tell(t.Requester, "transfer", object, t.String())
	}
	return t
}

func (m *Model) contactTransferRequest(actor string, c *fsmpb.ContactTransferRequest) registry.Code {
	contact := m.Contacts[strings.ToLower(c.GetId())]
	switch {
	case contact == nil:
		return registry.CodeObjectDoesNotExist
	case contact.Sponsor == actor:
		return registry.CodeNotTransferable
	case c.GetAuthProof().GetRoid() != "" && c.GetAuthProof().GetRoid() != contact.ROID, !m.proves(contact.Secret, c.GetAuthProof()):
		return registry.CodeInvalidAuthInfo
	}
	if code := askable(contact.Statuses); code != registry.CodeOK {
		return code
	}
	contact.Transfer = &Transfer{Status: "pending", Requester: actor, Losing: contact.Sponsor, RequestedAt: m.Now, ActAt: m.days(contactTransferDays)}
	contact.Statuses = with(contact.Statuses, "pendingTransfer")
	m.tell(contact.Sponsor, "transfer", contact.ID, contact.Transfer.String())
	return registry.CodeOKPending
}

func (m *Model) contactTransferAnswer(actor, id, operation string) registry.Code {
	contact := m.Contacts[strings.ToLower(id)]
	if contact == nil {
		return registry.CodeObjectDoesNotExist
	}
	if code := m.answer(actor, contact.Sponsor, contact.Transfer, operation); code != registry.CodeOK {
		return code
	}
	status := map[string]string{"approve": "clientApproved", "reject": "clientRejected", "cancel": "clientCancelled"}[operation]
	m.endContactTransfer(contact, status, m.Now)
	return registry.CodeOK
}

func (m *Model) endContactTransfer(c *Contact, status string, at time.Time) {
	if strings.HasSuffix(status, "Approved") {
		c.Sponsor, c.Secret = c.Transfer.Requester, Secret{}
	}
	c.Statuses = without(c.Statuses, "pendingTransfer")
	t := *c.Transfer
	c.Transfer = m.ended(&t, status, at, c.ID)
}

func with(statuses []string, s string) []string {
	next := append(slices.Clone(statuses), s)
	slices.Sort(next)
	return next
}

func without(statuses []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(statuses), func(x string) bool { return x == s })
}
