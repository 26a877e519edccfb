package bulk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// The shape of the registry: about that of a large ccTLD.
const (
	domainsPerHost    = 500 // name servers are few and shared, two for each domain
	domainsPerContact = 4
	signedPercent     = 5
	maxYears          = 3
	saltOctets        = 16
	digestOctets      = 32
)

// maker makes commands in an order in which they can be applied.
type maker struct {
	random          *rand.Rand
	tld             *registry.TLD
	registrar       registry.RegistrarID
	hosts, contacts int
	batch           []*fsmpb.Command
}

func newMaker(seed uint64, tld *registry.TLD, registrar registry.RegistrarID) *maker {
	return &maker{random: rand.New(rand.NewPCG(seed, seed)), tld: tld, registrar: registrar}
}

// run sends the commands in batches until there are as many domains or ctx is done.
func (m *maker) run(ctx context.Context, domains int, to chan<- []*fsmpb.Command) {
	for i := range domains {
		for m.hosts*domainsPerHost <= 2*i || m.hosts < 2 {
			m.add(m.host(m.hosts))
			m.hosts++
		}
		for m.contacts*domainsPerContact <= i {
			m.add(m.contact(m.contacts))
			m.contacts++
		}
		m.add(m.domain(i))
		if len(m.batch) >= commandsPerEntry*entriesPerBatch || i == domains-1 {
			select {
			case to <- m.batch:
			case <-ctx.Done():
				return
			}
			m.batch = nil
		}
	}
}

func (m *maker) add(c *fsmpb.Command) {
	c.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: string(m.registrar)}
	c.Cltrid = fmt.Sprintf("bulk-%x", m.random.Uint64())
	m.batch = append(m.batch, c)
}

func hostName(i int) string { return fmt.Sprintf("ns%d.bulk-hosting.test", i) }

func contactID(i int) string { return fmt.Sprintf("BULK-%07d", i) }

func (m *maker) host(i int) *fsmpb.Command {
	return &fsmpb.Command{Body: &fsmpb.Command_HostCreate{HostCreate: &fsmpb.HostCreate{Name: hostName(i), Roid: m.roid("H", i)}}}
}

func (m *maker) contact(i int) *fsmpb.Command {
	return &fsmpb.Command{Body: &fsmpb.Command_ContactCreate{ContactCreate: &fsmpb.ContactCreate{
		Id: contactID(i), Roid: m.roid("C", i),
		Postal: []*fsmpb.PostalInfo{{
			Type: "int", Name: fmt.Sprintf("Holder Number %d", i), Organization: "Bulk Holdings Limited",
			Street: []string{fmt.Sprintf("%d Long Street", m.random.IntN(1000))}, City: "Springfield",
			PostalCode: fmt.Sprintf("%05d", m.random.IntN(100000)), CountryCode: "DE",
		}},
		Voice: &fsmpb.Phone{Number: "+49.305550100"}, Email: fmt.Sprintf("holder-%d@bulk-holdings.test", i),
		AuthInfo: m.authInfo(),
	}}}
}

func (m *maker) domain(i int) *fsmpb.Command {
	holder := contactID(i / domainsPerContact)
	c := &fsmpb.DomainCreate{
		Name: Name(i) + "." + string(m.tld.Name), Roid: m.roid("D", i), PeriodYears: m.years(),
		Registrant: holder, AuthInfo: m.authInfo(),
		Contacts: []*fsmpb.DomainContact{
			{Role: string(registry.RoleAdmin), Id: holder}, {Role: string(registry.RoleTech), Id: holder},
		},
		NameServers: m.nameServers(),
	}
	if m.random.IntN(100) < signedPercent && !m.tld.Policy.KeyDataInterface {
		c.Ds = []*fsmpb.DelegationSigner{{
			KeyTag: uint32(m.random.IntN(1 << 16)), Algorithm: 13, DigestType: 2, Digest: m.octets(digestOctets),
		}}
	}
	return &fsmpb.Command{Body: &fsmpb.Command_DomainCreate{DomainCreate: c}}
}

func (m *maker) years() uint32 {
	p := &m.tld.Policy
	return max(p.MinPeriodYears, min(uint32(1+m.random.IntN(maxYears)), p.MaxPeriodYears))
}

// nameServers chooses two that follow one another, as hosting companies have them.
func (m *maker) nameServers() []string {
	first := m.random.IntN(m.hosts - 1)
	return []string{hostName(first), hostName(first + 1)}
}

func (m *maker) authInfo() *fsmpb.AuthInfo {
	return &fsmpb.AuthInfo{Salt: m.octets(saltOctets), Hash: m.octets(digestOctets)}
}

func (m *maker) octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.random.Uint32())
	}
	return b
}

func (m *maker) roid(kind string, i int) string {
	return fmt.Sprintf("%s%d_%08X", kind, i, m.random.Uint32())
}

func countDomains(batch []*fsmpb.Command) (n int) {
	for _, c := range batch {
		if c.GetDomainCreate() != nil {
			n++
		}
	}
	return n
}

func operator(c *fsmpb.Command) *fsmpb.Command {
	c.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "bulk"}
	c.Reason = "filled for measurements"
	return c
}

func firstTLD() *fsmpb.Command {
	const day = 24 * time.Hour
	policy := &registry.TLDPolicy{
		ROIDSuffix: "EX", Currency: "EUR", CreatePriceMinor: 1000, RenewPriceMinor: 1000, TransferPriceMinor: 1000,
		MinPeriodYears: 1, MaxPeriodYears: 10, MaxNameServers: 13, MaxContacts: 10, AutoRenew: true, AddGraceDays: 5,
		ApexServers: []registry.ApexServer{{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}},
		SOAMName:    "a.nic.example", SOARName: "hostmaster.nic.example",
		SOARefreshSeconds: 1800, SOARetrySeconds: 900, SOAExpireSeconds: uint32(7 * day / time.Second), SOAMinimumSeconds: 3600,
		ApexTTLSeconds: 3600, DelegationTTLSeconds: 3600,
	}
	return operator(&fsmpb.Command{Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{
		Name: "example", Roid: "TLD1", Policy: fsm.PolicyToProto(policy),
	}}})
}

func firstRegistrar() *fsmpb.Command {
	return operator(&fsmpb.Command{Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
		Id: "registrar-a", Roid: "REG1", Name: "Registrar A", Currency: "EUR", Tlds: []string{"example"},
	}}})
}
