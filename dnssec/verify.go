package dnssec

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"cadastre/registry"
)

// Verify checks a publication before it is proposed: every record belongs where it stands, the SOA has the serial, all
// that is the zone's own word bears a good signature of every key in use, now and nothing else is signed, and the denial
// chain is closed around what changes and lists the types that are there. The error names the first record that is wrong.
func Verify(ctx context.Context, view View, req *Request, changes []Change) error {
	c := &checker{view: view, req: req, changed: make(map[registry.DomainName]*checkedOwner, len(changes)), chain: make(map[string][]wireRecord)}
	if err := c.read(changes); err != nil {
		return err
	}
	if err := c.checkApex(); err != nil {
		return err
	}
	if err := c.checkSignatures(ctx); err != nil {
		return err
	}
	return c.checkChain()
}

// checker holds a publication while it is checked.
type checker struct {
	view    View
	req     *Request
	changed map[registry.DomainName]*checkedOwner
	chain   map[string][]wireRecord // the denial records that changed, by key; empty: removed
	keys    []string                // of the chain that changed, sorted
}

// checkedOwner is what a publication says of one owner.
type checkedOwner struct {
	name      registry.DomainName
	sets      []checkedSet
	sigs      map[uint16][]*wireSignature
	cut, glue bool
}

// checkedSet is the records of one type. Few owners have more than two.
type checkedSet struct {
	rrtype  uint16
	records []wireRecord
}

func (o *checkedOwner) set(rrtype uint16) []wireRecord {
	for i := range o.sets {
		if o.sets[i].rrtype == rrtype {
			return o.sets[i].records
		}
	}
	return nil
}

func (o *checkedOwner) add(r *wireRecord) {
	for i := range o.sets {
		if o.sets[i].rrtype == r.rrtype {
			o.sets[i].records = append(o.sets[i].records, *r)
			return
		}
	}
	o.sets = append(o.sets, checkedSet{rrtype: r.rrtype, records: []wireRecord{*r}})
}

func (c *checker) read(changes []Change) error {
	for i := range changes {
		change := &changes[i]
		records, err := parseWire(change.RRs)
		if err != nil {
			return fmt.Errorf("check %s: %w", change.Owner, err)
		}
		owner, err := c.owner(change.Owner, records)
		if err != nil {
			return err
		}
		if change.NSEC3 {
			c.chain[string(change.ChainKey)] = owner.set(wireNSEC3)
			c.keys = append(c.keys, string(change.ChainKey))
			owner.cut = false
			c.changed["\x00"+change.Owner] = owner // beside a name of the zone proper that looks the same
			continue
		}
		c.changed[change.Owner] = owner
		if len(change.ChainKey) > 0 {
			c.chain[string(change.ChainKey)] = owner.set(wireNSEC)
			c.keys = append(c.keys, string(change.ChainKey))
		}
	}
	slices.Sort(c.keys)
	for _, owner := range c.changed {
		owner.glue = c.belowCut(owner.name)
	}
	return nil
}

func (c *checker) owner(name registry.DomainName, records []wireRecord) (*checkedOwner, error) {
	owner := &checkedOwner{name: name}
	wire := wireName(string(name))
	for i := range records {
		r := &records[i]
		if !bytes.Equal(r.owner, wire) || r.class != dns.ClassINET {
			return nil, fmt.Errorf("check %s: a record of %q stands there", name, r.owner)
		}
		if r.rrtype != wireRRSIG {
			owner.add(r)
			continue
		}
		sig, err := parseSignature(r.rdata)
		if err != nil {
			return nil, fmt.Errorf("check %s: signature: %w", name, err)
		}
		sig.ttl = r.ttl
		if owner.sigs == nil {
			owner.sigs = make(map[uint16][]*wireSignature)
		}
		owner.sigs[sig.covered] = append(owner.sigs[sig.covered], sig)
	}
	owner.cut = name != c.req.TLD.Name && len(owner.set(wireNS)) > 0
	return owner, nil
}

// belowCut says whether a delegation stands between the name and the apex once the publication is in force.
func (c *checker) belowCut(name registry.DomainName) bool {
	for up := name.Parent(); up != "" && up != c.req.TLD.Name; up = up.Parent() {
		if owner := c.changed[up]; owner != nil {
			if owner.cut {
				return true
			}
			continue
		}
		rrs, _ := c.view.Published(c.req.TLD.Name, up)
		records, err := parseWire(rrs)
		if err == nil && slices.ContainsFunc(records, func(r wireRecord) bool { return r.rrtype == wireNS }) {
			return true
		}
	}
	return false
}

