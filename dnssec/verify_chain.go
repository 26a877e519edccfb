package dnssec

import (
	"bytes"
	"encoding/base32"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/miekg/dns"

	"cadastre/registry"
	"cadastre/zone"
)

// checkChain checks that the denial chain is closed around every record that changes and that each name that changes is
// listed as it is.
func (c *checker) checkChain() error {
	if c.req.Keys == nil {
		return nil
	}
	if c.req.primary().Denial == registry.DenialNone {
		return fmt.Errorf("check %s: keys are given, but no way to prove absence", c.req.TLD.Name)
	}
	for _, key := range c.keys {
		if _, kept := c.req.way(registry.Denial(key[0])); !kept {
			continue // left over from another chain, and going
		}
		if err := c.checkLink(key); err != nil {
			return err
		}
	}
	for name, owner := range c.changed {
		if !strings.HasPrefix(string(name), "\x00") {
			if err := c.checkListed(owner); err != nil {
				return err
			}
		}
	}
	return c.checkUnchanged()
}

// checkUnchanged checks that the chain lists what is published at those owners that the publication is about and does
// not change.
func (c *checker) checkUnchanged() error {
	for _, name := range c.req.Owners {
		if c.changed[name] != nil {
			continue
		}
		rrs, _ := c.view.Published(c.req.TLD.Name, name)
		records, err := parseWire(rrs)
		if err != nil {
			return fmt.Errorf("check %s: %w", name, err)
		}
		owner, err := c.owner(name, records)
		if err != nil {
			return err
		}
		owner.glue = c.belowCut(name)
		if err := c.checkListed(owner); err != nil {
			return err
		}
	}
	return nil
}

// checkLink checks that the record at key, or the one before where it was removed, points to the next that is there,
// and that the one before points to it.
func (c *checker) checkLink(key string) error {
	next := c.neighbour(key, true)
	if len(c.chain[key]) > 0 {
		if err := c.pointsTo(key, next); err != nil {
			return err
		}
		next = key
	}
	if previous := c.neighbour(key, false); previous != "" {
		return c.pointsTo(previous, next)
	}
	return nil
}

// pointsTo checks that there is one denial record at key and that it points to next.
func (c *checker) pointsTo(key, next string) error {
	name := "the NSEC record of " + string(zone.NameOfCanonicalKey([]byte(key[1:])))
	if isHashKey([]byte(key)) {
		name = "the NSEC3 record of hash " + strings.ToLower(base32.HexEncoding.EncodeToString([]byte(key[1:])))
	}
	records := c.chainRecords(key)
	if len(records) != 1 {
		return fmt.Errorf("check %s: there are %d records, not 1", name, len(records))
	}
	if next == "" {
		return fmt.Errorf("check %s: nothing follows it", name)
	}
	rdata := records[0].rdata
	if !isHashKey([]byte(key)) {
		if !bytes.HasPrefix(rdata, wireName(string(zone.NameOfCanonicalKey([]byte(next[1:]))))) {
			return fmt.Errorf("check %s: it does not point to the next name of the chain", name)
		}
		return nil
	}
	if len(rdata) < nsec3Head+hashOctets || rdata[0] != dns.SHA1 || rdata[2] != 0 || rdata[3] != 0 || rdata[4] != 0 || rdata[5] != hashOctets {
		return fmt.Errorf("check %s: not SHA-1 without iterations and salt", name)
	}
	if string(rdata[nsec3Head:nsec3Head+hashOctets]) != next[1:] {
		return fmt.Errorf("check %s: it does not point to the next hash of the chain", name)
	}
	return nil
}

// nsec3Head is how many octets an NSEC3 record without salt has before the next hash: algorithm, flags, iterations,
// and the lengths of salt and hash (RFC 5155 section 3.2).
const nsec3Head = 6

// chainRecords returns the denial records at key once the publication is in force.
func (c *checker) chainRecords(key string) []wireRecord {
	if records, ok := c.chain[key]; ok {
		return records
	}
	row, _ := c.view.ChainRow(c.req.TLD.Name, []byte(key))
	rrtype := uint16(wireNSEC3)
	if !isHashKey([]byte(key)) {
		row, _ = c.view.Published(c.req.TLD.Name, registry.DomainName(row))
		rrtype = wireNSEC
	}
	records, err := parseWire(row)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(records, func(r wireRecord) bool { return r.rrtype != rrtype })
}

