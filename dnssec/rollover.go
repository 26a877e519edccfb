package dnssec

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cadastre/policy"
	"cadastre/registry"
)

// Move takes a key to a state; From and To are the same where the zone has come to show the state.
type Move struct {
	ID       string
	Tag      uint16
	From, To registry.KeyState
}

// Wait is what a key waits for.
type Wait struct {
	ID  string
	Tag uint16
	// Until is when the wait is over; zero where that is not a matter of time alone.
	Until time.Time
	For   string
}

// Plan is what is to happen to the keys of a zone.
type Plan struct {
	// Moves are to be made now, all or none.
	Moves []Move
	Waits []Wait
	// AskParent are the keys for which the parent's DS set matters now.
	AskParent []string
}

// Situation is what a plan is made from.
type Situation struct {
	TLD   *registry.TLD
	Keys  []registry.ZoneKey
	Shown Shown
	Now   time.Time
	// Held says whether enough voters have the private half of a key; nil: they have.
	Held func(id string) bool
}

// PlanKeys says what is to happen to the keys of a zone, after RFC 7583: a ZSK is published before it signs, a KSK or
// CSK signs the DNSKEY set beside the old one until the parent points to it, and a new algorithm signs all of the zone
// before its keys are published (RFC 6781 section 4.1.4).
func PlanKeys(s *Situation) Plan {
	p := &planner{Situation: s}
	for i := range s.Keys {
		before := len(p.plan.Moves)
		p.key(&s.Keys[i])
		if len(p.plan.Moves) > before {
			return p.plan // one step at a time: the next is planned from what it leads to
		}
	}
	return p.plan
}

type planner struct {
	*Situation
	plan Plan
}

func (p *planner) move(k *registry.ZoneKey, to registry.KeyState) {
	p.plan.Moves = append(p.plan.Moves, Move{ID: k.ID, Tag: k.Tag, From: k.State, To: to})
}

func (p *planner) wait(k *registry.ZoneKey, until time.Time, what string) {
	p.plan.Waits = append(p.plan.Waits, Wait{ID: k.ID, Tag: k.Tag, Until: until, For: what})
}

func (p *planner) key(k *registry.ZoneKey) {
	switch k.State {
	case registry.KeyStandby:
		p.standby(k)
	case registry.KeySigning:
		if p.observed(k, p.signs(k), "all of the zone to be signed by it") && p.over(k, policy.MaxZoneTTL(p.TLD), "sets without its signatures to leave caches") {
			p.move(k, registry.KeyPublished)
		}
	case registry.KeyPublished:
		p.published(k)
	case registry.KeyReady:
		p.ready(k)
	case registry.KeyActive:
		if k.Role.IsEntryPoint() && k.DSSeenAt.IsZero() {
			p.plan.AskParent = append(p.plan.AskParent, k.ID)
		}
	case registry.KeyRetiring:
		if p.observed(k, isWhole(p.Shown.SignedAs) && !p.signs(k), "all of the zone to be signed by its successor") && p.over(k, policy.MaxZoneTTL(p.TLD), "its signatures to leave caches") {
			p.move(k, registry.KeyRemoved)
		}
	case registry.KeyWithdrawn:
		if p.observed(k, !p.inKeySet(k), "the DNSKEY set without it to be published") && p.over(k, p.keySetTTL(), "the DNSKEY set with it to leave caches") {
			p.move(k, registry.KeyRemoved)
		}
	}
}

func isWhole(signedAs string) bool { return signedAs != "" && signedAs != "in part" }

// standby puts a key that is to come into use on its way.
func (p *planner) standby(k *registry.ZoneKey) {
	switch {
	case !k.Rolling:
	case p.Held != nil && !p.Held(k.ID):
		p.wait(k, time.Time{}, "its private half to be on a majority of the voters")
	case k.Replaces == "":
		p.move(k, registry.KeyActive)
	case !policy.IsNewAlgorithm(p.Keys, k.Algorithm):
		p.move(k, registry.KeyPublished)
	case k.Role.SignsZone():
		p.move(k, registry.KeySigning)
	default: // a KSK of a new algorithm comes with the ZSK
		zsk := p.find(func(o *registry.ZoneKey) bool {
			return o.Algorithm == k.Algorithm && o.Role == registry.KeyZSK && o.State == registry.KeyPublished
		})
		if zsk == nil {
			p.wait(k, time.Time{}, "all of the zone to be signed by the ZSK of its algorithm")
			return
		}
		p.move(k, registry.KeyPublished)
	}
}

func (p *planner) published(k *registry.ZoneKey) {
	if !p.observed(k, p.inKeySet(k), "the DNSKEY set with it to be published") || !p.over(k, p.keySetTTL(), "the DNSKEY set without it to leave caches") {
		return
	}
	switch {
	case k.Role.IsEntryPoint():
		p.move(k, registry.KeyReady)
	case policy.IsNewAlgorithm(p.Keys, k.Algorithm):
		p.wait(k, time.Time{}, "the KSK of its algorithm")
	default:
		p.move(k, registry.KeyActive)
		if old := p.replaced(k); old != nil {
			p.move(old, registry.KeyRetiring)
		}
	}
}

