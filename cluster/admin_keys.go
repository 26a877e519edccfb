package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cadastre/cluster/clusterpb"
	"cadastre/dnssec"
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// keyAttempts bounds the search for a key whose tag no other key of the zone has.
const keyAttempts = 20

// zoneOf returns a TLD with its keys, by the newest state.
func (s *adminService) zoneOf(ctx context.Context, name string) (situation dnssec.Situation, err error) {
	parsed, err := registry.ParseDomainName(name)
	if err != nil {
		return situation, err
	}
	err = s.readNewest(ctx, func(tx *store.ReadTx) error {
		tld, ok := tx.TLD(parsed)
		if !ok {
			return refuse(registry.CodeObjectDoesNotExist, "tld", name, "there is no such TLD here")
		}
		shown, err := dnssec.ReadShown(tx, tld.Name, tx.ZoneState(tld.Name).SignedAs)
		situation = dnssec.Situation{TLD: tld, Keys: tx.ZoneKeys(tld.Name), Shown: shown, Now: tx.Now()}
		return err
	})
	return situation, err
}

// KeyGenerate makes a key that stands by.
func (s *adminService) KeyGenerate(ctx context.Context, req *clusterpb.KeyGenerateRequest) (*clusterpb.KeyGenerateResponse, error) {
	zone, err := s.zoneOf(ctx, req.GetTld())
	if err != nil {
		return nil, err
	}
	role := registry.KeyRole(req.GetRole())
	if role == 0 {
		roles := zone.TLD.Policy.Signing.Layout.Roles()
		role = roles[len(roles)-1]
	}
	k, err := s.makeKey(ctx, zone.TLD, role, uint8(req.GetAlgorithm()), &fsmpb.ZoneKeyAdd{}, req.GetReason())
	if err != nil {
		return nil, err
	}
	return &clusterpb.KeyGenerateResponse{Key: keyMessage(zone.TLD, k)}, nil
}

// makeKey makes a key on this node and has its public half added as the command says.
func (s *adminService) makeKey(ctx context.Context, tld *registry.TLD, role registry.KeyRole, algorithm uint8, add *fsmpb.ZoneKeyAdd, reason string) (*registry.ZoneKey, error) {
	if err := checkReason(reason); err != nil {
		return nil, err
	}
	now, err := s.custodian.read()
	switch {
	case err != nil:
		return nil, err
	case !now.isVoter:
		return nil, refuse(registry.CodeStatusProhibits, "node", s.nodeID, "keys of zones are made and kept on voters: ask one of "+strings.Join(now.voters, ", "))
	case !s.custodian.enabled():
		return nil, refuse(registry.CodeStatusProhibits, "node", s.nodeID, `this node keeps no keys: set "keys.seal_file" in its configuration`)
	}
	if algorithm == 0 {
		algorithm = policy.ZoneAlgorithm(tld)
	}
	if !policy.IsZoneAlgorithm(algorithm) {
		return nil, refuse(registry.CodeParameterRange, "algorithm", fmt.Sprint(algorithm), "zones are signed with algorithm 13 (ECDSA P-256), 15 (Ed25519) or 8 (RSA-2048)")
	}
	for range keyAttempts {
		var k *registry.ZoneKey
		if k, err = s.custodian.cfg.Keys.Generate(tld.Name, role, algorithm); err != nil {
			return nil, err
		}
		add.Tld, add.Id, add.Role, add.Algorithm, add.PublicKey = string(tld.Name), k.ID, uint32(role), uint32(algorithm), k.PublicKey
		k.Rolling, k.Replaces, k.Emergency = add.GetRolling(), add.GetReplaces(), add.GetEmergency()
		if err = s.proposeKey(ctx, add, reason); err == nil {
			return k, nil
		}
		if !errors.Is(err, registry.CodeUnavailable) && !errors.Is(err, registry.CodeOutcomeUnknown) { // it is certain that it is not used
			err = errors.Join(err, s.custodian.cfg.Keys.Delete(k))
		}
		if !errors.Is(err, registry.CodeKeyTagTaken) {
			return nil, err
		}
	}
	return nil, err
}

func (s *adminService) proposeKey(ctx context.Context, add *fsmpb.ZoneKeyAdd, reason string) error {
	result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
		Actor: operator(ctx), Reason: reason, Body: &fsmpb.Command_ZoneKeyAdd{ZoneKeyAdd: add},
	})
	if err != nil {
		return err
	}
	return ResultError(result)
}

// KeyList shows the keys of a zone.
func (s *adminService) KeyList(ctx context.Context, req *clusterpb.KeyListRequest) (*clusterpb.KeyListResponse, error) {
	zone, err := s.zoneOf(ctx, req.GetTld())
	if err != nil {
		return nil, err
	}
	holders, voters, err := s.custodian.holders(ctx)
	if err != nil {
		return nil, err
	}
	zone.Held = func(id string) bool { return len(holders[id]) > voters/2 }
	plan := dnssec.PlanKeys(&zone)
	out := &clusterpb.KeyListResponse{SignedAs: zone.Shown.SignedAs}
	for i := range zone.Keys {
		k := keyMessage(zone.TLD, &zone.Keys[i])
		k.HeldBy = holders[k.GetId()]
		for _, w := range plan.Waits {
			if w.ID == k.GetId() {
				k.WaitsFor, k.WaitsUntilMs = w.For, unixMilli(w.Until)
			}
		}
		out.Keys = append(out.Keys, k)
	}
	return out, nil
}

