package publisher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"cadastre/dnssec"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// keeperInterval is how often the keys are looked at.
	keeperInterval = 500 * time.Millisecond
	// parentInterval spaces questions to the parent about one zone.
	parentInterval = 10 * time.Minute
	// keyAttempts bounds the search for a key whose tag no other key of the zone has.
	keyAttempts = 20
)

// custody makes keys and keeps their private halves.
type custody interface {
	Enabled() bool
	Generate(tld registry.DomainName, role registry.KeyRole, algorithm uint8) (*registry.ZoneKey, error)
	Delete(k *registry.ZoneKey) error
}

// KeeperConfig says what a Keeper works with.
type KeeperConfig struct {
	Proposer proposer
	Viewer   viewer
	Custody  custody
	// Held says whether a majority of the voters have the private half of a key.
	Held func(ctx context.Context, id string) bool
	// ParentTags asks a server of the parent, or a resolver, for the key tags of the zone's DS set that match
	// the keys; nil: nobody is asked.
	ParentTags func(ctx context.Context, server string, tld *registry.TLD, keys []registry.ZoneKey) ([]string, error)
	Logger     *slog.Logger
}

// Keeper takes the keys of zones through their lives while its node leads: it makes the first ones and those that the
// policy asks for, and does what dnssec.PlanKeys says.
type Keeper struct {
	KeeperConfig
	asked map[registry.DomainName]time.Time // when the parent was asked last
}

// NewKeeper returns a keeper that does not run yet.
func NewKeeper(cfg KeeperConfig) *Keeper {
	return &Keeper{KeeperConfig: cfg, asked: make(map[registry.DomainName]time.Time)}
}

