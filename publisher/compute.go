package publisher

import (
	"context"
	"slices"
	"time"

	"cadastre/dnssec"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
	"cadastre/zone"
)

const (
	// maxOwners and maxRecordOctets bound one publication, so that its entry stays small
	// beside the commands of registrars.
	maxOwners       = 1000
	maxRecordOctets = 192 << 10
	// maxRenewals bounds the owners whose signatures one publication renews.
	maxRenewals = 200
)

// keyring knows what a zone is signed with. It returns nil for a zone that is not to be signed, and an
// error where it is but a key cannot be reached: then nothing may be published.
type keyring interface {
	Keys(tx *store.ReadTx, tld *registry.TLD) (*dnssec.KeySet, error)
}

// computation makes one publication of one zone.
type computation struct {
	tx      *store.ReadTx
	tld     *registry.TLD
	keys    *dnssec.KeySet
	current store.ZoneState
	command *fsmpb.ZonePublish
	request dnssec.Request
}

// compute returns the publication that brings the zone up to date, nil if it is. more says that another may be needed
// at once.
func compute(ctx context.Context, tx *store.ReadTx, tld *registry.TLD, keys *dnssec.KeySet, sweeps map[registry.DomainName]*sweep) (
	publication *fsmpb.ZonePublish, more bool, err error,
) {
	current := tx.ZoneState(tld.Name)
	readIndex, _ := tx.Applied()
	c := &computation{tx: tx, tld: tld, keys: keys, current: current}
	c.command = &fsmpb.ZonePublish{
		Tld: string(tld.Name), BaseSerial: current.Serial, Serial: nextSerial(current, tx.Now()), ReadIndex: readIndex, SignedAs: current.SignedAs,
	}
	c.request = dnssec.Request{TLD: tld, Keys: keys, Serial: c.command.GetSerial(), Now: tx.Now(), Announce: isWhole(current.SignedAs)}
	c.dirty()
	c.resign(sweeps)
	more = sweeps[tld.Name] != nil
	if c.idle() {
		return nil, more, nil
	}
	changes, err := dnssec.Build(ctx, tx, &c.request)
	if err != nil {
		return nil, false, err
	}
	if len(changes) == 0 && len(c.command.GetCleaned()) == 0 {
		return nil, more, nil
	}
	if len(changes) > 0 {
		if err := dnssec.Verify(ctx, tx, &c.request, changes); err != nil {
			return nil, false, err
		}
		if err := c.limits(changes); err != nil {
			return nil, false, err
		}
	}
	for i := range changes {
		c.command.Changes = append(c.command.Changes, ownerChange(&changes[i]))
	}
	return c.command, more, nil
}

// idle says whether there is nothing to do.
func (c *computation) idle() bool {
	return len(c.request.Owners) == 0 && len(c.request.ChainKeys) == 0 && !c.request.Apex && c.command.GetSignedAs() == c.current.SignedAs
}

// dirty asks for the owners whose publication is outdated.
func (c *computation) dirty() {
	size, typical := 0, typicalRecordOctets
	if c.keys != nil {
		typical = typicalSignedOctets
	}
	for _, owner := range c.tx.Dirty(c.tld.Name, maxOwners) {
		if size > maxRecordOctets {
			return
		}
		published, _ := c.tx.Published(c.tld.Name, owner)
		size += len(published) + len(owner) + typical
		c.command.Cleaned = append(c.command.Cleaned, string(owner))
		c.request.Owners = append(c.request.Owners, owner)
		c.request.Apex = c.request.Apex || owner == c.tld.Name
	}
}

// What a delegation takes that is not published yet: its NS records, and with signatures those of its DS records and of
// two records of the chain.
const (
	typicalRecordOctets = 128
	typicalSignedOctets = 700
)

