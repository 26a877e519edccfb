package cluster

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/internal/pause"
	"cadastre/registry"
	"cadastre/store"
)

// gossipKeyInterval is how often a node that hears of nobody asks the others for the keys.
const gossipKeyInterval = 5 * time.Second

// Keys returns the gossip keys, the one in use first.
func (g *Gossip) Keys() [][]byte { return g.options.Keyring.GetKeys() }

// ChangeKey changes the keys, in the file first: a node that restarts half-way knows a key
// too many rather than one too few.
func (g *Gossip) ChangeKey(change clusterpb.GossipKeyChange, key []byte) error {
	g.keysMu.Lock()
	defer g.keysMu.Unlock()
	ring := g.options.Keyring
	keys := slices.Clone(ring.GetKeys())
	at := slices.IndexFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) })
	switch change {
	case clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_NONE:
		return nil
	case clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_INSTALL:
		if at >= 0 {
			return nil
		}
		if len(keys) >= maxGossipKeys {
			return refuse(registry.CodeStatusProhibits, "key", "", "this node has as many gossip keys as it may have; finish the rotation that is under way")
		}
		return errors.Join(g.keepKeys(append(keys, key)), ring.AddKey(key))
	case clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_USE:
		if at < 0 {
			return refuse(registry.CodeConflict, "key", "", "the key is not installed on this node")
		}
		keys = slices.Insert(slices.Delete(keys, at, at+1), 0, key)
		return errors.Join(g.keepKeys(keys), ring.UseKey(key))
	case clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_RETAIN:
		if at != 0 {
			return refuse(registry.CodeConflict, "key", "", "the key is not the one that this node uses")
		}
		var errs []error
		for _, other := range keys[1:] {
			errs = append(errs, ring.RemoveKey(other))
		}
		return errors.Join(append(errs, g.keepKeys(keys[:1]))...)
	default:
		return refuse(registry.CodeParameterRange, "change", "", "unknown change of a gossip key")
	}
}

func (g *Gossip) keepKeys(keys [][]byte) error {
	if g.cfg.KeyFile == "" {
		return nil
	}
	var text []byte
	for _, key := range keys {
		text = append(base64.StdEncoding.AppendEncode(text, key), '\n')
	}
	err := writeFiles(filepath.Dir(g.cfg.KeyFile), []file{{filepath.Base(g.cfg.KeyFile), text, 0o600}})
	if err != nil {
		return fmt.Errorf("keep the gossip keys: %w", err)
	}
	return nil
}

func keySums(keys [][]byte) (sums [][]byte) {
	for _, key := range keys {
		sum := sha256.Sum256(key)
		sums = append(sums, sum[:])
	}
	return sums
}

// ChangeGossipKey changes a key of this node. The key comes over TLS from a member and is
// never in the log.
func (s *peerService) ChangeGossipKey(_ context.Context, req *clusterpb.ChangeGossipKeyRequest) (*clusterpb.ChangeGossipKeyResponse, error) {
	if req.GetActor().GetKind() != fsmpb.ActorKind_ACTOR_KIND_OPERATOR {
		return nil, refuse(registry.CodeAuthorization, "actor", req.GetActor().GetId(), "only an operator changes gossip keys")
	}
	return s.changeGossipKeyHere(req)
}

func (s *Server) changeGossipKeyHere(req *clusterpb.ChangeGossipKeyRequest) (*clusterpb.ChangeGossipKeyResponse, error) {
	if s.gossip == nil {
		return &clusterpb.ChangeGossipKeyResponse{}, nil
	}
	changes := req.GetChange() != clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_NONE
	if changes && len(req.GetKey()) != gossipKeyBytes {
		return nil, refuse(registry.CodeParameterSyntax, "key", "", "a gossip key has 32 octets")
	}
	if err := s.gossip.ChangeKey(req.GetChange(), req.GetKey()); err != nil {
		return nil, err
	}
	if changes {
		s.log.Info("gossip keys changed", "change", req.GetChange().String(), "operator", req.GetActor().GetId())
	}
	return &clusterpb.ChangeGossipKeyResponse{KeySha256: keySums(s.gossip.Keys())}, nil
}

// GossipKeys gives the keys to a member.
func (s *peerService) GossipKeys(context.Context, *clusterpb.GossipKeysRequest) (*clusterpb.GossipKeysResponse, error) {
	if s.gossip == nil {
		return &clusterpb.GossipKeysResponse{}, nil
	}
	return &clusterpb.GossipKeysResponse{Keys: s.gossip.Keys()}, nil
}

// FollowGossipKeys asks the other members for their keys while gossip hears of none of
// them: this node may have been away during a rotation, or be new with an old key file.
func (s *Server) FollowGossipKeys(ctx context.Context) error {
	for pause.For(ctx, gossipKeyInterval) == nil {
		others, _ := s.ownMembership()
		if s.gossip == nil || len(others) == 0 || len(s.gossip.Peers()) > 1 {
			continue
		}
		for _, id := range others {
			if s.adoptGossipKeys(ctx, id) {
				break
			}
		}
	}
	return nil
}

