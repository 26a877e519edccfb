package zone

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"cadastre/registry"
)

// Delegation is what a zone file says about a name directly below the apex.
type Delegation struct {
	Line    int // of its first record
	Name    registry.DomainName
	Servers []registry.DomainName
	DS      []registry.DelegationSigner
	// Hosts are names at or below it that have addresses.
	Hosts []DelegatedHost
}

// DelegatedHost is a host with the addresses that the zone has for it.
type DelegatedHost struct {
	Name      registry.DomainName
	Addresses []netip.Addr
}

// Skipped is something of a zone file that stands for no delegation.
type Skipped struct {
	Line   int
	Name   registry.DomainName
	Reason string
}

// Contents is a zone file put in order: by name, so that the same file always gives the same.
type Contents struct {
	TLD         registry.DomainName
	Delegations []*Delegation
	Skipped     []Skipped
	// Records counts all, Own those that are the registry's own business: the apex, keys, signatures, denial records.
	Records, Own int
}

// ReadDelegations reads the whole zone file of a TLD. With an empty TLD the owner of the SOA, which must come first, names it. Memory is
// taken for each delegation, some 300 octets.
func ReadDelegations(r io.Reader, tld registry.DomainName) (*Contents, error) {
	g := &gathering{contents: &Contents{TLD: tld}, byName: make(map[registry.DomainName]*Delegation), names: make(map[registry.DomainName]registry.DomainName)}
	scanner := NewScanner(r)
	for {
		record, err := scanner.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = g.add(record)
		}
		if err != nil {
			return nil, err
		}
	}
	return g.finish()
}

// gathering is a zone file being read.
type gathering struct {
	contents *Contents
	byName   map[registry.DomainName]*Delegation
	names    map[registry.DomainName]registry.DomainName // each name is kept once
}

func (g *gathering) add(r *Record) error {
	c := g.contents
	if c.TLD == "" {
		if r.Type != dns.TypeSOA {
			return &SyntaxError{Line: r.Line, Reason: "the first record is no SOA: say which TLD the file is of"}
		}
		c.TLD = r.Owner
	}
	c.Records++
	if r.Owner == c.TLD {
		c.Own++
		return nil
	}
	if !r.Owner.IsBelow(c.TLD) {
		return &SyntaxError{Line: r.Line, Reason: fmt.Sprintf("the name %s does not lie in .%s", r.Owner, c.TLD)}
	}
	top := r.Owner.AncestorWithLabels(c.TLD.Labels() + 1)
	switch r.Type {
	case dns.TypeNS, dns.TypeDS:
		if top != r.Owner {
			g.skip(r, "only names directly below the TLD are registered")
			return nil
		}
		d := g.delegation(r, top)
		if r.Type == dns.TypeNS {
			d.Servers = appendNew(d.Servers, g.name(r.Server))
		} else {
			d.DS = append(d.DS, r.DS)
		}
	case dns.TypeA, dns.TypeAAAA:
		g.delegation(r, top).addAddress(g.name(r.Owner), r.Address)
	case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3:
		c.Own++
	default:
		g.skip(r, fmt.Sprintf("a record of type %s is no part of a delegation", dns.TypeToString[r.Type]))
	}
	return nil
}

func (g *gathering) skip(r *Record, reason string) {
	g.contents.Skipped = append(g.contents.Skipped, Skipped{Line: r.Line, Name: r.Owner, Reason: reason})
}

// name returns the one copy of a name, which the line it came from does not keep alive.
func (g *gathering) name(n registry.DomainName) registry.DomainName {
	if kept, found := g.names[n]; found {
		return kept
	}
	kept := registry.DomainName([]byte(n))
	g.names[kept] = kept
	return kept
}

func (g *gathering) delegation(r *Record, name registry.DomainName) *Delegation {
	d := g.byName[name]
	if d == nil {
		d = &Delegation{Line: r.Line, Name: g.name(name)}
		g.byName[d.Name] = d
	}
	return d
}

func (d *Delegation) addAddress(host registry.DomainName, addr netip.Addr) {
	for i := range d.Hosts {
		if d.Hosts[i].Name == host {
			d.Hosts[i].Addresses = appendNew(d.Hosts[i].Addresses, addr)
			return
		}
	}
	d.Hosts = append(d.Hosts, DelegatedHost{Name: host, Addresses: []netip.Addr{addr}})
}

func appendNew[T comparable](list []T, item T) []T {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}

// finish puts everything in order.
func (g *gathering) finish() (*Contents, error) {
	c := g.contents
	if c.TLD == "" {
		return nil, errors.New("the file has no records")
	}
	for _, name := range slices.Sorted(maps.Keys(g.byName)) {
		d := g.byName[name]
		if len(d.Servers) == 0 {
			c.Skipped = append(c.Skipped, Skipped{Line: d.Line, Name: d.Name, Reason: "the name has no NS records: it is not delegated"})
			continue
		}
		slices.Sort(d.Servers)
		slices.SortFunc(d.Hosts, func(a, b DelegatedHost) int { return cmp.Compare(a.Name, b.Name) })
		for i := range d.Hosts {
			slices.SortFunc(d.Hosts[i].Addresses, netip.Addr.Compare)
		}
		c.Delegations = append(c.Delegations, d)
	}
	slices.SortStableFunc(c.Skipped, func(a, b Skipped) int { return cmp.Compare(a.Line, b.Line) })
	return c, nil
}
