package dnsedge

import (
	"encoding/binary"
	"fmt"
	"maps"
)

// Owner is one name of a published zone with all its records.
type Owner struct {
	// Name is lower-case without trailing dot, such as "demo-1.example"; the apex of the TLD example is "example".
	Name string
	// RRs is a concatenation of complete records in uncompressed wire format (RFC 1035 section 3.2.1), all owned by
	// Name and of class IN. In a change, none means that the owner is removed.
	RRs []byte
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
	names  *table
}

// BuildZone makes a zone from all its owners: load must call add once per owner and pass its error on. It fails on
// malformed records, on owners outside the zone and when the apex has no SOA or no NS. Owner.RRs is not retained.
func BuildZone(tld string, load func(add func(Owner) error) error) (*Zone, error) {
	apex, err := wireName(tld)
	if err != nil {
		return nil, fmt.Errorf("build zone %s: %w", tld, err)
	}
	z := &Zone{tld: tld, apex: apex, labels: countLabels(apex), names: newTable()}
	x := newTxn(z.names)
	err = load(func(o Owner) error {
		if err := z.stage(x, o); err != nil {
			return err
		}
		if len(x.nodes) >= min(max(loadChunkMin, z.names.nodes), loadChunkMax) {
			z.names = x.commit()
			x = newTxn(z.names)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("build zone %s: %w", tld, err)
	}
	z.names = x.commit()
	if err := z.readApex(); err != nil {
		return nil, fmt.Errorf("build zone %s: %w", tld, err)
	}
	return z, nil
}

// Apply returns the zone after the changed owners, in their order. The receiver does not change. Errors are those of
// BuildZone.
func (z *Zone) Apply(owners []Owner) (*Zone, error) {
	x := newTxn(z.names)
	for _, o := range owners {
		if err := z.stage(x, o); err != nil {
			return nil, fmt.Errorf("apply changes to zone %s at serial %d: %w", z.tld, z.serial, err)
		}
	}
	next := &Zone{tld: z.tld, apex: z.apex, labels: z.labels, names: x.commit()}
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

func (z *Zone) stage(x *txn, o Owner) error {
	wire, err := wireName(o.Name)
	if err != nil {
		return err
	}
	n, ok := below(wire, z.apex)
	if !ok {
		return fmt.Errorf("owner %s is outside the zone", o.Name)
	}
	rrs, err := encodeRecords(wire, o.RRs)
	if err != nil {
		return fmt.Errorf("owner %s: %w", o.Name, err)
	}
	x.set(wire[:n], rrs)
	return nil
}

// readApex takes from the apex what answers need.
func (z *Zone) readApex() error {
	apex, _ := z.names.find(nil)
	z.soa = apex.rrs.rrset(typeSOA)
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
	return nil
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