// KeyRoll makes successors of keys; what follows is the leader's.
func (s *adminService) KeyRoll(ctx context.Context, req *clusterpb.KeyRollRequest) (*clusterpb.KeyRollResponse, error) {
	zone, err := s.zoneOf(ctx, req.GetTld())
	if err != nil {
		return nil, err
	}
	old, err := keysToReplace(&zone, registry.KeyRole(req.GetRole()), uint8(req.GetAlgorithm()))
	if err != nil {
		return nil, err
	}
	out := &clusterpb.KeyRollResponse{}
	for i := range old {
		algorithm := uint8(req.GetAlgorithm())
		if algorithm == 0 {
			algorithm = old[i].Algorithm
		}
		var k *registry.ZoneKey
		if req.GetDryRun() {
			k, _, err = dnssec.NewZoneKey(zone.TLD.Name, old[i].Role, algorithm)
		} else {
			k, err = s.successor(ctx, &zone, &old[i], algorithm, req)
		}
		if err != nil {
			return nil, err
		}
		if k.ID == "" {
			k.ID = fmt.Sprintf("new %d", i+1)
		}
		k.Rolling, k.Replaces, k.Emergency, k.CreatedAt, k.StateAt = true, old[i].ID, req.GetEmergency(), zone.Now, zone.Now
		zone.Keys = append(slices.DeleteFunc(zone.Keys, func(o registry.ZoneKey) bool { return o.ID == k.ID }), *k)
		out.Keys = append(out.Keys, keyMessage(zone.TLD, k))
	}
	for _, event := range dnssec.Timeline(&zone) {
		out.Timeline = append(out.Timeline, &clusterpb.KeyEvent{AtMs: event.At.UnixMilli(), Text: event.Text})
	}
	return out, nil
}

// successor takes a key that stands by, or makes one.
func (s *adminService) successor(ctx context.Context, zone *dnssec.Situation, old *registry.ZoneKey, algorithm uint8, req *clusterpb.KeyRollRequest) (*registry.ZoneKey, error) {
	add := &fsmpb.ZoneKeyAdd{Rolling: true, Replaces: old.ID, Emergency: req.GetEmergency()}
	for i := range zone.Keys {
		k := zone.Keys[i]
		if k.State != registry.KeyStandby || k.Rolling || k.Role != old.Role || k.Algorithm != algorithm {
			continue
		}
		add.Tld, add.Id, add.Role, add.Algorithm, add.PublicKey = string(k.TLD), k.ID, uint32(k.Role), uint32(k.Algorithm), k.PublicKey
		return &k, s.proposeKey(ctx, add, req.GetReason())
	}
	return s.makeKey(ctx, zone.TLD, old.Role, algorithm, add, req.GetReason())
}

// keysToReplace returns the active keys that a rollover is about: those of the role, or all if the algorithm changes.
func keysToReplace(zone *dnssec.Situation, role registry.KeyRole, algorithm uint8) ([]registry.ZoneKey, error) {
	active := slices.DeleteFunc(slices.Clone(zone.Keys), func(k registry.ZoneKey) bool { return k.State != registry.KeyActive })
	if len(active) == 0 {
		return nil, refuse(registry.CodeStatusProhibits, "tld", string(zone.TLD.Name), "the zone has no active keys: say in its policy that it is to be signed")
	}
	if algorithm != 0 && policy.IsNewAlgorithm(zone.Keys, algorithm) {
		if role != 0 {
			return nil, refuse(registry.CodeParameterPolicy, "role", role.String(), "with another algorithm all keys of the zone are replaced")
		}
		return active, nil
	}
	if role == 0 {
		role = registry.KeyZSK
		if active[0].Role == registry.KeyCSK {
			role = registry.KeyCSK
		}
	}
	old := slices.DeleteFunc(active, func(k registry.ZoneKey) bool { return k.Role != role })
	if len(old) == 0 {
		return nil, refuse(registry.CodeObjectDoesNotExist, "role", role.String(), "the zone has no active key of that role")
	}
	return old, nil
}

func keyMessage(tld *registry.TLD, k *registry.ZoneKey) *clusterpb.ZoneKey {
	out := &clusterpb.ZoneKey{
		Id: k.ID, Role: uint32(k.Role), Algorithm: uint32(k.Algorithm), Tag: uint32(k.Tag), State: uint32(k.State), Rolling: k.Rolling, Replaces: k.Replaces,
		Emergency: k.Emergency, CreatedAtMs: unixMilli(k.CreatedAt), StateAtMs: unixMilli(k.StateAt), ObservedAtMs: unixMilli(k.ObservedAt), DsSeenAtMs: unixMilli(k.DSSeenAt),
		Dnskey: dnssec.Record(tld, k).String(),
	}
	if k.Role.IsEntryPoint() {
		out.Ds = dnssec.DelegationSigner(tld, k).String()
	}
	return out
}

// zonesSettled says whether all signatures that are due are renewed, and all keys where they should be, but for waits.
func zonesSettled(tx *store.ReadTx) bool {
	for _, tld := range tx.TLDs() {
		if tld.Policy.Signing.Denial == registry.DenialNone {
			continue
		}
		if owners, chainKeys := tx.ResignDue(tld.Name, tx.Now(), 1); len(owners)+len(chainKeys) > 0 {
			return false
		}
		shown, err := dnssec.ReadShown(tx, tld.Name, tx.ZoneState(tld.Name).SignedAs)
		if err != nil {
			return false
		}
		situation := dnssec.Situation{TLD: tld, Keys: tx.ZoneKeys(tld.Name), Shown: shown, Now: tx.Now()}
		if len(dnssec.PlanKeys(&situation).Moves) > 0 || !shown.Is(tld, situation.Keys) {
			return false
		}
	}
	return true
}