// resign asks for the owners whose signatures are to be made anew: those that near their end, and, while
// the zone is not signed as it should be, the next ones of the sweep.
func (c *computation) resign(sweeps map[registry.DomainName]*sweep) {
	owners, chainKeys := c.tx.ResignDue(c.tld.Name, c.tx.Now(), maxRenewals)
	for _, owner := range owners {
		c.request.Apex = c.request.Apex || owner == c.tld.Name
	}
	c.request.Owners = append(c.request.Owners, owners...)
	c.request.ChainKeys = append(c.request.ChainKeys, chainKeys...)

	want := dnssec.Fingerprint(&c.tld.Policy.Signing, c.keys)
	if want == c.current.SignedAs {
		delete(sweeps, c.tld.Name)
		return
	}
	p := c.plan(want)
	c.request.Primary, c.request.Beside, c.request.KeepOptOut = p.primary, p.beside, p.keepOptOut
	if p.unsign {
		// First the apex stops saying that the zone is signed; then the signatures go.
		c.request.Keys, c.request.Announce, c.request.Apex = nil, false, true
		c.command.SignedAs = inPart
		delete(sweeps, c.tld.Name)
		return
	}
	s := sweeps[c.tld.Name]
	if s == nil || s.goal != p.goal {
		s = &sweep{goal: p.goal}
		sweeps[c.tld.Name] = s
	}
	c.command.SignedAs = p.meanwhile
	if s.step(c) {
		c.command.SignedAs, c.request.Apex = p.goal, true
		c.request.Announce = p.goal != ""
		if p.swap { // both chains are complete with this publication: from now on the other one proves
			c.request.Primary, c.request.Beside = p.beside, p.primary
		}
	}
}

// nextSerial grows by one; a zone begins with the time in seconds, so that a zone that was
// served before under such serials goes on (RFC 1982).
func nextSerial(current store.ZoneState, now time.Time) uint32 {
	if current.Publications == 0 {
		return uint32(now.Unix())
	}
	return current.Serial + 1
}

func ownerChange(c *dnssec.Change) *fsmpb.OwnerChange {
	out := &fsmpb.OwnerChange{Owner: string(c.Owner), Rrs: c.RRs, ChainKey: c.ChainKey, Nsec3: c.NSEC3, Unchain: c.Unchain}
	if !c.ResignAt.IsZero() {
		out.ResignAtMs = c.ResignAt.UnixMilli()
	}
	return out
}

// sweep walks a whole zone to have all of it signed in another way. A new leader begins anew; what is right already
// costs it little.
type sweep struct {
	goal     string
	begun    bool
	owner    registry.DomainName // the next of the zone proper
	chainKey []byte              // the next of the chain, once the owners are done
	owners   bool                // all owners are done
}

const (
	// sweepOwners bounds the names that one publication of a sweep signs: each brings some 700 octets.
	sweepOwners = 250
	// sweepRows bounds what is looked at for them.
	sweepRows = 50_000
)

// step adds the next names of the sweep to the request and says whether they are the last.
func (s *sweep) step(c *computation) (done bool) {
	if !s.begun {
		s.begun = true
		c.request.Apex = true
		for _, server := range c.tld.Policy.ApexServers {
			if server.Name.IsBelow(c.tld.Name) {
				c.request.Owners = append(c.request.Owners, server.Name)
				c.request.Owners = append(c.request.Owners, zone.Ancestors(c.tld.Name, server.Name)...)
			}
		}
	}
	if !s.owners {
		s.owners = s.stepOwners(c)
		return false
	}
	seen := 0
	done = true
	c.tx.EachChainRow(c.tld.Name, s.chainKey, func(key, _ []byte) bool {
		if seen == sweepOwners {
			s.chainKey, done = slices.Clone(key), false
			return false
		}
		seen++
		c.request.ChainKeys = append(c.request.ChainKeys, key)
		return true
	})
	return done
}

func (s *sweep) stepOwners(c *computation) (done bool) {
	picked, seen := 0, 0
	done = true
	unsigned := c.request.Keys == nil
	optOut := dnssec.WayOf(&c.tld.Policy.Signing).OptOut && c.request.Beside.Denial == registry.DenialNone
	c.tx.EachPublishedFrom(c.tld.Name, s.owner, func(o store.OwnerRecords) bool {
		if picked == sweepOwners || seen == sweepRows {
			s.owner, done = o.Owner, false
			return false
		}
		seen++
		if dnssec.MaySign(o.RRs, unsigned, optOut) {
			picked++
			c.request.Owners = append(c.request.Owners, o.Owner)
		}
		return true
	})
	return done
}
