package dnsedge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
)

// Owner is one name of a published zone with all its records.
type Owner struct {
	// Name is lower-case without trailing dot, such as "demo-1.example"; the apex of the TLD example is "example".
	Name string
	// RRs is a concatenation of complete records in uncompressed wire format (RFC 1035 section 3.2.1), all owned by
	// Name and of class IN, RRSIG records among them. In a change, none means that the owner is removed.
	RRs []byte
	// NSEC3 says that the owner is a hash of the zone's NSEC3 chain, beside a name of the zone that may look the same.
	NSEC3 bool
}

// A load stages owners before it writes them into pages: as many as the zone has already, so that the copying stays
// linear, within these bounds.
const (
	loadChunkMin = 1 << 16 // a small zone is written once
	loadChunkMax = 1 << 20 // some 250 MB of staged owners
)

// Zone is one immutable zone at one serial. It is safe for concurrent use.
type Zone struct {
	tld    string
	apex   []byte // wire name
	labels int    // of the apex
	serial uint32
	negTTL uint32 // of the SOA in negative answers: min(TTL, MINIMUM), RFC 2308 section 3
	soa    records
	// The apex' records, and the signatures among them.
	apexRRs, soaSigs records
	names            *table
	chain            *chain // NSEC3 records
	order            *order // owners of NSEC records
	denial           denial
	// Proofs about the apex: the record of its hash, and the one that covers the hash of its wildcard.
	apexLink, wildLink link

	signedSOA, plainSOA, apexProof, wildProof *template
}

// denial is how a zone proves absence in its answers.
type denial uint8

const (
	unsigned    denial = iota // no DNSSEC records in answers
	deniesNSEC3               // RFC 5155
	deniesNSEC                // RFC 4034
)

