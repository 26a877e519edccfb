package model_test

import (
	"bytes"
	"slices"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/fsm/model"
)

// secrets are what authorisation information is chosen from: the salt, then the hash.
func secretOf(n byte) (salt, hash []byte) {
	return []byte("salt of " + string('0'+n)), bytes.Repeat([]byte{n}, 32)
}

func (p *pair) authInfo() *fsmpb.AuthInfo {
	switch p.random.IntN(12) {
	case 0:
		return &fsmpb.AuthInfo{} // unset
	case 1:
		salt, hash := secretOf(3)
		return &fsmpb.AuthInfo{Salt: salt, Hash: hash, Weak: true}
	}
	salt, hash := secretOf(byte(1 + p.random.IntN(2)))
	return &fsmpb.AuthInfo{Salt: salt, Hash: hash, Expires: p.random.IntN(2) == 0}
}

// proof is right most of the time; roid, if not empty, names whose it is, sometimes.
func (p *pair) proof(right model.Secret, roid string) *fsmpb.AuthProof {
	salt, hash := secretOf(byte(1 + p.random.IntN(2)))
	if len(right.Value) > 32 && p.random.IntN(8) != 0 {
		salt, hash = []byte(right.Value[:len(right.Value)-32]), []byte(right.Value[len(right.Value)-32:])
	}
	proof := &fsmpb.AuthProof{Salt: salt, Hash: hash}
	if p.random.IntN(4) == 0 {
		proof.Roid = roid
	}
	return proof
}

// fee is what the registrar agrees to pay: none, or around the price.
func (p *pair) fee(name string, price int64) *fsmpb.Fee {
	premium := name == "d5.example"
	if n := p.random.IntN(8); n < 4 && !premium || n == 0 {
		return nil
	}
	fee := &fsmpb.Fee{AmountMinor: price + int64(p.random.IntN(2)*500), Currency: p.pick("", "EUR", "EUR", "EUR")}
	switch p.random.IntN(16) {
	case 0:
		fee.AmountMinor = max(0, price-1)
	case 1:
		fee.Currency = "USD"
	}
	return fee
}

func (p *pair) prices(name string) model.Prices {
	if d := p.model.Domains[name]; d != nil {
		return d.Prices
	}
	if name == "d5.example" {
		return p.model.Policy.Premium["d5"]
	}
	return model.Prices{CreateMinor: p.model.Policy.CreatePriceMinor}
}

func (p *pair) delegationSigners(most int) []*fsmpb.DelegationSigner {
	var out []*fsmpb.DelegationSigner
	for range p.random.IntN(most + 1) {
		ds := &fsmpb.DelegationSigner{KeyTag: uint32(p.random.IntN(2)), Algorithm: 13, DigestType: 2, Digest: bytes.Repeat([]byte{1}, 32)}
		switch p.random.IntN(12) {
		case 0:
			ds.Algorithm = 5
		case 1:
			ds.DigestType = 1
		case 2:
			ds.Digest = ds.Digest[:20]
		case 3, 4:
			ds.DigestType, ds.Digest = 4, bytes.Repeat([]byte{2}, 48)
		}
		out = append(out, ds)
	}
	return out
}