// adoptGossipKeys takes over the key that the node uses, and says whether it could.
func (s *Server) adoptGossipKeys(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	keys, err := s.peers.gossipKeys(ctx, id)
	if err != nil || len(keys) == 0 || len(keys[0]) != gossipKeyBytes {
		return false
	}
	if own := s.gossip.Keys(); len(own) > 0 && bytes.Equal(own[0], keys[0]) {
		return true
	}
	err = errors.Join(s.gossip.ChangeKey(clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_INSTALL, keys[0]),
		s.gossip.ChangeKey(clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_USE, keys[0]))
	if err != nil {
		s.log.Warn("cannot take over the gossip key of another node", "node_asked", id, "error", err)
		return false
	}
	s.log.Info("took over the gossip key that the others use", "node_asked", id)
	return true
}

// gossipRotation is one run of RotateGossip.
type gossipRotation struct {
	*Server
	actor *fsmpb.Actor
	nodes []string
	steps []string
}

// RotateGossip gives every member a new key, has each use it, and has each forget the
// others. A step begins when the one before is done everywhere, so that every member
// understands every other at any time; what an interrupted run left is put right first.
func (s *adminService) RotateGossip(ctx context.Context, req *clusterpb.RotateGossipRequest) (*clusterpb.RotateGossipResponse, error) {
	if err := checkReason(req.GetReason()); err != nil {
		return nil, err
	}
	if s.gossip == nil {
		return nil, refuse(registry.CodeStatusProhibits, "gossip", "", "gossip is switched off on this node; ask another")
	}
	r := &gossipRotation{Server: s.Server, actor: operator(ctx)}
	err := s.store.View(func(tx *store.ReadTx) error {
		for _, n := range tx.Nodes() {
			r.nodes = append(r.nodes, n.ID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// Everybody must answer before anything is changed.
	held, err := r.all(ctx, clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_NONE, nil)
	if err != nil {
		return nil, err
	}
	key := r.unfinished(held)
	fresh := key == nil
	if !fresh {
		r.steps = append(r.steps, "going on with a rotation that was interrupted")
	} else {
		key = make([]byte, gossipKeyBytes)
		_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	}
	s.log.Warn("gossip key is rotated", "operator", caller(ctx).Name, "reason", req.GetReason())
	if err := r.run(ctx, key, fresh); err != nil {
		return nil, err
	}
	return &clusterpb.RotateGossipResponse{Steps: r.steps, KeySha256: keySums([][]byte{key})[0]}, nil
}

// unfinished returns the key that some member uses already and others do not: all have it
// installed. Without such a key a new rotation may begin.
func (r *gossipRotation) unfinished(held map[string][][]byte) []byte {
	var first []byte
	for _, sums := range held {
		if len(sums) == 0 {
			continue
		}
		if first == nil {
			first = sums[0]
		}
		if bytes.Equal(first, sums[0]) {
			continue
		}
		for _, key := range r.gossip.Keys() { // the one of the two that everybody has
			sum := keySums([][]byte{key})[0]
			if !slices.ContainsFunc(r.nodes, func(id string) bool {
				return len(held[id]) > 0 && !slices.ContainsFunc(held[id], func(s []byte) bool { return bytes.Equal(s, sum) })
			}) {
				return key
			}
		}
	}
	return nil
}

func (r *gossipRotation) run(ctx context.Context, key []byte, fresh bool) error {
	if fresh { // keys that an interrupted rotation has left are of no use to anybody
		if _, err := r.all(ctx, clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_RETAIN, r.gossip.Keys()[0]); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		change clusterpb.GossipKeyChange
		text   string
	}{
		{clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_INSTALL, "every node has the new key"},
		{clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_USE, "every node uses the new key"},
		{clusterpb.GossipKeyChange_GOSSIP_KEY_CHANGE_RETAIN, "no node knows another key"},
	} {
		if _, err := r.all(ctx, step.change, key); err != nil {
			return err
		}
		r.steps = append(r.steps, step.text)
	}
	return nil
}

// all makes the change on every member, this node last, so that it still knows what the
// others were told if it is interrupted. It returns what each has afterwards.
func (r *gossipRotation) all(ctx context.Context, change clusterpb.GossipKeyChange, key []byte) (map[string][][]byte, error) {
	req := &clusterpb.ChangeGossipKeyRequest{Change: change, Key: key, Actor: r.actor}
	held := map[string][][]byte{}
	for _, id := range r.nodes {
		if id == r.nodeID {
			continue
		}
		resp, err := r.askGossipKey(ctx, id, req)
		if err != nil {
			return nil, &registry.Error{Code: registry.CodeConflict, Field: "node", Value: id, Err: err,
				Reason: "the gossip key could not be changed on a node; every member must be up. What was begun does no harm: run this again"}
		}
		held[id] = resp.GetKeySha256()
	}
	resp, err := r.changeGossipKeyHere(req)
	if err != nil {
		return nil, err
	}
	held[r.nodeID] = resp.GetKeySha256()
	return held, nil
}

func (r *gossipRotation) askGossipKey(ctx context.Context, id string, req *clusterpb.ChangeGossipKeyRequest) (resp *clusterpb.ChangeGossipKeyResponse, err error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	for {
		if resp, err = r.peers.changeGossipKey(ctx, id, req); err == nil {
			return resp, nil
		}
		if pause.For(ctx, answerRetry) != nil {
			return nil, err
		}
	}
}