// BuildZone makes a zone from all its owners: load must call add once per owner and pass its error on. It fails on
// malformed records, on owners outside the zone and when the apex has no SOA or no NS. Owner.RRs is not retained.
func BuildZone(tld string, load func(add func(Owner) error) error) (*Zone, error) {
	apex, err := wireName(tld)
	if err != nil {
		return nil, fmt.Errorf("build zone %s: %w", tld, err)
	}
	z := &Zone{tld: tld, apex: apex, labels: countLabels(apex), names: newTable(), chain: new(chain), order: new(order)}
	x := z.begin()
	err = load(func(o Owner) error {
		if err := z.stage(x, o); err != nil {
			return err
		}
		if x.staged() >= min(max(loadChunkMin, z.names.nodes+z.chain.records), loadChunkMax) {
			x.commit(z)
			x = z.begin()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("build zone %s: %w", tld, err)
	}
	x.commit(z)
	z.compact()
	if err := z.readApex(); err != nil {
		return nil, fmt.Errorf("build zone %s: %w", tld, err)
	}
	return z, nil
}

// Apply returns the zone after the changed owners, in their order. The receiver does not change. Errors are those of
// BuildZone.
func (z *Zone) Apply(owners []Owner) (*Zone, error) {
	x := z.begin()
	for _, o := range owners {
		if err := z.stage(x, o); err != nil {
			return nil, fmt.Errorf("apply changes to zone %s at serial %d: %w", z.tld, z.serial, err)
		}
	}
	next := &Zone{tld: z.tld, apex: z.apex, labels: z.labels}
	x.commit(next)
	next.compact()
	if err := next.readApex(); err != nil {
		return nil, fmt.Errorf("apply changes to zone %s at serial %d: %w", z.tld, z.serial, err)
	}
	return next, nil
}

// TLD names the zone's apex, as given to BuildZone.
func (z *Zone) TLD() string { return z.tld }

// Serial is the serial of the zone's SOA.
func (z *Zone) Serial() uint32 { return z.serial }

// Names counts the names of the zone, empty non-terminals and glue hosts included.
func (z *Zone) Names() int { return z.names.nodes }

// zoneTxn gathers changes to all parts of a zone.
type zoneTxn struct {
	names *txn
	chain *chainTxn
	base  *order
	order []orderChange
}

func (z *Zone) begin() *zoneTxn {
	return &zoneTxn{names: newTxn(z.names), chain: newChainTxn(z.chain), base: z.order}
}

func (x *zoneTxn) staged() int { return len(x.names.nodes) + len(x.chain.changes) }

// commit puts the changed parts into a zone that nobody reads yet.
func (x *zoneTxn) commit(z *Zone) {
	z.names, z.chain, z.order = x.names.commit(), x.chain.commit(), x.base.with(x.order)
}

func (z *Zone) stage(x *zoneTxn, o Owner) error {
	wire, err := wireName(o.Name)
	if err != nil {
		return err
	}
	n, ok := below(wire, z.apex)
	if !ok {
		return fmt.Errorf("owner %s is outside the zone", o.Name)
	}
	rrs, err := encodeRecords(z.apex, wire, o.RRs)
	if err != nil {
		return fmt.Errorf("owner %s: %w", o.Name, err)
	}
	key := wire[:n]
	if o.NSEC3 {
		if err := x.stageHash(key, rrs); err != nil {
			return fmt.Errorf("owner %s: %w", o.Name, err)
		}
		return nil
	}
	if len(rrs.rrset(typeNSEC3)) > 0 {
		return fmt.Errorf("owner %s: an NSEC3 record at a name of the zone proper", o.Name)
	}
	x.names.set(key, rrs)
	if has := len(rrs.rrset(typeNSEC)) > 0; has || x.base.names > 0 || len(x.order) > 0 {
		x.order = append(x.order, orderChange{key: key, add: has})
	}
	return nil
}

// stageHash stages a record of the NSEC3 chain; its key is one label, the hash.
func (x *zoneTxn) stageHash(key []byte, rrs records) error {
	if len(key) == 0 || len(key) != 1+int(key[0]) {
		return errors.New("an NSEC3 record is not right below the apex (RFC 5155 section 3)")
	}
	hash, err := parseHashLabel(string(key[1:]))
	if err != nil {
		return err
	}
	return x.chain.set(hash, rrs)
}

// readApex takes from the apex what answers need.
func (z *Zone) readApex() error {
	apex, _ := z.names.find(nil)
	z.soa, z.apexRRs, z.soaSigs = apex.rrs.rrset(typeSOA), apex.rrs, apex.rrs.signatures()
	if len(z.soa) == 0 || len(apex.rrs.rrset(typeNS)) == 0 {
		return fmt.Errorf("the apex has no SOA or no NS record")
	}
	_, ttl, rdata, rest := z.soa.next()
	if len(rest) > 0 {
		return fmt.Errorf("the apex has more than one SOA record")
	}
	numbers := rdata[len(rdata)-soaNumbers:]
	z.serial = binary.BigEndian.Uint32(numbers)
	z.negTTL = min(ttl, binary.BigEndian.Uint32(numbers[soaNumbers-4:]))
	z.readDenial(apex)
	z.signedSOA = z.makeTemplate((*message).fillSOA)
	z.plainSOA = z.makeTemplate(func(m *message) bool { m.dnssec = false; return m.fillSOA() })
	z.apexProof = z.makeTemplate(func(m *message) bool { return m.nsec3(z.apexLink) })
	z.wildProof = z.makeTemplate(func(m *message) bool { return m.nsec3(z.wildLink) })
	if z.signedSOA == nil || z.plainSOA == nil || z.apexProof == nil || z.wildProof == nil {
		return errors.New("the SOA or the proofs about the apex are longer than any message")
	}
	return nil
}

// readDenial decides how absence is proved: only by a zone that shows its keys, all of which is signed then.
func (z *Zone) readDenial(apex node) {
	z.denial = unsigned
	switch {
	case len(apex.rrs.rrset(typeDNSKEY)) == 0:
	case len(apex.rrs.rrset(typeNSEC3PARAM)) > 0 && z.chain.records > 0:
		z.denial = deniesNSEC3
		hash := hashName(z.apex)
		z.apexLink, _ = z.chain.find(&hash)
		hash = hashName(append([]byte{1, '*'}, z.apex...))
		z.wildLink, _ = z.chain.find(&hash)
	case len(apex.rrs.rrset(typeNSEC)) > 0:
		z.denial = deniesNSEC
	}
}

// View is an immutable set of zones. The nil View serves none. It is safe for concurrent use.
type View struct {
	zones     map[string]*Zone // by lower-case wire name of the apex
	minLabels int              // fewest and most labels of an apex
	maxLabels int
}

// NewView makes a view of the zones; of two with the same apex the later counts.
func NewView(zones ...*Zone) *View {
	v := &View{zones: make(map[string]*Zone, len(zones)), minLabels: maxLabels}
	for _, z := range zones {
		v.zones[string(z.apex)] = z
		v.minLabels, v.maxLabels = min(v.minLabels, z.labels), max(v.maxLabels, z.labels)
	}
	return v
}

// Zone returns a served zone, nil if there is none of that name.
func (v *View) Zone(tld string) *Zone {
	apex, err := wireName(tld)
	if err != nil || v == nil {
		return nil
	}
	return v.zones[string(apex)]
}

// with returns a view in which the zone replaces the one of the same apex.
func (v *View) with(z *Zone) *View {
	next := &View{zones: maps.Clone(v.zones), minLabels: min(v.minLabels, z.labels), maxLabels: max(v.maxLabels, z.labels)}
	next.zones[string(z.apex)] = z
	return next
}

// without returns a view that no longer serves the TLD.
func (v *View) without(tld string) *View {
	keep := make([]*Zone, 0, len(v.zones))
	for _, z := range v.zones {
		if z.tld != tld {
			keep = append(keep, z)
		}
	}
	return NewView(keep...)
}
