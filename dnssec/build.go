package dnssec

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"

	"cadastre/registry"
	"cadastre/zone"
)

// View is the applied state that a publication is computed from; *store.ReadTx is one.
type View interface {
	zone.Objects
	// Published returns what is published at an owner of the zone proper.
	Published(tld, owner registry.DomainName) ([]byte, bool)
	// ChainRow returns the row of the denial chain at key: the NSEC3 record of a hash with its signatures, or the name
	// whose NSEC record has its place there.
	ChainRow(tld registry.DomainName, key []byte) ([]byte, bool)
	// ChainFrom returns the first row at or after key, ChainBefore the last before it (nil: of all).
	ChainFrom(tld registry.DomainName, key []byte) (at, row []byte, ok bool)
	ChainBefore(tld registry.DomainName, key []byte) (at, row []byte, ok bool)
}

// Request says what a publication is to bring up to date.
type Request struct {
	TLD *registry.TLD
	// Keys sign; nil where the zone is not signed.
	Keys   *KeySet
	Serial uint32
	Now    time.Time
	// Owners are looked at anew: their records, their place in the chain, their signatures.
	Owners []registry.DomainName
	// ChainKeys are rows of the NSEC3 chain whose records are looked at anew.
	ChainKeys [][]byte
	// Announce puts the keys and the parameters of the chain at the apex: validators then expect the zone to be
	// signed, so all of it must be.
	Announce bool
	// Primary is the chain that answers are proved by, complete if Announce; zero stands for what the policy asks for.
	// Beside is another that is kept with it, zero: none. What is left of a chain that is neither goes from the names
	// that are looked at. So a zone comes from one chain to another without being unsigned (RFC 5155 section 10.4).
	Primary, Beside Way
	// KeepOptOut leaves the records of the chain saying opt-out although the policy has none.
	KeepOptOut bool
	// Apex asks for the apex to be published even if nothing else changes.
	Apex bool
}

// Change is the whole new content of one owner name.
type Change struct {
	Owner registry.DomainName
	RRs   []byte // complete uncompressed records; none removes the owner
	// ChainKey is the owner's place in the denial chain; nil if it has none.
	ChainKey []byte
	// NSEC3 says that the owner is the hash ChainKey, not a name of the zone proper.
	NSEC3 bool
	// Unchain takes the owner's name, ChainKey, out of a chain of NSEC records.
	Unchain bool
	// ResignAt is when the first of its signatures should be renewed; zero: never.
	ResignAt time.Time
}

// Build computes and signs the changes of a publication; the apex with its new SOA comes last. There are none if all
// is as published and the apex was not asked for.
func Build(ctx context.Context, view View, req *Request) ([]Change, error) {
	b := &builder{view: view, req: req, nodes: make(map[registry.DomainName]*node), hashed: make(map[string]*node), chains: make(map[registry.Denial]*chain)}
	for _, kind := range []registry.Denial{registry.DenialNSEC3, registry.DenialNSEC} {
		if _, kept := req.way(kind); kept {
			b.chains[kind] = &chain{view: view, tld: req.TLD.Name, kind: kind}
		}
	}
	if err := b.content(); err != nil {
		return nil, err
	}
	if err := b.linkChain(); err != nil {
		return nil, err
	}
	return b.finish(ctx)
}

// builder computes one publication.
type builder struct {
	view   View
	req    *Request
	chains map[registry.Denial]*chain    // those that are kept
	nodes  map[registry.DomainName]*node // of the zone proper
	hashed map[string]*node              // NSEC3, by hash
}

func (b *builder) denial() registry.Denial { return b.req.primary().Denial }

