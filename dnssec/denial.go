package dnssec

import (
	"fmt"

	"github.com/miekg/dns"

	"cadastre/registry"
	"cadastre/zone"
)

// linkChain brings the denial chain in step with the nodes: names that enter or leave it, changed lists of types, and
// the neighbours before them.
func (b *builder) linkChain() error {
	edits := chainEdits{types: make(map[string][]uint16), names: make(map[string]registry.DomainName)}
	if _, _, hasChain := b.view.ChainFrom(b.req.TLD.Name, nil); hasChain || len(b.chains) > 0 {
		for _, n := range b.nodes {
			b.place(n, &edits)
		}
	}
	if err := b.dropOldChain(); err != nil {
		return err
	}
	for kind, chain := range b.chains {
		chain.edit(ofKind(edits.added, kind), ofKind(edits.removed, kind))
	}
	for _, key := range edits.removed {
		if err := b.unlink(key, edits.names[string(key)]); err != nil {
			return err
		}
	}
	for _, key := range append(edits.added, edits.removed...) {
		if chain := b.chains[registry.Denial(key[0])]; chain != nil {
			edits.touch(chain.before(key))
		}
	}
	for _, key := range b.req.ChainKeys {
		if chain := b.chains[registry.Denial(key[0])]; chain != nil && !chain.removed[string(key)] {
			edits.touch(key)
		}
	}
	for key, types := range edits.types {
		if err := b.relink([]byte(key), types, edits.names[key]); err != nil {
			return err
		}
	}
	return nil
}

func ofKind(keys [][]byte, kind registry.Denial) (out [][]byte) {
	for _, key := range keys {
		if registry.Denial(key[0]) == kind {
			out = append(out, key)
		}
	}
	return out
}

// dropOldChain takes away NSEC3 records that the request names and the zone no longer wants.
func (b *builder) dropOldChain() error {
	for _, key := range b.req.ChainKeys {
		if isHashKey(key) && b.chains[registry.DenialNSEC3] == nil {
			if err := b.unlink(key, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// chainEdits collects what is to happen to the chain.
type chainEdits struct {
	added, removed [][]byte
	types          map[string][]uint16            // records to be written; nil: with the types that they have
	names          map[string]registry.DomainName // owners by key, for NSEC
}

// touch asks for the record at key to be written anew, with the types that it has unless others are known.
func (e *chainEdits) touch(key []byte) {
	if _, known := e.types[string(key)]; key != nil && !known {
		e.types[string(key)] = nil
	}
}

// place notes how a name's place in the chain changes.
func (b *builder) place(n *node, edits *chainEdits) {
	for _, denial := range []registry.Denial{registry.DenialNSEC3, registry.DenialNSEC} {
		var types []uint16
		member := false
		if way, kept := b.req.way(denial); kept && !n.glue {
			types, member = zone.DenialTypes(b.req.tldAs(way), n.owner, n.records())
		}
		key := chainKey(denial, n.owner)
		_, have := b.view.ChainRow(b.req.TLD.Name, key)
		if member {
			edits.types[string(key)], edits.names[string(key)] = types, n.owner
		}
		switch {
		case member && !have:
			edits.added = append(edits.added, key)
		case have && !member:
			edits.removed = append(edits.removed, key)
			edits.names[string(key)] = n.owner
		}
	}
}

// chainKey returns a name's place in a chain: the kind of chain in the first octet, so that keys of the two never
// meet, then the hash or the canonical form of the name.
func chainKey(denial registry.Denial, owner registry.DomainName) []byte {
	if denial == registry.DenialNSEC3 {
		return append([]byte{byte(denial)}, zone.NSEC3Hash(owner)...)
	}
	return append([]byte{byte(denial)}, zone.CanonicalKey(owner)...)
}

func isHashKey(key []byte) bool { return key[0] == byte(registry.DenialNSEC3) }

// hashedNode returns the node of an NSEC3 record, as it is published.
func (b *builder) hashedNode(key []byte) (*node, error) {
	if n := b.hashed[string(key)]; n != nil {
		return n, nil
	}
	row, _ := b.view.ChainRow(b.req.TLD.Name, key)
	n, err := parseNode(zone.NSEC3Owner(b.req.TLD.Name, key[1:]), row)
	if err != nil {
		return nil, err
	}
	n.key = key
	b.hashed[string(key)] = n
	return n, nil
}

// unlink takes the record at key away.
func (b *builder) unlink(key []byte, owner registry.DomainName) error {
	if isHashKey(key) {
		n, err := b.hashedNode(key)
		if err == nil {
			n.sets = nil
		}
		return err
	}
	n := b.nodes[owner]
	n.drop(dns.TypeNSEC)
	n.unchain = true
	return nil
}

// relink writes the record at key: its types, or nil for those that it has, and its successor.
func (b *builder) relink(key []byte, types []uint16, owner registry.DomainName) error {
	next := b.chains[registry.Denial(key[0])].after(key)
	if next == nil {
		return fmt.Errorf("the denial chain of %s has no name after key %x", b.req.TLD.Name, key)
	}
	if isHashKey(key) {
		return b.relinkNSEC3(key, types, next)
	}
	return b.relinkNSEC(key, types, owner, next)
}

func (b *builder) relinkNSEC3(key []byte, types []uint16, next []byte) error {
	n, err := b.hashedNode(key)
	if err != nil {
		return err
	}
	if old := n.set(dns.TypeNSEC3); types == nil && old != nil {
		record, ok := old.rrs[0].(*dns.NSEC3)
		if !ok {
			return fmt.Errorf("the record at %s is no NSEC3 record", n.owner)
		}
		types = record.TypeBitMap
	}
	var flags uint8
	if way, _ := b.req.way(registry.DenialNSEC3); way.OptOut || b.req.KeepOptOut {
		flags = optOutFlag
	}
	return n.put(dns.TypeNSEC3, []dns.RR{&dns.NSEC3{
		Hdr:  b.header(n.owner, dns.TypeNSEC3, b.denialTTLSeconds()),
		Hash: dns.SHA1, Flags: flags, HashLength: hashOctets, NextDomain: zone.NSEC3NextDomain(next[1:]), TypeBitMap: types,
	}})
}

const (
	hashOctets = 20 // of SHA-1
	optOutFlag = 1  // RFC 5155 section 3.1.2.1
)

func (b *builder) relinkNSEC(key []byte, types []uint16, owner registry.DomainName, next []byte) error {
	if owner == "" {
		row, _ := b.view.ChainRow(b.req.TLD.Name, key)
		owner = registry.DomainName(row)
	}
	n, err := b.published(owner)
	if err != nil {
		return err
	}
	if old := n.set(dns.TypeNSEC); types == nil && old != nil {
		record, ok := old.rrs[0].(*dns.NSEC)
		if !ok {
			return fmt.Errorf("the denial record at %s is no NSEC record", n.owner)
		}
		types = record.TypeBitMap
	}
	return n.put(dns.TypeNSEC, []dns.RR{&dns.NSEC{
		Hdr: b.header(owner, dns.TypeNSEC, b.denialTTLSeconds()), NextDomain: string(zone.NameOfCanonicalKey(next[1:])) + ".", TypeBitMap: types,
	}})
}

// denialTTLSeconds is that of negative answers (RFC 9077).
func (b *builder) denialTTLSeconds() uint32 {
	return min(b.req.TLD.Policy.ApexTTLSeconds, b.req.TLD.Policy.SOAMinimumSeconds)
}