// neighbour returns the nearest key after or before another, around the end if need be.
func (c *checker) neighbour(key string, after bool) string {
	kind := key[0]
	if n := c.nearest(key, kind, after); n != "" {
		return n
	}
	if after {
		return c.nearest(string([]byte{kind}), kind, after)
	}
	return c.nearest(string([]byte{kind + 1}), kind, after)
}

// nearest returns the nearest key of a kind beyond from in a direction, "" if there is none.
func (c *checker) nearest(from string, kind byte, after bool) string {
	stored := c.nearestStored(from, kind, after)
	at := sort.SearchStrings(c.keys, from)
	if after {
		for ; at < len(c.keys) && (c.keys[at] == from || len(c.chain[c.keys[at]]) == 0); at++ {
		}
		if at < len(c.keys) && c.keys[at][0] == kind && (stored == "" || c.keys[at] < stored) {
			return c.keys[at]
		}
		return stored
	}
	for at--; at >= 0 && len(c.chain[c.keys[at]]) == 0; at-- {
	}
	if at >= 0 && c.keys[at][0] == kind && (stored == "" || c.keys[at] > stored) {
		return c.keys[at]
	}
	return stored
}

// nearestStored is nearest among the rows of the state that the publication leaves.
func (c *checker) nearestStored(from string, kind byte, after bool) string {
	at := []byte(from)
	for {
		var found []byte
		var ok bool
		if after {
			at = append(bytes.Clone(at), 0)
			found, _, ok = c.view.ChainFrom(c.req.TLD.Name, at)
		} else {
			found, _, ok = c.view.ChainBefore(c.req.TLD.Name, at)
		}
		if !ok || found[0] != kind {
			return ""
		}
		if records, changed := c.chain[string(found)]; !changed || len(records) > 0 {
			return string(found)
		}
		at = found
	}
}

// checkListed checks that each chain lists exactly the types of an owner that has a place in it.
func (c *checker) checkListed(owner *checkedOwner) error {
	for _, kind := range []registry.Denial{registry.DenialNSEC3, registry.DenialNSEC} {
		if way, kept := c.req.way(kind); kept {
			if err := c.checkListedAs(owner, way); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkListedAs is checkListed for one chain. An NSEC record that stands beside an NSEC3 chain is not listed there: it
// comes and goes with its own chain.
func (c *checker) checkListedAs(owner *checkedOwner, way Way) error {
	var want []uint16
	signed := false
	for i := range owner.sets {
		rrtype := owner.sets[i].rrtype
		if owner.glue || owner.cut && rrtype != wireNS && rrtype != wireDS && rrtype != wireNSEC {
			continue
		}
		if rrtype == wireNSEC && way.Denial != registry.DenialNSEC {
			continue
		}
		want = append(want, rrtype)
		signed = signed || owner.mustSign(rrtype)
	}
	if signed {
		want = append(want, wireRRSIG)
	}
	slices.Sort(want)
	var bitmap []byte
	if way.Denial == registry.DenialNSEC {
		if records := owner.set(wireNSEC); len(records) > 0 {
			n, _ := wireNameLen(records[0].rdata)
			bitmap = records[0].rdata[n:]
		} else if len(want) > 0 {
			return fmt.Errorf("check %s: it has no NSEC record", owner.name)
		}
	} else {
		records := c.chainRecords(string(chainKey(registry.DenialNSEC3, owner.name)))
		switch {
		case len(records) > 0:
			bitmap = records[0].rdata[nsec3Head+hashOctets:]
		case signed || len(want) > 0 && !way.OptOut:
			return fmt.Errorf("check %s: it has no NSEC3 record", owner.name)
		default:
			return nil
		}
	}
	listed, err := typesOf(bitmap)
	if err != nil || !slices.Equal(listed, want) {
		return fmt.Errorf("check %s: its denial record lists the types %v, there are %v", owner.name, listed, want)
	}
	return nil
}