// content loads the owners that the request names, and those that depend on them, with the records that they should have.
func (b *builder) content() error {
	if err := b.load(b.req.TLD.Name); err != nil {
		return err
	}
	for _, owner := range b.req.Owners {
		if err := b.load(owner); err != nil {
			return err
		}
		for _, name := range b.dependents(owner) {
			if err := b.load(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// dependents returns the names whose place in the zone may change with owner's: the empty names above a name server of
// the TLD, and the servers below a name that became or ceased to be a cut.
func (b *builder) dependents(owner registry.DomainName) []registry.DomainName {
	names := zone.Ancestors(b.req.TLD.Name, owner)
	for _, server := range b.req.TLD.Policy.ApexServers {
		if server.Name.IsBelow(owner) {
			names = append(append(names, server.Name), zone.Ancestors(owner, server.Name)...)
		}
	}
	return names
}

// load makes the node of an owner with the records that it should have.
func (b *builder) load(owner registry.DomainName) error {
	if b.nodes[owner] != nil {
		return nil
	}
	n, err := b.published(owner)
	if err != nil {
		return err
	}
	want := zone.Content(b.view, b.req.TLD, owner, b.req.Serial)
	if owner == b.req.TLD.Name {
		want = append(want, b.apexRecords()...)
	}
	return n.replace(want)
}

// published loads an owner as it is published.
func (b *builder) published(owner registry.DomainName) (*node, error) {
	if n := b.nodes[owner]; n != nil {
		return n, nil
	}
	rrs, _ := b.view.Published(b.req.TLD.Name, owner)
	n, err := parseNode(owner, rrs)
	if err != nil {
		return nil, err
	}
	n.glue = zone.LiesBelowCut(b.view, b.req.TLD, owner)
	n.cut = owner != b.req.TLD.Name && n.set(dns.TypeNS) != nil
	b.nodes[owner] = n
	return n, nil
}

// replace gives the node other records and keeps its NSEC record.
func (n *node) replace(rrs []dns.RR) error {
	old := n.sets
	n.sets = nil
	hasNS, hasSOA := false, false
	for _, group := range byType(rrs) {
		rrtype := group[0].Header().Rrtype
		hasNS, hasSOA = hasNS || rrtype == dns.TypeNS, hasSOA || rrtype == dns.TypeSOA
		if i := slices.IndexFunc(old, func(s *set) bool { return s.rrtype == rrtype }); i >= 0 {
			n.sets = append(n.sets, old[i])
		}
		if err := n.put(rrtype, group); err != nil {
			return err
		}
	}
	if i := slices.IndexFunc(old, func(s *set) bool { return s.rrtype == dns.TypeNSEC }); i >= 0 {
		n.sets = append(n.sets, old[i])
	}
	n.cut = hasNS && !hasSOA
	return nil
}

// byType puts records of one owner together by type; the types are in the order in which they first
// come, the records of each too. Few owners have more than two types.
func byType(rrs []dns.RR) [][]dns.RR {
	groups := make([][]dns.RR, 0, 2)
	for first := 0; first < len(rrs); {
		rrtype, end := rrs[first].Header().Rrtype, first+1
		for end < len(rrs) && rrs[end].Header().Rrtype == rrtype {
			end++
		}
		same := func(group []dns.RR) bool { return group[0].Header().Rrtype == rrtype }
		if i := slices.IndexFunc(groups, same); i >= 0 {
			groups[i] = append(groups[i], rrs[first:end]...)
		} else {
			groups = append(groups, rrs[first:end:end])
		}
		first = end
	}
	return groups
}

// apexRecords returns what a signed zone has at its apex besides SOA and NS.
func (b *builder) apexRecords() []dns.RR {
	if !b.req.Announce || b.req.Keys == nil {
		return nil
	}
	var rrs []dns.RR
	for _, key := range b.req.Keys.Published {
		rrs = append(rrs, key)
	}
	if b.denial() == registry.DenialNSEC3 {
		rrs = append(rrs, &dns.NSEC3PARAM{Hdr: b.header(b.req.TLD.Name, dns.TypeNSEC3PARAM, 0), Hash: dns.SHA1})
	}
	return append(rrs, b.req.Keys.Parent...)
}

func (b *builder) header(owner registry.DomainName, rrtype uint16, ttlSeconds uint32) dns.RR_Header {
	return dns.RR_Header{Name: string(owner) + ".", Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttlSeconds}
}

// finish signs what changed and lists it, the apex last.
func (b *builder) finish(ctx context.Context) ([]Change, error) {
	signing := newSigner(b.req.TLD, b.req.Keys, b.req.Now)
	apex := b.nodes[b.req.TLD.Name]
	others := b.others()
	for _, n := range others {
		signing.plan(n)
	}
	if len(signing.jobs) == 0 && !b.req.Apex {
		// With nothing to sign, the content decides.
		if changed, err := anyChanged(others); err != nil || !changed {
			return nil, err
		}
	}
	signing.plan(apex)
	if err := signing.sign(ctx); err != nil {
		return nil, err
	}
	var changes []Change
	for _, n := range append(others, apex) {
		c, err := b.change(n, signing)
		if err != nil {
			return nil, err
		}
		if n == apex || !bytes.Equal(c.RRs, n.before) {
			changes = append(changes, c)
		}
	}
	return changes, nil
}

// others returns all nodes but the apex, by name.
func (b *builder) others() []*node {
	nodes := make([]*node, 0, len(b.nodes)+len(b.hashed))
	for owner, n := range b.nodes {
		if owner != b.req.TLD.Name {
			nodes = append(nodes, n)
		}
	}
	for _, n := range b.hashed {
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), len(a.key)-len(b.key))
	})
	return nodes
}

func anyChanged(nodes []*node) (bool, error) {
	for _, n := range nodes {
		packed, err := n.pack()
		if err != nil || !bytes.Equal(packed, n.before) {
			return true, err
		}
	}
	return false, nil
}

func (b *builder) change(n *node, signing *signer) (Change, error) {
	packed, err := n.pack()
	if err != nil {
		return Change{}, fmt.Errorf("pack %s: %w", n.owner, err)
	}
	c := Change{Owner: n.owner, RRs: packed, ChainKey: n.key, NSEC3: n.key != nil, Unchain: n.unchain}
	if n.key == nil && (n.set(dns.TypeNSEC) != nil || n.unchain) {
		c.ChainKey = chainKey(registry.DenialNSEC, n.owner)
	}
	if end := n.firstExpiry(); !end.IsZero() {
		c.ResignAt = end.Add(-signing.refresh)
	}
	return c, nil
}