// asked picks, most of the time, a domain of which a transfer is pending and has the party
// that can do the operation send the command.
func (p *pair) asked(operation string) string {
	var names []string
	for name, d := range p.model.Domains {
		if d.Transfer != nil && d.Transfer.Status == "pending" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 || p.random.IntN(8) == 0 {
		return p.domain()
	}
	name := p.pick(names...)
	t := p.model.Domains[name].Transfer
	p.party(operation, t)
	return name
}

func (p *pair) askedContact(operation string) string {
	var ids []string
	for _, c := range p.model.Contacts {
		if c.Transfer != nil && c.Transfer.Status == "pending" {
			ids = append(ids, c.ID)
		}
	}
	slices.Sort(ids)
	if len(ids) == 0 || p.random.IntN(8) == 0 {
		return p.contact()
	}
	id := p.pick(ids...)
	for _, c := range p.model.Contacts {
		if c.ID == id {
			p.party(operation, c.Transfer)
		}
	}
	return id
}

func (p *pair) party(operation string, t *model.Transfer) {
	switch {
	case p.random.IntN(6) == 0:
	case operation == "cancel":
		p.actor = t.Requester
	default:
		p.actor = t.Losing
	}
}

// registeredDomain picks a domain, whoever has it.
func (p *pair) registeredDomain() string {
	var names []string
	for name := range p.model.Domains {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 || p.random.IntN(10) == 0 {
		return p.domain()
	}
	return p.pick(names...)
}

// transferCommand makes a random command about a transfer.
func (p *pair) transferCommand(c *fsmpb.Command) {
	switch p.random.IntN(8) {
	case 0, 1, 2:
		request := &fsmpb.DomainTransferRequest{Name: p.registeredDomain(), PeriodYears: uint32(p.random.IntN(3))}
		if d := p.model.Domains[request.GetName()]; d != nil {
			secret, roid := d.Secret, d.ROID
			if contact := p.model.Contacts[d.Registrant]; contact != nil && p.random.IntN(4) == 0 {
				secret, roid = contact.Secret, contact.ROID
			}
			request.AuthProof = p.proof(secret, roid)
			years := int64(max(1, request.GetPeriodYears()))
			request.Fee = p.fee(request.GetName(), d.Prices.TransferMinor+(years-1)*d.Prices.RenewMinor)
		}
		c.Body = &fsmpb.Command_DomainTransferRequest{DomainTransferRequest: request}
	case 3:
		c.Body = &fsmpb.Command_DomainTransferApprove{DomainTransferApprove: &fsmpb.DomainTransferApprove{Name: p.asked("approve")}}
	case 4:
		c.Body = &fsmpb.Command_DomainTransferReject{DomainTransferReject: &fsmpb.DomainTransferReject{Name: p.asked("reject")}}
	case 5:
		c.Body = &fsmpb.Command_DomainTransferCancel{DomainTransferCancel: &fsmpb.DomainTransferCancel{Name: p.asked("cancel")}}
	default:
		p.contactTransferCommand(c)
	}
}

func (p *pair) contactTransferCommand(c *fsmpb.Command) {
	switch p.random.IntN(5) {
	case 0, 1:
		request := &fsmpb.ContactTransferRequest{Id: p.pick("con-1", "con-2", "con-3", "con-4")}
		if contact := p.model.Contacts[request.GetId()]; contact != nil {
			request.AuthProof = p.proof(contact.Secret, contact.ROID)
		}
		c.Body = &fsmpb.Command_ContactTransferRequest{ContactTransferRequest: request}
	case 2:
		c.Body = &fsmpb.Command_ContactTransferApprove{ContactTransferApprove: &fsmpb.ContactTransferApprove{Id: p.askedContact("approve")}}
	case 3:
		c.Body = &fsmpb.Command_ContactTransferReject{ContactTransferReject: &fsmpb.ContactTransferReject{Id: p.askedContact("reject")}}
	default:
		c.Body = &fsmpb.Command_ContactTransferCancel{ContactTransferCancel: &fsmpb.ContactTransferCancel{Id: p.askedContact("cancel")}}
	}
}

// deleted picks a domain in the phase, most of the time, and has its sponsor act.
func (p *pair) deleted(phase string) string {
	var names []string
	for name, d := range p.model.Domains {
		if d.Phase == phase {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 || p.random.IntN(10) == 0 {
		return p.domain()
	}
	name := p.pick(names...)
	if p.random.IntN(8) != 0 {
		p.actor = p.model.Domains[name].Sponsor
	}
	return name
}

func (p *pair) restoreCommand(c *fsmpb.Command) {
	if p.random.IntN(2) == 0 {
		name := p.deleted("redemption")
		request := &fsmpb.DomainRestoreRequest{Name: name}
		prices := p.prices(name)
		price := prices.RestoreMinor
		if d := p.model.Domains[name]; d != nil && !d.ExpiresAt.After(p.model.Now) {
			price += prices.RenewMinor
		}
		request.Fee = p.fee(name, price)
		c.Body = &fsmpb.Command_DomainRestoreRequest{DomainRestoreRequest: request}
		return
	}
	at := p.model.Now
	report := &fsmpb.DomainRestoreReport{
		Name: p.deleted("pendingRestore"), PreData: p.pick("a", "a", "a", "a", ""), PostData: "b", Reason: "c", Statements: []string{"d"},
		DeletedAtMs: at.Add(-time.Hour).UnixMilli(), RestoredAtMs: at.Add(time.Duration(p.random.IntN(8)-2) * -time.Hour).UnixMilli(),
	}
	c.Body = &fsmpb.Command_DomainRestoreReport{DomainRestoreReport: report}
}

// operatorCommand makes a random change of server statuses.
func (p *pair) operatorCommand(c *fsmpb.Command) {
	statuses := func() []string {
		return p.some(1, "serverHold", "serverUpdateProhibited", "serverDeleteProhibited", "serverRenewProhibited", "serverTransferProhibited", "clientHold")
	}
	// What is set is soon lifted again, or nothing would move any more.
	lift := func(have []string) []string {
		for _, s := range have {
			if len(s) > 6 && s[:6] == "server" && p.random.IntN(3) != 0 {
				return []string{s}
			}
		}
		return statuses()
	}
	switch p.random.IntN(4) {
	case 0, 1:
		name := p.registeredDomain()
		var have []string
		if d := p.model.Domains[name]; d != nil {
			have = d.Statuses
		}
		c.Body = &fsmpb.Command_DomainServerUpdate{DomainServerUpdate: &fsmpb.DomainServerUpdate{Name: name, AddStatuses: statuses(), RemoveStatuses: lift(have)}}
	case 2:
		name := p.host()
		var have []string
		if h := p.model.Hosts[name]; h != nil {
			have = h.Statuses
		}
		c.Body = &fsmpb.Command_HostServerUpdate{HostServerUpdate: &fsmpb.HostServerUpdate{Name: name, AddStatuses: statuses(), RemoveStatuses: lift(have)}}
	default:
		id := p.pick("con-1", "con-2", "con-3", "con-4")
		var have []string
		if contact := p.model.Contacts[id]; contact != nil {
			have = contact.Statuses
		}
		c.Body = &fsmpb.Command_ContactServerUpdate{ContactServerUpdate: &fsmpb.ContactServerUpdate{Id: id, AddStatuses: statuses(), RemoveStatuses: lift(have)}}
	}
}

func (p *pair) pollCommand(c *fsmpb.Command) {
	r := p.model.Registrars[p.actor]
	sequence := r.Acknowledged + 1
	if p.random.IntN(10) == 0 {
		sequence += uint64(p.random.IntN(3))
	}
	c.Body = &fsmpb.Command_PollAck{PollAck: &fsmpb.PollAck{Sequence: sequence}}
}