// Run looks after the keys until ctx is done.
func (k *Keeper) Run(ctx context.Context) error {
	ticker := time.NewTicker(keeperInterval)
	defer ticker.Stop()
	for {
		moved, err := k.Step(ctx)
		if err != nil && ctx.Err() == nil {
			k.Logger.Warn("could not look after the keys of zones, trying again", "error", err)
		}
		if moved && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Step does what can be done now and says whether anything was.
func (k *Keeper) Step(ctx context.Context) (moved bool, err error) {
	var zones []dnssec.Situation
	err = k.Viewer.View(func(tx *store.ReadTx) error {
		for _, tld := range tx.TLDs() {
			if tld.Policy.Signing.Denial == registry.DenialNone {
				continue
			}
			shown, err := dnssec.ReadShown(tx, tld.Name, tx.ZoneState(tld.Name).SignedAs)
			if err != nil {
				return err
			}
			zones = append(zones, dnssec.Situation{TLD: tld, Keys: tx.ZoneKeys(tld.Name), Shown: shown, Now: tx.Now()})
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read the keys of zones: %w", err)
	}
	var errs []error
	for i := range zones {
		did, err := k.zone(ctx, &zones[i])
		moved = moved || did
		if err != nil {
			errs = append(errs, fmt.Errorf("keys of %s: %w", zones[i].TLD.Name, err))
		}
	}
	return moved, errors.Join(errs...)
}

func (k *Keeper) zone(ctx context.Context, zone *dnssec.Situation) (moved bool, err error) {
	if made, err := k.generate(ctx, zone); made || err != nil {
		return made, err
	}
	zone.Held = func(id string) bool { return k.Held == nil || k.Held(ctx, id) }
	plan := dnssec.PlanKeys(zone)
	if len(plan.Moves) == 0 {
		return false, k.askParent(ctx, zone, plan.AskParent)
	}
	step := &fsmpb.ZoneKeyStep{Tld: string(zone.TLD.Name)}
	for _, m := range plan.Moves {
		step.Moves = append(step.Moves, &fsmpb.ZoneKeyMove{Id: m.ID, From: uint32(m.From), To: uint32(m.To)})
	}
	err = k.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_ZoneKeyStep{ZoneKeyStep: step}})
	if errors.Is(err, registry.CodeConflict) {
		return false, nil // planned on a state that is gone; the next round plans anew
	}
	if err != nil {
		return false, err
	}
	for _, m := range plan.Moves {
		if m.From != m.To {
			k.Logger.Info("a key of a zone goes on", "tld", zone.TLD.Name, "tag", m.Tag, "from", m.From, "to", m.To)
		}
	}
	return true, nil
}

// generate makes the first keys of a zone and successors of ZSKs that have served their time.
func (k *Keeper) generate(ctx context.Context, zone *dnssec.Situation) (made bool, err error) {
	for _, need := range needed(zone) {
		if !k.Custody.Enabled() {
			return made, errors.New(`the zone needs a key, but this node keeps none: set key "keys.seal_file" of its configuration`)
		}
		if err := k.makeKey(ctx, zone, need); err != nil {
			return made, err
		}
		made = true
	}
	return made, nil
}

// keyNeed is a key that a zone should have.
type keyNeed struct {
	role      registry.KeyRole
	algorithm uint8
	replaces  string
}

// needed lists the keys that are to be made.
func needed(zone *dnssec.Situation) (needs []keyNeed) {
	signing := &zone.TLD.Policy.Signing
	live := 0
	for i := range zone.Keys {
		if zone.Keys[i].State != registry.KeyRemoved && (zone.Keys[i].Rolling || zone.Keys[i].State != registry.KeyStandby) {
			live++
		}
	}
	if live == 0 {
		for _, role := range signing.Layout.Roles() {
			needs = append(needs, keyNeed{role: role, algorithm: policy.ZoneAlgorithm(zone.TLD)})
		}
		return needs
	}
	if live < len(signing.Layout.Roles()) { // the making of the first keys was interrupted
		if k := &zone.Keys[0]; k.Replaces == "" && k.State <= registry.KeyActive && k.Role == registry.KeyKSK {
			return []keyNeed{{role: registry.KeyZSK, algorithm: k.Algorithm}}
		}
	}
	if signing.ZSKLifetimeDays == 0 {
		return nil
	}
	for i := range zone.Keys {
		k := &zone.Keys[i]
		due := k.Role == registry.KeyZSK && k.State == registry.KeyActive && !zone.Now.Before(policy.AddDays(k.StateAt, signing.ZSKLifetimeDays))
		if due && !rolls(zone.Keys) {
			needs = append(needs, keyNeed{role: k.Role, algorithm: k.Algorithm, replaces: k.ID})
		}
	}
	return needs
}

// rolls says whether any rollover is under way.
func rolls(keys []registry.ZoneKey) bool {
	for i := range keys {
		k := &keys[i]
		if k.Rolling && k.State < registry.KeyActive || k.State == registry.KeyRetiring || k.State == registry.KeyWithdrawn {
			return true
		}
	}
	return false
}

func (k *Keeper) makeKey(ctx context.Context, zone *dnssec.Situation, need keyNeed) (err error) {
	for range keyAttempts {
		var key *registry.ZoneKey
		if key, err = k.Custody.Generate(zone.TLD.Name, need.role, need.algorithm); err != nil {
			return err
		}
		err = k.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_ZoneKeyAdd{ZoneKeyAdd: &fsmpb.ZoneKeyAdd{
			Tld: string(zone.TLD.Name), Id: key.ID, Role: uint32(key.Role), Algorithm: uint32(key.Algorithm), PublicKey: key.PublicKey,
			Rolling: true, Replaces: need.replaces,
		}}})
		if err == nil {
			k.Logger.Info("made a key of a zone", "tld", zone.TLD.Name, "role", key.Role, "algorithm", key.Algorithm, "tag", key.Tag, "key", key.ID)
			return nil
		}
		if refused, is := errors.AsType[*registry.Error](err); is && refused.Code != registry.CodeUnavailable && refused.Code != registry.CodeOutcomeUnknown {
			err = errors.Join(err, k.Custody.Delete(key))
		}
		if !errors.Is(err, registry.CodeKeyTagTaken) {
			return err
		}
	}
	return err
}

// askParent looks whether the parent points to the keys by now.
func (k *Keeper) askParent(ctx context.Context, zone *dnssec.Situation, ids []string) error {
	server := zone.TLD.Policy.Signing.ParentServer
	now := time.Now()
	if len(ids) == 0 || server == "" || k.ParentTags == nil || now.Sub(k.asked[zone.TLD.Name]) < parentInterval {
		return nil
	}
	k.asked[zone.TLD.Name] = now
	var keys []registry.ZoneKey
	for _, key := range zone.Keys {
		for _, id := range ids {
			if key.ID == id {
				keys = append(keys, key)
			}
		}
	}
	seen, err := k.ParentTags(ctx, server, zone.TLD, keys)
	if err != nil {
		return fmt.Errorf("ask %s for the DS set: %w", server, err)
	}
	for _, id := range seen {
		err := k.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_ZoneKeyDsSeen{ZoneKeyDsSeen: &fsmpb.ZoneKeyDSSeen{Tld: string(zone.TLD.Name), Id: id}}})
		if err != nil {
			return err
		}
		k.Logger.Info("the parent points to a key of a zone", "tld", zone.TLD.Name, "key", id)
	}
	return nil
}

func (k *Keeper) propose(ctx context.Context, command *fsmpb.Command) error {
	ctx, cancel := context.WithTimeout(ctx, proposeTimeout)
	defer cancel()
	command.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "keeper"}
	result, err := k.Proposer.Propose(ctx, command)
	if err != nil {
		return err
	}
	return fsm.ResultError(result)
}