func (c *checker) checkApex() error {
	apex := c.changed[c.req.TLD.Name]
	if apex == nil || len(apex.set(wireSOA)) != 1 || len(apex.set(wireNS)) == 0 {
		return fmt.Errorf("check %s: the publication has not one SOA and the NS records", c.req.TLD.Name)
	}
	const numbers = 20
	rdata := apex.set(wireSOA)[0].rdata
	if len(rdata) < numbers || binary.BigEndian.Uint32(rdata[len(rdata)-numbers:]) != c.req.Serial {
		return fmt.Errorf("check %s: the SOA has not the serial %d", c.req.TLD.Name, c.req.Serial)
	}
	return nil
}

// mustSign says whether the set is the zone's own word.
func (o *checkedOwner) mustSign(rrtype uint16) bool {
	if o.glue {
		return false
	}
	return !o.cut || rrtype == wireDS || rrtype == wireNSEC
}

// checkSignatures checks all signatures, on all processors.
func (c *checker) checkSignatures(ctx context.Context) error {
	zoneKeys, apexKeys, err := c.verifiers()
	if err != nil {
		return err
	}
	if c.req.Keys == nil { // there is nothing to compute
		for _, owner := range c.changed {
			if err := c.checkOwner(owner, nil, nil); err != nil {
				return err
			}
		}
		return nil
	}
	group, _ := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, owner := range c.changed {
		group.Go(func() error { return c.checkOwner(owner, zoneKeys, apexKeys) })
	}
	return group.Wait()
}

// checkOwner checks all signatures at an owner.
func (c *checker) checkOwner(owner *checkedOwner, zoneKeys, apexKeys []checkedKey) error {
	for rrtype := range owner.sigs {
		if c.req.Keys == nil || len(owner.set(rrtype)) == 0 || !owner.mustSign(rrtype) {
			return fmt.Errorf("check %s: a signature over %s, which is not to be signed", owner.name, dns.TypeToString[rrtype])
		}
	}
	if c.req.Keys == nil {
		return nil
	}
	for i := range owner.sets {
		rrtype, records := owner.sets[i].rrtype, owner.sets[i].records
		keys := zoneKeys
		if isKeySetType(rrtype) {
			keys = apexKeys
		}
		if !owner.mustSign(rrtype) {
			continue
		}
		for _, key := range keys {
			if err := c.checkSet(owner, rrtype, records, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkedKey is a key whose signatures are expected.
type checkedKey struct {
	record *dns.DNSKEY
	tag    uint16
	verify verifier
}

func (c *checker) verifiers() (zoneKeys, apexKeys []checkedKey, err error) {
	if c.req.Keys == nil {
		return nil, nil, nil
	}
	list := func(keys []Key) (out []checkedKey, err error) {
		for i := range keys {
			verify, err := newVerifier(keys[i].Record)
			if err != nil {
				return nil, err
			}
			out = append(out, checkedKey{record: keys[i].Record, tag: keys[i].Record.KeyTag(), verify: verify})
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("check %s: there is no key to check with", c.req.TLD.Name)
		}
		return out, nil
	}
	if zoneKeys, err = list(c.req.Keys.Zone); err != nil {
		return nil, nil, err
	}
	apexKeys, err = list(c.req.Keys.Apex)
	return zoneKeys, apexKeys, err
}

// checkSet looks for a good signature of the set by the key.
func (c *checker) checkSet(owner *checkedOwner, rrtype uint16, records []wireRecord, key checkedKey) error {
	why := fmt.Errorf("there is no signature by key %s", keyName(key.record))
	for _, sig := range owner.sigs[rrtype] {
		if sig.keyTag != key.tag || sig.algorithm != key.record.Algorithm {
			continue
		}
		now := uint32(c.req.Now.Unix())
		switch {
		case !bytes.Equal(sig.signer, wireName(string(c.req.TLD.Name))):
			why = fmt.Errorf("its signature names the signer %q", sig.signer)
		case int(sig.labels) != countLabels(records[0].owner):
			why = fmt.Errorf("its signature counts %d labels", sig.labels)
		case sig.ttl != records[0].ttl: // RFC 4034 section 3
			why = fmt.Errorf("its signature has the TTL %d itself", sig.ttl)
		case slices.ContainsFunc(records, func(r wireRecord) bool { return r.ttl != sig.originalTTL }):
			why = fmt.Errorf("its signature is for the TTL %d", sig.originalTTL)
		case int32(now-sig.inception) < 0 || int32(sig.expiration-now) <= 0: // RFC 1982 arithmetic
			why = fmt.Errorf("its signature is valid from %s to %s", sigTime(sig.inception), sigTime(sig.expiration))
		case !key.verify(signedData(sig, records), sig.signature):
			why = fmt.Errorf("its signature by key %s is wrong", keyName(key.record))
		default:
			return nil
		}
	}
	return fmt.Errorf("check %s %s: %w", owner.name, dns.TypeToString[rrtype], why)
}