// ready waits for the parent and then lets the key take over.
func (p *planner) ready(k *registry.ZoneKey) {
	if k.DSSeenAt.IsZero() {
		p.plan.AskParent = append(p.plan.AskParent, k.ID)
		p.wait(k, time.Time{}, "the parent to point to it: give it the DS record (cadastre key ds)")
		return
	}
	until := k.DSSeenAt
	if !k.Emergency {
		until = until.Add(policy.DSTTL(p.TLD) + policy.Propagation(p.TLD))
	}
	if p.Now.Before(until) {
		p.wait(k, until, "the DS record of its predecessor to leave caches")
		return
	}
	newAlgorithm := policy.IsNewAlgorithm(p.Keys, k.Algorithm)
	p.move(k, registry.KeyActive)
	old := p.replaced(k)
	switch {
	case old == nil:
	case old.Role == registry.KeyKSK:
		p.move(old, registry.KeyRemoved)
	case newAlgorithm:
		p.move(old, registry.KeyWithdrawn)
	default:
		p.move(old, registry.KeyRetiring)
	}
	if !newAlgorithm || k.Role == registry.KeyCSK {
		return
	}
	zsk := p.find(func(o *registry.ZoneKey) bool {
		return o.Algorithm == k.Algorithm && o.Role == registry.KeyZSK && o.State == registry.KeyPublished
	})
	if zsk == nil {
		return
	}
	p.move(zsk, registry.KeyActive)
	if old := p.replaced(zsk); old != nil {
		p.move(old, registry.KeyWithdrawn)
	}
}

// observed says whether the zone shows the key's state; once it does, that is noted first.
func (p *planner) observed(k *registry.ZoneKey, shown bool, what string) bool {
	switch {
	case !k.ObservedAt.IsZero():
		return true
	case shown:
		p.move(k, k.State)
	default:
		p.wait(k, time.Time{}, what)
	}
	return false
}

// over says whether the time since the zone began to show the key's state is over.
func (p *planner) over(k *registry.ZoneKey, ttl time.Duration, what string) bool {
	if p.emergency(k) {
		return true
	}
	until := k.ObservedAt.Add(ttl + policy.Propagation(p.TLD))
	if p.Now.Before(until) {
		p.wait(k, until, what)
		return false
	}
	return true
}

// emergency says whether the key or the one that replaces it is in a hurry.
func (p *planner) emergency(k *registry.ZoneKey) bool {
	return k.Emergency || p.find(func(o *registry.ZoneKey) bool { return o.Replaces == k.ID && o.Emergency }) != nil
}

func (p *planner) keySetTTL() time.Duration {
	return time.Duration(policy.DNSKEYTTLSeconds(p.TLD)) * time.Second
}

func (p *planner) signs(k *registry.ZoneKey) bool {
	return isWhole(p.Shown.SignedAs) && SignsAs(p.Shown.SignedAs, Record(p.TLD, k))
}

func (p *planner) inKeySet(k *registry.ZoneKey) bool { return slices.Contains(p.Shown.Tags, k.Tag) }

// replaced returns the active key that k takes over from.
func (p *planner) replaced(k *registry.ZoneKey) *registry.ZoneKey {
	return p.find(func(o *registry.ZoneKey) bool { return o.ID == k.Replaces && o.State == registry.KeyActive })
}

func (p *planner) find(is func(*registry.ZoneKey) bool) *registry.ZoneKey {
	for i := range p.Keys {
		if is(&p.Keys[i]) {
			return &p.Keys[i]
		}
	}
	return nil
}

// Event is a line of a timeline.
type Event struct {
	At   time.Time
	Text string
}

// maxEvents bounds a timeline: the longest rollover has some thirty.
const maxEvents = 200

// Timeline says what would happen to the keys from now on, as if publishing took no time and the parent pointed to a
// key as soon as it is to. The situation is not changed.
func Timeline(s *Situation) []Event {
	sim := *s
	sim.Keys, sim.Held = slices.Clone(s.Keys), nil
	var events []Event
	for len(events) < maxEvents {
		sim.Shown = simulated(&sim)
		plan := PlanKeys(&sim)
		if len(plan.Moves) > 0 {
			for _, m := range plan.Moves {
				apply(&sim, m)
				if m.From != m.To {
					events = append(events, Event{At: sim.Now, Text: fmt.Sprintf("key %d: %s -> %s", m.Tag, m.From, m.To)})
				}
			}
			continue
		}
		if k := wanting(&sim); k != nil {
			k.DSSeenAt = sim.Now
			events = append(events, Event{At: sim.Now, Text: fmt.Sprintf("key %d: the parent points to it (until then everything waits)", k.Tag)})
			continue
		}
		next := time.Time{}
		for _, w := range plan.Waits {
			if w.Until.After(sim.Now) && (next.IsZero() || w.Until.Before(next)) {
				next = w.Until
			}
		}
		if next.IsZero() {
			return events
		}
		sim.Now = next
	}
	return events
}

// wanting returns a key that waits for the parent.
func wanting(s *Situation) *registry.ZoneKey {
	for i := range s.Keys {
		if k := &s.Keys[i]; k.State == registry.KeyReady && k.DSSeenAt.IsZero() {
			return k
		}
	}
	return nil
}

// simulated is what the zone shows once all is published.
func simulated(s *Situation) Shown {
	shown := Shown{}
	parts := []string{"simulated"}
	for i := range s.Keys {
		k := &s.Keys[i]
		if k.InDNSKEYSet() {
			shown.Tags = append(shown.Tags, k.Tag)
		}
		if signsZone(s.Keys, k) {
			parts = append(parts, keyName(Record(s.TLD, k)))
		}
	}
	shown.SignedAs = strings.Join(parts, " ")
	return shown
}

func apply(s *Situation, m Move) {
	for i := range s.Keys {
		k := &s.Keys[i]
		switch {
		case k.ID != m.ID:
		case m.From == m.To:
			k.ObservedAt = s.Now
		default:
			k.State, k.StateAt, k.ObservedAt = m.To, s.Now, time.Time{}
		}
	}
}
