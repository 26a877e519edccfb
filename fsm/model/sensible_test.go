package model_test

import (
	"slices"
	"strings"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/fsm/model"
)

// Of names picked blindly hardly any command fits another, so that little would ever happen.
// What follows makes commands that fit the state, as registrars do.

// owned lists the keys of what the actor has.
func owned[T any](p *pair, all map[string]T, sponsor func(T) string) []string {
	var keys []string
	for key, object := range all {
		if sponsor(object) == p.actor {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (p *pair) ownContacts() []string {
	return owned(p, p.model.Contacts, func(c *model.Contact) string { return c.Sponsor })
}

// someHosts are existing hosts, none twice.
func (p *pair) someHosts(except []string) []string {
	var names []string
	for name := range p.model.Hosts {
		if !slices.Contains(except, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) < 2 || p.random.IntN(4) == 0 {
		return nil
	}
	at := p.random.IntN(len(names) - 1)
	return names[at : at+2]
}

func (p *pair) plainSecret() *fsmpb.AuthInfo {
	salt, hash := secretOf(byte(1 + p.random.IntN(2)))
	return &fsmpb.AuthInfo{Salt: salt, Hash: hash, Expires: p.random.IntN(2) == 0}
}

// plainFee agrees to the price, where one must.
func (p *pair) plainFee(name string, price int64) *fsmpb.Fee {
	if name != "d5.example" {
		return nil
	}
	return &fsmpb.Fee{AmountMinor: price}
}

// sensible makes a command that fits the state; false if nothing fits now.
func (p *pair) sensible(c *fsmpb.Command) bool {
	p.actor = p.pick("reg-a", "reg-b")
	switch p.random.IntN(8) {
	case 0:
		return p.sensibleContact(c)
	case 1, 2:
		return p.sensibleCreate(c)
	case 3, 4:
		return p.sensibleUpdate(c)
	case 5:
		return p.sensibleRenewal(c)
	case 6:
		return p.sensibleHost(c)
	default:
		return p.sensibleRequest(c)
	}
}

func (p *pair) sensibleContact(c *fsmpb.Command) bool {
	for _, id := range []string{"con-1", "con-2", "con-3", "con-4", "con-5"} { // the last is asked for and deleted much
		if p.model.Contacts[id] == nil {
			c.Body = &fsmpb.Command_ContactCreate{ContactCreate: &fsmpb.ContactCreate{Id: id, Roid: p.roid(), Email: "a@example.net", AuthInfo: p.plainSecret(),
				Postal: []*fsmpb.PostalInfo{{Type: "int", Name: "A", City: "B", CountryCode: "CH"}}}}
			return true
		}
	}
	contacts := p.ownContacts()
	last := p.model.Contacts["con-5"]
	switch {
	case p.random.IntN(3) == 0 && last.Sponsor == p.actor:
		c.Body = &fsmpb.Command_ContactDelete{ContactDelete: &fsmpb.ContactDelete{Id: last.ID}}
		return true
	case p.random.IntN(2) == 0 && last.Sponsor != p.actor && last.Secret.Value != "":
		c.Body = &fsmpb.Command_ContactTransferRequest{ContactTransferRequest: &fsmpb.ContactTransferRequest{Id: last.ID, AuthProof: exactProof(last.Secret)}}
		return true
	case len(contacts) == 0:
		return false
	}
	c.Body = &fsmpb.Command_ContactUpdate{ContactUpdate: &fsmpb.ContactUpdate{Id: p.pick(contacts...), AuthInfo: p.plainSecret()}}
	return true
}

func (p *pair) sensibleCreate(c *fsmpb.Command) bool {
	contacts := p.ownContacts()
	for _, name := range []string{"d1.example", "d2.example", "d3.example", "d4.example", "d5.example"} {
		if p.model.Domains[name] != nil || len(contacts) == 0 || p.random.IntN(2) == 0 {
			continue
		}
		years := uint32(1 + p.random.IntN(2))
		create := &fsmpb.DomainCreate{Name: name, Roid: p.roid(), PeriodYears: years, Registrant: p.pick(contacts...), NameServers: p.someHosts(nil), AuthInfo: p.plainSecret(),
			Fee: p.plainFee(name, p.prices(name).CreateMinor*int64(years))}
		if p.random.IntN(2) == 0 {
			create.Contacts = []*fsmpb.DomainContact{{Role: "tech", Id: p.pick(contacts...)}}
		}
		c.Body = &fsmpb.Command_DomainCreate{DomainCreate: create}
		return true
	}
	return false
}

func (p *pair) sensibleUpdate(c *fsmpb.Command) bool {
	names := owned(p, p.model.Domains, func(d *model.Domain) string { return d.Sponsor })
	if len(names) == 0 {
		return false
	}
	d := p.model.Domains[p.pick(names...)]
	update := &fsmpb.DomainUpdate{Name: d.Name}
	var client []string
	for _, s := range d.Statuses {
		if strings.HasPrefix(s, "client") {
			client = append(client, s)
		}
	}
	switch p.random.IntN(5) {
	case 0:
		update.AuthInfo = p.plainSecret()
	case 1:
		update.RemoveNameServers, update.AddNameServers = d.NameServers, p.someHosts(d.NameServers)
	case 2:
		update.AddDs = p.delegationSigners(1)
	default:
		if len(client) == 0 {
			return false
		}
		update.RemoveStatuses = []string{p.pick(client...)}
	}
	c.Body = &fsmpb.Command_DomainUpdate{DomainUpdate: update}
	return true
}

func (p *pair) sensibleRenewal(c *fsmpb.Command) bool {
	names := owned(p, p.model.Domains, func(d *model.Domain) string { return d.Sponsor })
	if len(names) == 0 {
		return false
	}
	d := p.model.Domains[p.pick(names...)]
	if p.random.IntN(3) == 0 {
		c.Body = &fsmpb.Command_DomainDelete{DomainDelete: &fsmpb.DomainDelete{Name: d.Name}}
		return true
	}
	c.Body = &fsmpb.Command_DomainRenew{DomainRenew: &fsmpb.DomainRenew{Name: d.Name, CurrentExpiryDate: d.ExpiresAt.Format(time.DateOnly), PeriodYears: 1, Fee: p.plainFee(d.Name, d.Prices.RenewMinor)}}
	return true
}

func (p *pair) sensibleHost(c *fsmpb.Command) bool {
	addresses := [][]byte{{192, 0, 2, byte(1 + p.random.IntN(4))}}
	hosts := owned(p, p.model.Hosts, func(h *model.Host) string { return h.Sponsor })
	switch p.random.IntN(4) {
	case 0:
		if len(hosts) == 0 {
			return false
		}
		c.Body = &fsmpb.Command_HostUpdate{HostUpdate: &fsmpb.HostUpdate{Name: p.pick(hosts...), NewName: p.pick("ns1.d1.example", "ns2.d1.example", "ns1.d2.example", "ns1.ext.test", "ns2.ext.test")}}
	case 1:
		c.Body = &fsmpb.Command_HostCreate{HostCreate: &fsmpb.HostCreate{Name: p.pick("ns1.ext.test", "ns2.ext.test", "ns3.ext.test"), Roid: p.roid()}}
	default:
		c.Body = &fsmpb.Command_HostCreate{HostCreate: &fsmpb.HostCreate{Name: p.pick("ns1.d1.example", "ns2.d1.example", "ns1.d2.example", "d3.example"), Roid: p.roid(), Addresses: addresses}}
	}
	return true
}

// sensibleRequest asks for a domain of another registrar.
func (p *pair) sensibleRequest(c *fsmpb.Command) bool {
	var names []string
	for name, d := range p.model.Domains {
		if d.Sponsor != p.actor && d.Secret.Value != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return false
	}
	d := p.model.Domains[p.pick(names...)]
	c.Body = &fsmpb.Command_DomainTransferRequest{DomainTransferRequest: &fsmpb.DomainTransferRequest{
		Name: d.Name, AuthProof: exactProof(d.Secret), Fee: p.plainFee(d.Name, d.Prices.TransferMinor),
	}}
	return true
}

// exactProof is of the secret.
func exactProof(s model.Secret) *fsmpb.AuthProof {
	at := len(s.Value) - 32
	return &fsmpb.AuthProof{Salt: []byte(s.Value[:at]), Hash: []byte(s.Value[at:])}
}
